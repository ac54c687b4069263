/** A Kafka driver file of OpenMessaging Benchmark as options of `bench run`. Of what has none only names are said. */
import { type FieldKind, problemsOf, readFields, refuseAll, type Translation } from './fields.ts'

const kinds: Readonly<Record<string, FieldKind>> = {
  name: 'text',
  driverClass: 'text',
  replicationFactor: 'integer',
  topicConfig: 'text',
  commonConfig: 'text',
  producerConfig: 'text',
  consumerConfig: 'text',
}

const kafkaDriver = 'io.openmessaging.benchmark.driver.kafka.KafkaBenchmarkDriver'

type Property = string | ((value: string) => string[])

const onlyTrue =
  (flag: string): Property =>
  (value) =>
    value === 'true' ? [flag] : []

/** Kafka's name -> the option, by field. */
const options: Readonly<Record<string, Readonly<Record<string, Property>>>> = {
  topicConfig: {},
  commonConfig: {
    'bootstrap.servers': '--bootstrap-servers',
    'request.timeout.ms': '--request-timeout-ms',
    'client.id': (value) => ['-X', `client.id=${value}`],
  },
  producerConfig: {
    acks: '--acks',
    'linger.ms': '--linger-ms',
    'batch.size': '--batch-size',
    'compression.type': '--compression',
    'enable.idempotence': onlyTrue('--idempotent'),
    'request.timeout.ms': '--request-timeout-ms',
    'delivery.timeout.ms': '--message-timeout-ms',
  },
  consumerConfig: {
    'fetch.min.bytes': '--fetch-min-bytes',
    'fetch.max.wait.ms': '--fetch-max-wait-ms',
    'max.partition.fetch.bytes': '--max-partition-fetch-bytes',
    'isolation.level': (value) => ['--isolation', value.replaceAll('_', '-')],
  },
}

/** `name=value` or `name: value`, a line each, as in Java's properties. */
const propertiesOf = (text: string): [string, string][] =>
  text.split(/\r?\n/).flatMap((row) => {
    const { name, value } =
      /^\s*(?<name>[^#!=:\s]+)\s*[=:\s]\s*(?<value>.*?)\s*$/.exec(row)?.groups ?? {}
    return name === undefined ? [] : [[name, value ?? '']]
  })

const translateProperties = (field: string, text: string): Translation => {
  const known = options[field] ?? {}
  const args: string[] = []
  const left: string[] = []
  for (const [name, value] of propertiesOf(text)) {
    const option = Object.hasOwn(known, name) ? known[name] : undefined
    if (option === undefined) left.push(name)
    else args.push(...(typeof option === 'string' ? [option, value] : option(value)))
  }
  return { args, notes: left.length === 0 ? [] : [`${field}: not taken: ${left.join(', ')}`] }
}

/** Throws a `UsageError` with a line `file:line: what` for each problem. */
export const translateDriverFile = (text: string, file: string): Translation => {
  const fields = readFields(text, file)
  refuseAll(problemsOf(fields, kinds, file))
  const translations = fields.map(({ name, value, line }): Translation => {
    if (name === 'driverClass' && value !== kafkaDriver) {
      refuseAll([`${file}:${line}: driverClass ${String(value)}: only Kafka's is read`])
    }
    if (name === 'replicationFactor') {
      return { args: ['--replication-factor', String(value)], notes: [] }
    }
    return name in options ? translateProperties(name, String(value)) : { args: [], notes: [] }
  })
  return {
    args: translations.flatMap(({ args }) => args),
    notes: translations.flatMap(({ notes }) => notes),
  }
}

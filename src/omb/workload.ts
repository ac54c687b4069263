/**
 * A workload of OpenMessaging Benchmark as options of `bench run`. What bench does otherwise is noted; what would be
 * another measurement under the same name is refused.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import {
  type Field,
  type FieldKind,
  problemsOf,
  readFields,
  refuseAll,
  type Translation,
} from './fields.ts'

/** Source: io.openmessaging.benchmark.Workload. */
interface Workload {
  name?: string
  topics: number
  partitionsPerTopic: number
  keyDistributor: string
  messageSize: number
  useRandomizedPayloads: boolean
  randomBytesRatio: number
  randomizedPayloadPoolSize?: number
  payloadFile?: string
  subscriptionsPerTopic: number
  producersPerTopic?: number
  consumerPerSubscription: number
  producerRate: number
  consumerBacklogSizeGB: number
  backlogDrainRatio?: number
  testDurationMinutes: number
  warmupDurationMinutes: number
}

const kinds: Readonly<Record<keyof Workload, FieldKind>> = {
  name: 'text',
  topics: 'integer',
  partitionsPerTopic: 'integer',
  keyDistributor: 'text',
  messageSize: 'integer',
  useRandomizedPayloads: 'truth',
  randomBytesRatio: 'fraction',
  randomizedPayloadPoolSize: 'integer',
  payloadFile: 'text',
  subscriptionsPerTopic: 'integer',
  producersPerTopic: 'integer',
  consumerPerSubscription: 'integer',
  producerRate: 'integer',
  consumerBacklogSizeGB: 'integer',
  backlogDrainRatio: 'fraction',
  testDurationMinutes: 'integer',
  warmupDurationMinutes: 'integer',
}

/** OMB's own, where it has one that works. */
const defaults: Partial<Workload> = {
  keyDistributor: 'NO_KEY',
  useRandomizedPayloads: false,
  randomBytesRatio: 0,
  subscriptionsPerTopic: 0,
  consumerPerSubscription: 0,
  consumerBacklogSizeGB: 0,
  warmupDurationMinutes: 1,
}

const required = [
  'topics',
  'partitionsPerTopic',
  'messageSize',
  'producerRate',
  'testDurationMinutes',
]

const keyPatterns: Readonly<Record<string, string>> = {
  NO_KEY: 'none',
  KEY_ROUND_ROBIN: 'sequential',
  RANDOM_NANO: 'random',
}

/** A payload file is named from OMB's root, whose workloads lie one folder down. */
const payloadPathOf = (payloadFile: string, workloadFile: string): string | null => {
  const folder = path.dirname(workloadFile)
  const places = [payloadFile, path.join(folder, payloadFile), path.join(folder, '..', payloadFile)]
  return places.find((place) => existsSync(place)) ?? null
}

/** What would be another measurement, by field. */
const refusals = (workload: Workload, file: string): [keyof Workload, string][] => {
  const { topics, subscriptionsPerTopic, consumerBacklogSizeGB, keyDistributor } = workload
  const { payloadFile, useRandomizedPayloads, testDurationMinutes } = workload
  const isFileUsed = payloadFile !== undefined && !useRandomizedPayloads
  const found: [boolean, keyof Workload, string][] = [
    [topics !== 1, 'topics', 'bench loads one topic; only 1 is read'],
    [
      subscriptionsPerTopic > 1,
      'subscriptionsPerTopic',
      'bench reads a topic once while it sends; 0 and 1 are read',
    ],
    [
      consumerBacklogSizeGB > 0,
      'consumerBacklogSizeGB',
      'no backlog is built here; send with --mode produce, then drain with --mode consume',
    ],
    [
      !Object.hasOwn(keyPatterns, keyDistributor),
      'keyDistributor',
      `${Object.keys(keyPatterns).join(', ')} are read`,
    ],
    [
      isFileUsed && payloadPathOf(payloadFile, file) === null,
      'payloadFile',
      'not found here, beside the workload or one folder up',
    ],
    [testDurationMinutes === 0, 'testDurationMinutes', 'a minute or more is needed'],
  ]
  return found.flatMap(([isRefused, name, reason]) => (isRefused ? [[name, reason]] : []))
}

const payloadOf = (workload: Workload, file: string): string[] => {
  if (workload.useRandomizedPayloads) {
    const zeros = Number((1 - workload.randomBytesRatio).toFixed(6))
    return ['--payload-pattern', 'random', '--compressibility', `${zeros}`]
  }
  const found = workload.payloadFile && payloadPathOf(workload.payloadFile, file)
  return found ? ['--payload-pattern', found] : []
}

const argsOf = (workload: Workload, file: string): string[] => {
  const { partitionsPerTopic, messageSize, producerRate, keyDistributor, name } = workload
  const pace =
    producerRate === 0
      ? ['--find-max']
      : [
          ...['--rate', `${producerRate}`],
          ...['--duration', `${workload.testDurationMinutes}m`],
          ...['--warmup-duration', `${workload.warmupDurationMinutes}m`],
        ]
  const key = keyPatterns[keyDistributor] as string
  return [
    ...['--mode', isReading(workload) ? 'round-trip' : 'produce'],
    ...['--partitions', `${partitionsPerTopic}`],
    ...['--message-size', `${messageSize}`],
    ...pace,
    ...payloadOf(workload, file),
    ...(key === 'none' ? [] : ['--key-pattern', key]),
    ...(name ? ['--label', name] : []),
  ]
}

const isReading = ({ subscriptionsPerTopic, consumerPerSubscription }: Workload): boolean =>
  subscriptionsPerTopic > 0 && consumerPerSubscription > 0

const notesOf = (workload: Workload): string[] => {
  const { producerRate, producersPerTopic = 1, consumerPerSubscription, keyDistributor } = workload
  const notes: [boolean, keyof Workload, string][] = [
    [
      producerRate === 0,
      'producerRate',
      '--find-max has a run of its own for each rate; the durations of the file have no part in it',
    ],
    [producersPerTopic > 1, 'producersPerTopic', 'one producer sends it all'],
    [
      isReading(workload),
      'consumerPerSubscription',
      consumerPerSubscription > 1
        ? 'one reader reads it all, without a group'
        : 'the reader has no group',
    ],
    [keyDistributor !== 'NO_KEY', 'keyDistributor', 'keys do not repeat after so many'],
    [
      workload.randomizedPayloadPoolSize !== undefined,
      'randomizedPayloadPoolSize',
      'as many payloads as fit into 16 MiB, at most 4096',
    ],
    [
      workload.useRandomizedPayloads && workload.payloadFile !== undefined,
      'payloadFile',
      'not used beside randomized payloads, nor by OMB',
    ],
    [workload.backlogDrainRatio !== undefined, 'backlogDrainRatio', 'there is no backlog'],
  ]
  return [
    ...notes.flatMap(([isSaid, name, text]) =>
      isSaid ? [`${name} ${String(workload[name])}: ${text}`] : [],
    ),
    'records in flight: OMB sets no bound; here --concurrency is one, 64 unless told',
  ]
}

const objectOf = (fields: readonly Field[]): Workload =>
  ({
    ...defaults,
    ...Object.fromEntries(fields.map(({ name, value }) => [name, value])),
  }) as Workload

/** Throws a `UsageError` with a line `file:line: what` for each problem. */
export const translateWorkload = (text: string, file: string): Translation => {
  const fields = readFields(text, file)
  const missing = required.filter((name) => !fields.some((field) => field.name === name))
  refuseAll([
    ...problemsOf(fields, kinds, file),
    ...missing.map((name) => `${file}: ${name} is missing`),
  ])
  const workload = objectOf(fields)
  refuseAll(
    refusals(workload, file).map(([name, reason]) => {
      const line = fields.find((field) => field.name === name)?.line ?? 1
      return `${file}:${line}: ${name} ${String(workload[name])}: ${reason}`
    }),
  )
  return { args: argsOf(workload, file), notes: notesOf(workload) }
}

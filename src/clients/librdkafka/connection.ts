/** librdkafka's configuration out of `ConnectionOptions`, connecting, and noticing that no broker is there any more. */
import type { Clock, Timer } from '../../clock.ts'
import { messageOf, SurroundingsError, UsageError } from '../../errors.ts'
import type { ConnectionOptions } from '../driver.ts'
import { readTlsFiles, redact } from '../security.ts'
import type { Config, Library, LibraryError, LoadedLibrary } from './library.ts'

/** How long all brokers may be away; the other clients give up after as long. */
const absenceLimitMs = 8_000
const checkLimitMs = 1_000
const mechanisms = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
}

/** node-rdkafka lets a second configuration, that of topics, win over these names in the first, also where it is empty. */
const topicProperties = new Set([
  'acks',
  'request.required.acks',
  'request.timeout.ms',
  'message.timeout.ms',
  'delivery.timeout.ms',
  'queuing.strategy',
  'partitioner',
  'compression.level',
  'auto.offset.reset',
])

/** The two configurations that clients of node-rdkafka are made of. */
export const split = (config: Config): [client: Config, topic: Config] => {
  const entries = Object.entries(config)
  return [
    Object.fromEntries(entries.filter(([name]) => !topicProperties.has(name))),
    Object.fromEntries(entries.filter(([name]) => topicProperties.has(name))),
  ]
}

/** The library in use. */
export interface Surroundings {
  library: Library
  kafkaCodes: LoadedLibrary['kafkaCodes']
  clock: Clock
}

/** Throws a `UsageError` that names librdkafka and the property it does not know or whose value it refuses. */
export const checkProperties = (
  library: Library,
  properties: Readonly<Record<string, string>>,
): void => {
  try {
    void new library.Producer(...split({ 'client.id': 'bench', ...properties }))
  } catch (error) {
    throw new UsageError(`client property: librdkafka: ${messageOf(error)}`, { cause: error })
  }
}

const securityConfig = ({ tls, sasl }: ConnectionOptions['security']): Config => {
  if (tls !== null) readTlsFiles(tls)
  const protocol = `${sasl === null ? '' : 'sasl_'}${tls === null ? 'plaintext' : 'ssl'}`
  return {
    'security.protocol': protocol,
    ...(tls?.caFile ? { 'ssl.ca.location': tls.caFile } : {}),
    ...(tls?.certFile ? { 'ssl.certificate.location': tls.certFile } : {}),
    ...(tls?.keyFile ? { 'ssl.key.location': tls.keyFile } : {}),
    ...(sasl === null
      ? {}
      : {
          'sasl.mechanisms': mechanisms[sasl.mechanism],
          'sasl.username': sasl.username,
          'sasl.password': sasl.password,
        }),
  }
}

/** `defaults`, then what the connection says, then `-X`, which wins. */
export const configOf = (connection: ConnectionOptions, defaults: Config): Config => ({
  ...defaults,
  'bootstrap.servers': connection.bootstrapServers.join(','),
  'client.id': connection.clientId,
  'socket.timeout.ms': Math.max(1_000, connection.requestTimeoutMs),
  ...securityConfig(connection.security),
  ...connection.properties,
})

interface Connectable {
  connect: LibraryClient['connect']
  on: LibraryClient['on']
}
type LibraryClient = InstanceType<Library['Producer']> | InstanceType<Library['KafkaConsumer']>

/** Rejects with a `SurroundingsError` that names the addresses and the first thing librdkafka complained about. */
export const connect = async (
  client: Connectable,
  connection: ConnectionOptions,
): Promise<void> => {
  let complaint: string | null = null
  client.on('event.log', ({ fac, message }: { fac: string; message: string }) => {
    if (fac === 'FAIL') complaint ??= message.replace(/^\[thrd:[^\]]*\]: /, '')
  })
  const timeout = connection.connectTimeoutMs
  const error = await new Promise<LibraryError | null>((resolve) => {
    client.connect({ allTopics: true, timeout }, resolve)
  })
  if (!error) return
  const addresses = connection.bootstrapServers.join(', ')
  const reason = redact(complaint ?? messageOf(error), connection)
  throw new SurroundingsError(`cannot connect to a broker at ${addresses}: ${reason}`)
}

/** node-rdkafka tells such errors without their code. */
const isAllDown = (error: Error): boolean => /all broker connections are down/i.test(error.message)

export interface LossWatch {
  /** To be told of errors that are no event: a consumer's come out of `consume`. */
  notice(error: Error): void
  cancel(): void
}

/** Calls `onLost` once when all brokers have been away for long; librdkafka itself would wait for ever. */
export const watchLoss = (client: LibraryClient, clock: Clock, onLost: () => void): LossWatch => {
  let timer: Timer | null = null
  let isOver = false
  const check = (): void => {
    timer = null
    if (isOver) return
    client.getMetadata({ allTopics: true, timeout: checkLimitMs }, (error) => {
      if (error && !isOver) onLost()
    })
  }
  const notice = (error: Error): void => {
    if (isAllDown(error) && !isOver) timer ??= clock.setTimer(absenceLimitMs, check)
  }
  client.on('event.error', notice)
  return {
    notice,
    cancel: () => {
      isOver = true
      timer?.cancel()
    },
  }
}

/** Resolves when `disconnect` has called back, or after `limitMs`. */
export const disconnectWithin = (
  clock: Clock,
  limitMs: number,
  disconnect: (done: () => void) => void,
): Promise<void> =>
  new Promise((resolve) => {
    const timer = clock.setTimer(limitMs, resolve)
    disconnect(() => {
      timer.cancel()
      resolve()
    })
  })

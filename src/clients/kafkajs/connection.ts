/**
 * Makes kafkajs clients out of `ConnectionOptions` and connects them within `connectTimeoutMs`. kafkajs hands out its
 * `Cluster`, the layer of single requests to single brokers, only to partition assigners: `openCluster` takes it there.
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import {
  type Cluster,
  type Consumer,
  type ISocketFactory,
  Kafka,
  type KafkaConfig,
  type RetryOptions,
} from 'kafkajs'
import { type Clock, sleep } from '../../clock.ts'
import type { ConnectionOptions, Isolation } from '../driver.ts'
import { readTlsFiles } from '../security.ts'
import { isHopeless, rootOf, toConnectError } from './errors.ts'
import { booleanOf, numberOf, textOf } from './properties.ts'
import './quiet-queue.ts'

const connectBackoffMs = 100
const disconnectLimitMs = 1_000
const keepAliveDelayMs = 60_000

/** Retrying inside kafkajs; small first steps, so that a rejoin is not delayed. Some 8 s in all. */
export const retryOptions = ({ properties }: ConnectionOptions) =>
  ({
    retries: numberOf(properties, 'retries', 10),
    initialRetryTime: numberOf(properties, 'retry.backoff.ms', 100),
    maxRetryTime: numberOf(properties, 'retry.backoff.max.ms', 1_000),
  }) satisfies RetryOptions

/** The sockets of one client: kafkajs waits for open answers when it disconnects, `cut` does not. */
class Sockets {
  readonly #open = new Set<Socket>()
  #isCut = false

  readonly factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (this.#isCut) throw new Error('the client is closed')
    const serverName = isIP(host) === 0 ? { servername: host } : {}
    const socket = ssl
      ? connectTls({ host, port, ...serverName, ...ssl }, onConnect)
      : connectPlain({ host, port }, onConnect)
    // kafkajs' own sockets have Nagle's algorithm on: small requests in flight would wait for each other's TCP acks.
    socket.setNoDelay(true)
    socket.setKeepAlive(true, keepAliveDelayMs)
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    return socket
  }

  /** Ends all connections now and lets no new one begin. kafkajs rejects what is in flight only on an error. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#open) socket.destroy(new Error('the client is closed'))
  }
}

const securityConfig = ({ tls, sasl }: ConnectionOptions['security']): Partial<KafkaConfig> => {
  const config: Partial<KafkaConfig> = {}
  if (tls !== null) config.ssl = readTlsFiles(tls)
  if (sasl !== null) {
    const { mechanism, username, password } = sasl
    // kafkajs' type wants the mechanism as one literal.
    config.sasl = { mechanism: mechanism as 'plain', username, password }
  }
  return config
}

export interface KafkaHandle {
  kafka: Kafka
  /** Disconnects, `disconnect` first and for at most `limitMs`; then cuts the connections. Never rejects. */
  close: (disconnect: () => Promise<void>, limitMs?: number) => Promise<void>
}

/** A silent kafkajs: errors come as errors, not as log lines. Throws a `UsageError` when a TLS file cannot be read. */
export const createKafka = (
  connection: ConnectionOptions,
  clock: Clock,
  retry: RetryOptions,
): KafkaHandle => {
  const { properties } = connection
  const sockets = new Sockets()
  const kafka = new Kafka({
    brokers: [...connection.bootstrapServers],
    clientId: textOf(properties, 'client.id', connection.clientId),
    connectionTimeout: numberOf(
      properties,
      'socket.connection.setup.timeout.ms',
      Math.ceil(connection.connectTimeoutMs / connection.bootstrapServers.length),
    ),
    requestTimeout: numberOf(properties, 'request.timeout.ms', connection.requestTimeoutMs),
    retry,
    logCreator: () => () => {},
    socketFactory: sockets.factory,
    ...securityConfig(connection.security),
  })
  const close = async (disconnect: () => Promise<void>, limitMs = disconnectLimitMs) => {
    const isOver = new AbortController()
    const end = () => isOver.abort()
    const done = disconnect().then(end, end)
    await Promise.race([done, sleep(clock, limitMs, isOver.signal)])
    end()
    sockets.cut()
  }
  return { kafka, close }
}

export interface ClusterOptions {
  /** Metadata of these only; of all topics when empty. Must exist, unless auto-creation is asked for. */
  topics: readonly string[]
  isolation: Isolation
}

export interface ClusterHandle {
  cluster: Cluster
  /** The unused consumer the cluster was taken from; its network events are the cluster's. */
  consumer: Consumer
  close: () => Promise<void>
}

const createCluster = (
  connection: ConnectionOptions,
  clock: Clock,
  isolation: Isolation,
): ClusterHandle => {
  const { kafka, close } = createKafka(connection, clock, { retries: 0 })
  const { properties } = connection
  const found: Cluster[] = []
  const consumer = kafka.consumer({
    groupId: 'bench-unused',
    readUncommitted: isolation === 'read-uncommitted',
    metadataMaxAge: numberOf(properties, 'metadata.max.age.ms', 300_000),
    allowAutoTopicCreation: booleanOf(properties, 'allow.auto.create.topics', false),
    ...(properties['max.in.flight.requests.per.connection'] === undefined
      ? {}
      : {
          maxInFlightRequests: numberOf(properties, 'max.in.flight.requests.per.connection', 1),
        }),
    partitionAssigners: [
      ({ cluster }) => {
        found.push(cluster)
        return {
          name: 'unused',
          version: 0,
          assign: () => Promise.resolve([]),
          protocol: () => ({ name: 'unused', metadata: Buffer.alloc(0) }),
        }
      },
    ],
  })
  const [cluster] = found
  if (cluster === undefined) throw new Error('kafkajs made no cluster')
  return { cluster, consumer, close: () => close(() => cluster.disconnect()) }
}

/**
 * Connects to one of the bootstrap servers, tries again until `connectTimeoutMs` have passed, and loads the metadata.
 * Rejects with a `SurroundingsError` that names the addresses, at once when trying again cannot help; an error code
 * of the broker for one of the topics is rejected as kafkajs gives it.
 */
export const openCluster = async (
  connection: ConnectionOptions,
  clock: Clock,
  { topics, isolation }: ClusterOptions,
): Promise<ClusterHandle> => {
  const deadlineNs = clock.nowNs() + connection.connectTimeoutMs * 1e6
  let problem: unknown = null
  for (let attempt = 0; ; attempt++) {
    const servers = connection.bootstrapServers
    const first = attempt % servers.length
    const bootstrapServers = [...servers.slice(first), ...servers.slice(0, first)]
    const handle = createCluster({ ...connection, bootstrapServers }, clock, isolation)
    const leftMs = Math.max(1, (deadlineNs - clock.nowNs()) / 1e6)
    try {
      await within(clock, leftMs, handle.cluster.connect())
      await within(clock, leftMs, loadMetadata(handle.cluster, topics))
      return handle
    } catch (error) {
      await handle.close()
      // The last attempt has little time; what went wrong before says more than that it was too short.
      if (!(error instanceof NoAnswer) || problem === null) problem = error
      const root = rootOf(error)
      if (root.name === 'KafkaJSProtocolError' && 'type' in root) {
        if (root.type !== 'LEADER_NOT_AVAILABLE') throw error
      } else if (isHopeless(error)) throw toConnectError(error, connection)
      if (clock.nowNs() + connectBackoffMs * 1e6 >= deadlineNs) {
        throw toConnectError(problem, connection)
      }
      await sleep(clock, connectBackoffMs)
    }
  }
}

const loadMetadata = (cluster: Cluster, topics: readonly string[]): Promise<void> =>
  topics.length === 0 ? cluster.refreshMetadata() : cluster.addMultipleTargetTopics([...topics])

class NoAnswer extends Error {}

const within = async <T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T> => {
  const isOver = new AbortController()
  const timeout = sleep(clock, limitMs, isOver.signal).then((): never => {
    throw new NoAnswer(`no answer within ${Math.round(limitMs)} ms`)
  })
  timeout.catch(() => {})
  try {
    return await Promise.race([work, timeout])
  } finally {
    isOver.abort()
  }
}

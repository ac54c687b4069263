/**
 * Group members and readers of fixed partitions through node-rdkafka. A rebalance is taken between two calls of
 * `consume`, so that what was read before it is handled first and nothing of an old assignment comes after it.
 */
import type { Clock, Timer } from '../../clock.ts'
import { DriverError, messageOf } from '../../errors.ts'
import type {
  Assignor,
  ConnectionOptions,
  Consumer,
  ConsumerOptions,
  ConsumerSink,
  ReaderOptions,
} from '../driver.ts'
import { redact } from '../security.ts'
import { cursorsOf } from './batch.ts'
import {
  configOf,
  connect,
  disconnectWithin,
  type LossWatch,
  type Surroundings,
  split,
  watchLoss,
} from './connection.ts'
import type {
  Config,
  Library,
  LibraryConsumer,
  LibraryError,
  Message,
  TopicPartition,
} from './library.ts'

const messagesAtOnce = 1_000
/** A waiting call of `consume` holds one of the few threads of Node.js' pool. */
const waitMs = 50
const autoCommitIntervalMs = 1_000
const heartbeatLimitMs = 1_000
const leaveLimitMs = 8_000
const assignPartitions = -175
/** A lost broker, no message in time, a commit without offsets: librdkafka goes on by itself. */
const passing = new Set([-195, -187, -185, -168, -191])
const strategies: Partial<Record<Assignor, string>> = {
  range: 'range',
  'round-robin': 'roundrobin',
}

interface Rebalance {
  isAssign: boolean
  partitions: TopicPartition[]
}

class LibrdkafkaConsumer implements Consumer {
  readonly #client: LibraryConsumer
  readonly #connection: ConnectionOptions
  readonly #topic: string
  /** Of a reader; null in a group. */
  readonly #fixed: readonly TopicPartition[] | null
  readonly #sink: ConsumerSink
  readonly #clock: Clock
  readonly #loss: LossWatch
  readonly #rebalances: Rebalance[]
  /** Next offsets of the present assignment, as far as they are known. */
  readonly #positions = new Map<number, number>()
  #hasAssignment = false
  #isClosing = false
  #isCrashed = false
  #running: Promise<void> = Promise.resolve()

  constructor(
    client: LibraryConsumer,
    connection: ConnectionOptions,
    options: { topic: string; fixed: readonly TopicPartition[] | null; rebalances: Rebalance[] },
    sink: ConsumerSink,
    clock: Clock,
  ) {
    this.#client = client
    this.#connection = connection
    this.#topic = options.topic
    this.#fixed = options.fixed
    this.#rebalances = options.rebalances
    this.#sink = sink
    this.#clock = clock
    for (const { partition, offset } of options.fixed ?? []) {
      this.#positions.set(partition, offset ?? 0)
    }
    this.#loss = watchLoss(client, clock, () => this.#crash('all brokers are down', true))
  }

  start(): Promise<void> {
    if (this.#fixed === null) this.#client.subscribe([this.#topic])
    else this.#client.assign([...this.#fixed])
    this.#running = this.#run()
    return Promise.resolve()
  }

  /** Waits for the answer without returning to the event loop: node-rdkafka's other way is not told which commit it was. */
  commit(positions: ReadonlyMap<number, number>): Promise<void> {
    if (positions.size === 0) return Promise.resolve()
    if (this.#fixed !== null || this.#isCrashed) {
      return Promise.reject(new DriverError('not a member of a group'))
    }
    // What is stored librdkafka commits again when it leaves, also where that lies behind this commit.
    for (const [partition, offset] of positions) this.#store(partition, offset)
    try {
      this.#client.commitSync(this.#offsetsOf(positions))
      return Promise.resolve()
    } catch (error) {
      const message = redact(`cannot commit: ${messageOf(error)}`, this.#connection)
      return Promise.reject(new DriverError(message, { kafkaCode: codeOf(error) }))
    }
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#loss.cancel()
    await this.#running
    if (!this.#isCrashed) await this.#leave()
    this.#revoke()
    this.#sink.onGroupEvent({ type: 'left', atNs: this.#clock.nowNs() })
  }

  /** Not after a crash: librdkafka would wait a minute for its last commit, and the process with it. */
  async #leave(): Promise<void> {
    const served = this.#serveRebalances()
    await disconnectWithin(this.#clock, leaveLimitMs, (done) => this.#client.disconnect(done))
    served.cancel()
  }

  async #run(): Promise<void> {
    while (!this.#isClosing && !this.#isCrashed) {
      const messages = await this.#consume()
      const receivedAtNs = this.#clock.nowNs()
      for (const cursor of cursorsOf(messages, this.#positions, receivedAtNs)) {
        await this.#sink.onBatch(cursor)
        // What the sink held back until the end was not handled.
        if (this.#isClosing) return
        this.#positions.set(cursor.partition, cursor.toOffset)
        this.#store(cursor.partition, cursor.toOffset)
      }
      this.#takeRebalances()
    }
  }

  /** Waits for a first message, then takes what is there: `consume` would wait anew before each message. */
  async #consume(): Promise<Message[]> {
    const first = await this.#consumeUpTo(1, waitMs)
    if (first.length === 0) return first
    return [...first, ...(await this.#consumeUpTo(messagesAtOnce - 1, 0))]
  }

  #consumeUpTo(count: number, timeoutMs: number): Promise<Message[]> {
    return new Promise((resolve) => {
      this.#client.setDefaultConsumeTimeout(timeoutMs)
      this.#client.consume(count, (error, messages) => {
        if (error) this.#loss.notice(error)
        if (error && !isPassing(error)) this.#crash(messageOf(error), false)
        resolve(error ? [] : messages)
      })
    })
  }

  /** From here on librdkafka commits it, by its interval and before a rebalance. */
  #store(partition: number, offset: number): void {
    if (this.#fixed !== null) return
    try {
      this.#client.offsetsStore([{ topic: this.#topic, partition, offset }])
    } catch {
      // The partition was revoked meanwhile: its next owner reads from the last commit.
    }
  }

  #takeRebalances(): void {
    for (const { isAssign, partitions } of this.#rebalances.splice(0)) {
      try {
        this.#revoke()
        if (isAssign && !this.#isClosing) this.#assign(partitions)
        else this.#client.unassign()
      } catch (error) {
        if (!this.#isClosing) this.#crash(messageOf(error), false)
      }
    }
  }

  /** While it disconnects librdkafka waits for the answer to a last rebalance. */
  #serveRebalances(): Timer {
    const timers: { current: Timer } = { current: { cancel: () => {} } }
    const serve = (): void => {
      this.#takeRebalances()
      timers.current = this.#clock.setTimer(1, serve)
    }
    serve()
    return { cancel: () => timers.current.cancel() }
  }

  #assign(partitions: readonly TopicPartition[]): void {
    this.#positions.clear()
    this.#hasAssignment = true
    this.#client.assign([...partitions])
    this.#sink.onGroupEvent({
      type: 'assigned',
      memberId: '',
      generation: -1,
      partitions: partitions.map(({ partition }) => partition),
      atNs: this.#clock.nowNs(),
    })
  }

  #revoke(): void {
    if (!this.#hasAssignment) return
    this.#hasAssignment = false
    this.#sink.onGroupEvent({ type: 'revoked', atNs: this.#clock.nowNs() })
  }

  #offsetsOf(positions: ReadonlyMap<number, number>): TopicPartition[] {
    return Array.from(positions, ([partition, offset]) => ({
      topic: this.#topic,
      partition,
      offset,
    }))
  }

  #crash(message: string, isConnectionLost: boolean): void {
    if (this.#isClosing || this.#isCrashed) return
    this.#isCrashed = true
    this.#sink.onCrash({ message: redact(message, this.#connection), isConnectionLost })
  }
}

/** Not every error comes with its code. */
const isPassing = (error: LibraryError): boolean =>
  passing.has(error.code) || /transport failure|connections are down|timed out/i.test(error.message)

const codeOf = (error: unknown): number | null => {
  const code = error instanceof Error && 'code' in error ? Number(error.code) : -1
  return code > 0 ? code : null
}

const fetchConfig = (options: ReaderOptions | ConsumerOptions): Config => ({
  'isolation.level': options.isolation.replace('-', '_'),
  'fetch.min.bytes': Math.max(1, options.fetchMinBytes),
  'fetch.wait.max.ms': Math.min(options.fetchMaxWaitMs, 300_000),
  'max.partition.fetch.bytes': options.maxPartitionFetchBytes,
  // By default it sleeps up to 1 s when its own queue is full, which would be taken for the broker's slowness.
  'fetch.queue.backoff.ms': 2,
})

const open = async (
  library: Library,
  connection: ConnectionOptions,
  config: Config,
): Promise<{ client: LibraryConsumer; rebalances: Rebalance[] }> => {
  const rebalances: Rebalance[] = []
  const [clientConfig, topicConfig] = split(configOf(connection, config))
  clientConfig['rebalance_cb'] = (error: LibraryError, partitions: TopicPartition[]) => {
    rebalances.push({ isAssign: error.code === assignPartitions, partitions })
  }
  const client = new library.KafkaConsumer(clientConfig, topicConfig)
  await connect(client, connection)
  return { client, rebalances }
}

export const createConsumer = async (
  { library, clock }: Surroundings,
  connection: ConnectionOptions,
  options: ConsumerOptions,
  sink: ConsumerSink,
): Promise<Consumer> => {
  const sessionTimeoutMs = options.sessionTimeoutMs
  const named = { ...connection, clientId: options.clientId }
  const { client, rebalances } = await open(library, named, {
    ...fetchConfig(options),
    'group.id': options.groupId,
    'partition.assignment.strategy': strategies[options.assignor] ?? options.assignor,
    'session.timeout.ms': sessionTimeoutMs,
    'heartbeat.interval.ms': Math.min(heartbeatLimitMs, Math.ceil(sessionTimeoutMs / 10)),
    'max.poll.interval.ms': Math.max(300_000, sessionTimeoutMs),
    'auto.offset.reset': 'earliest',
    'enable.auto.commit': options.autoCommit,
    'enable.auto.offset.store': false,
    'auto.commit.interval.ms': autoCommitIntervalMs,
  })
  const place = { topic: options.topic, fixed: null, rebalances }
  return new LibrdkafkaConsumer(client, connection, place, sink, clock)
}

export const createReader = async (
  { library, clock }: Surroundings,
  connection: ConnectionOptions,
  options: ReaderOptions,
  sink: ConsumerSink,
): Promise<Consumer> => {
  const { client, rebalances } = await open(library, connection, {
    ...fetchConfig(options),
    'group.id': 'bench-unused',
    'auto.offset.reset': 'error',
    'enable.auto.commit': false,
    'enable.auto.offset.store': false,
  })
  const fixed = options.partitions.map(({ partition, fromOffset }) => ({
    topic: options.topic,
    partition,
    offset: fromOffset,
  }))
  const place = { topic: options.topic, fixed, rebalances }
  return new LibrdkafkaConsumer(client, connection, place, sink, clock)
}

/**
 * Reads fixed partitions from fixed offsets. kafkajs cannot assign partitions without a group, so this fetches through
 * its cluster, one Fetch per leader at a time: there is no group, no commit and no join to wait for.
 */
import { type Clock, sleep } from '../../clock.ts'
import { DriverError } from '../../errors.ts'
import type { ConnectionOptions, Consumer, ConsumerSink, ReaderOptions } from '../driver.ts'
import { redact } from '../security.ts'
import { cursorOf } from './batch.ts'
import { type ClusterHandle, openCluster, retryOptions } from './connection.ts'
import { describe, isConnectionLoss, kafkaCodeOf, rootOf, toDriverError } from './errors.ts'
import { timeFetches } from './fetch-timer.ts'
import { type FetchAnswer, newBatch } from './internals.ts'
import { numberOf } from './properties.ts'

const isolationLevels = { 'read-uncommitted': 0, 'read-committed': 1 } as const
/** The leader moved, or is not there yet: new metadata may help. */
const leadershipCodes = new Set([5, 6, 74, 75])

class KafkajsReader implements Consumer {
  readonly #handle: ClusterHandle
  readonly #connection: ConnectionOptions
  readonly #options: ReaderOptions
  readonly #sink: ConsumerSink
  readonly #clock: Clock
  /** The next offset to read, by partition. */
  readonly #positions: Map<number, number>
  readonly #closing = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #failures = 0

  constructor(
    handle: ClusterHandle,
    connection: ConnectionOptions,
    options: ReaderOptions,
    sink: ConsumerSink,
    clock: Clock,
  ) {
    this.#handle = handle
    this.#connection = connection
    this.#options = options
    this.#sink = sink
    this.#clock = clock
    this.#positions = new Map(options.partitions.map((p) => [p.partition, p.fromOffset]))
    timeFetches(handle.cluster, handle.consumer, sink, clock)
  }

  start(): Promise<void> {
    this.#running = this.#run()
    return Promise.resolve()
  }

  commit(): Promise<void> {
    return Promise.reject(new DriverError('a reader has no group to commit to'))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#handle.close()
    await this.#running
  }

  /** Fetches until closed; begins again with new metadata when a leader is gone. Never rejects. */
  async #run(): Promise<void> {
    const { retries, initialRetryTime, maxRetryTime } = retryOptions(this.#connection)
    while (!this.#closing.signal.aborted) {
      try {
        await this.#followLeaders()
      } catch (error) {
        if (this.#closing.signal.aborted) return
        const mayRetry = isConnectionLoss(error) || leadershipCodes.has(kafkaCodeOf(error) ?? 0)
        if (!mayRetry || this.#failures++ >= retries) return this.#crash(error)
        const backoffMs = Math.min(initialRetryTime * 2 ** (this.#failures - 1), maxRetryTime)
        await sleep(this.#clock, backoffMs, this.#closing.signal)
        // A failure shows in the next fetch.
        await this.#handle.cluster.refreshMetadata().catch(() => {})
      }
    }
  }

  /** Runs one loop per leader until one fails, then waits for all, so that no partition is ever fetched twice. */
  async #followLeaders(): Promise<void> {
    const { cluster } = this.#handle
    const leaders = cluster.findLeaderForPartitions(this.#options.topic, [
      ...this.#positions.keys(),
    ])
    const round = { isOver: false }
    const loops = Object.entries(leaders).map(async ([nodeId, partitions]) => {
      try {
        while (!round.isOver && !this.#closing.signal.aborted) {
          await this.#fetch(nodeId, partitions)
          this.#failures = 0
        }
      } finally {
        round.isOver = true
      }
    })
    const results = await Promise.allSettled(loops)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #fetch(nodeId: string, partitions: readonly number[]): Promise<void> {
    const { topic, isolation, fetchMinBytes, fetchMaxWaitMs, maxPartitionFetchBytes } =
      this.#options
    const broker = await this.#handle.cluster.findBroker({ nodeId })
    const answer: FetchAnswer = await broker.fetch({
      isolationLevel: isolationLevels[isolation],
      maxWaitTime: fetchMaxWaitMs,
      minBytes: fetchMinBytes,
      maxBytes: numberOf(
        this.#connection.properties,
        'fetch.max.bytes',
        Math.max(10 * 2 ** 20, maxPartitionFetchBytes),
      ),
      topics: [
        {
          topic,
          partitions: partitions.map((partition) => ({
            partition,
            fetchOffset: String(this.#positions.get(partition)),
            maxBytes: maxPartitionFetchBytes,
          })),
        },
      ],
    })
    const receivedAtNs = this.#clock.nowNs()
    for (const data of answer.responses.flatMap((response) => response.partitions)) {
      if (data.messages.length === 0) continue
      const batch = newBatch(topic, this.#positions.get(data.partition) ?? 0, data)
      const cursor = cursorOf(batch, receivedAtNs)
      this.#positions.set(data.partition, cursor.toOffset)
      if (this.#closing.signal.aborted) return
      await this.#sink.onBatch(cursor)
    }
  }

  #crash(error: unknown): void {
    const message = redact(describe(error), this.#connection)
    this.#sink.onCrash({ message, isConnectionLost: isConnectionLoss(error) })
  }
}

export const createReader = async (
  connection: ConnectionOptions,
  options: ReaderOptions,
  sink: ConsumerSink,
  clock: Clock,
): Promise<Consumer> => {
  const { topic, isolation } = options
  try {
    const handle = await openCluster(connection, clock, { topics: [topic], isolation })
    return new KafkajsReader(handle, connection, options, sink, clock)
  } catch (error) {
    if (rootOf(error).name !== 'KafkaJSProtocolError') throw error
    throw toDriverError(`read topic ${topic}`, error, connection)
  }
}

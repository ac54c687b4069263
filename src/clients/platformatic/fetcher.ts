/**
 * Fetches partitions through the library's `Consumer.fetch`, one Fetch per leader at a time. Its message stream is not
 * used: it hands out single messages, joins a group also to read given partitions, and moves on before they are handled.
 */
import { type Clock, sleep } from '../../clock.ts'
import type { ConnectionOptions, ConsumerSink, ReaderOptions } from '../driver.ts'
import { cursorOf } from './batch.ts'
import {
  baseOptions,
  closeWithin,
  commonVersion,
  dropConnections,
  retryOptions,
  type Surroundings,
} from './connection.ts'
import { isConnectionLoss, isTimedOutRequest, kafkaCodeOf } from './errors.ts'
import type { ApiRange, Cluster, FetchAnswer, LibraryConsumer } from './library.ts'
import { numberOf } from './properties.ts'

const isolationLevels = { 'read-uncommitted': 0, 'read-committed': 1 } as const
/** The leader moved, or is not there yet: new metadata may help. */
const leadershipCodes = new Set([5, 6, 74, 75])
const offsetOutOfRange = 1
const earliest = -2n
/** From here on a Fetch names topics by id. */
const firstVersionWithIds = 13

export type FetchOptions = Omit<ReaderOptions, 'partitions'>

export interface FetchPolicy {
  /** Whether reading goes on at the log start when records before the position were deleted. */
  resetsToEarliest: boolean
  onCrash: (error: unknown) => void
}

/** One assignment: what arrives after it is over is not handed out. */
export interface Round {
  /** The next offset to read, by partition: what lies before it was handled. */
  readonly positions: Map<number, number>
  isOver: boolean
}

export class Fetcher {
  readonly #client: LibraryConsumer
  readonly #connection: ConnectionOptions
  readonly #options: FetchOptions
  readonly #sink: ConsumerSink
  readonly #clock: Clock
  readonly #namesTopicsById: boolean
  readonly #policy: FetchPolicy
  readonly #closing = new AbortController()

  constructor(
    { library, clock }: Surroundings,
    connection: ConnectionOptions,
    options: FetchOptions,
    sink: ConsumerSink,
    told: readonly ApiRange[],
    policy: FetchPolicy,
  ) {
    const base = baseOptions(connection)
    this.#client = new library.Consumer({
      ...base,
      // The library tries again at the same broker, also when that is no longer the leader.
      retries: 0,
      requestTimeout: base.requestTimeout + options.fetchMaxWaitMs,
      groupId: 'bench-unused',
    })
    this.#client.topics.track(options.topic)
    this.#client.on('error', () => {})
    this.#connection = connection
    this.#options = options
    this.#sink = sink
    this.#clock = clock
    this.#policy = policy
    this.#namesTopicsById =
      (commonVersion(library, 'Fetch', told) ?? firstVersionWithIds) >= firstVersionWithIds
  }

  /** Log start offsets. */
  async earliestOffsets(partitions: readonly number[]): Promise<Map<number, number>> {
    const { topic } = this.#options
    if (partitions.length === 0) return new Map()
    const told = await this.#client.listOffsets({
      topics: [topic],
      partitions: { [topic]: [...partitions] },
      timestamp: earliest,
    })
    return new Map(partitions.map((one) => [one, Number(told.get(topic)?.[one] ?? 0)]))
  }

  /** Fetches until the round is over; begins again when a leader is gone. Never rejects. */
  async run(round: Round): Promise<void> {
    const { retries, firstMs, longestMs } = retryOptions(this.#connection)
    let failures = 0
    const onAnswer = () => {
      failures = 0
    }
    while (!this.#isOver(round) && round.positions.size > 0) {
      try {
        await this.#followLeaders(round, onAnswer)
      } catch (error) {
        if (this.#isOver(round)) return
        if (this.#policy.resetsToEarliest && (await this.#resetIfOutOfRange(round, error))) continue
        if (!(await this.#mayRetry(error)) || failures++ >= retries) {
          round.isOver = true
          return this.#policy.onCrash(error)
        }
        const backoffMs = Math.min(firstMs * 2 ** (failures - 1), longestMs)
        await sleep(this.#clock, backoffMs, this.#closing.signal)
        this.#client.clearMetadata()
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await closeWithin(this.#clock, this.#client)
  }

  #isOver(round: Round): boolean {
    return round.isOver || this.#closing.signal.aborted
  }

  async #mayRetry(error: unknown): Promise<boolean> {
    const isLate = isTimedOutRequest(error)
    if (isLate) await dropConnections(this.#client)
    return isLate || isConnectionLoss(error) || leadershipCodes.has(kafkaCodeOf(error) ?? 0)
  }

  /** True when records before the position were deleted and reading goes on behind them. */
  async #resetIfOutOfRange(round: Round, error: unknown): Promise<boolean> {
    if (kafkaCodeOf(error) !== offsetOutOfRange) return false
    const starts = await this.earliestOffsets([...round.positions.keys()]).catch(() => new Map())
    let isMoved = false
    for (const [partition, start] of starts) {
      if (start <= (round.positions.get(partition) ?? 0)) continue
      round.positions.set(partition, start)
      isMoved = true
    }
    return isMoved
  }

  /** Runs one loop per leader until one fails, then waits for all, so that no partition is ever fetched twice. */
  async #followLeaders(round: Round, onAnswer: () => void): Promise<void> {
    const cluster = await this.#client.metadata({ topics: [this.#options.topic] })
    const attempt = { isOver: false }
    const loops = [...this.#leadersOf(cluster, round)].map(async ([node, partitions]) => {
      try {
        while (!attempt.isOver && !this.#isOver(round)) {
          await this.#fetch(round, node, partitions, cluster)
          onAnswer()
        }
      } finally {
        attempt.isOver = true
      }
    })
    const results = await Promise.allSettled(loops)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  #leadersOf({ brokers, topics }: Cluster, round: Round): Map<number, number[]> {
    const { topic } = this.#options
    const leaders = new Map<number, number[]>()
    for (const partition of round.positions.keys()) {
      const leader = topics.get(topic)?.partitions[partition]?.leader ?? -1
      if (!brokers.has(leader)) {
        const message = `partition ${partition} of topic ${topic} has no leader`
        throw Object.assign(new Error(message), { apiId: 'LEADER_NOT_AVAILABLE', apiCode: 5 })
      }
      leaders.set(leader, [...(leaders.get(leader) ?? []), partition])
    }
    return leaders
  }

  async #fetch(
    round: Round,
    node: number,
    partitions: readonly number[],
    cluster: Cluster,
  ): Promise<void> {
    const { topic, isolation, fetchMinBytes, fetchMaxWaitMs, maxPartitionFetchBytes } =
      this.#options
    const startedAtNs = this.#clock.nowNs()
    const answer = await this.#client.fetch({
      node,
      isolationLevel: isolationLevels[isolation],
      minBytes: fetchMinBytes,
      maxWaitTime: fetchMaxWaitMs,
      maxBytes: numberOf(
        this.#connection.properties,
        'fetch.max.bytes',
        Math.max(10 * 2 ** 20, maxPartitionFetchBytes),
      ),
      topics: [
        {
          topicId: this.#namesTopicsById ? (cluster.topics.get(topic)?.id ?? topic) : topic,
          partitions: partitions.map((partition) => ({
            partition,
            fetchOffset: BigInt(round.positions.get(partition) ?? 0),
            currentLeaderEpoch: -1,
            lastFetchedEpoch: -1,
            partitionMaxBytes: maxPartitionFetchBytes,
          })),
        },
      ],
    })
    const receivedAtNs = this.#clock.nowNs()
    this.#sink.onFetch(receivedAtNs - startedAtNs, hasRecords(answer))
    for (const data of answer.responses.flatMap((response) => response.partitions)) {
      if (this.#isOver(round)) return
      const position = round.positions.get(data.partitionIndex) ?? 0
      const cursor = cursorOf(data.partitionIndex, position, data.records ?? [], receivedAtNs)
      if (cursor === null) continue
      await this.#sink.onBatch(cursor)
      // What the sink held back until the end was not handled.
      if (!this.#isOver(round)) round.positions.set(data.partitionIndex, cursor.toOffset)
    }
  }
}

const hasRecords = ({ responses }: FetchAnswer): boolean =>
  responses.some(({ partitions }) => partitions.some(({ records }) => (records?.length ?? 0) > 0))

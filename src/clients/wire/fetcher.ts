/**
 * Reads partitions: one Fetch per broker at a time, two while there is a backlog, the next one sent before the records of
 * the last are handed out. A sink that returns a promise is waited for; what arrives meanwhile is kept, and no more is asked for.
 */
import { type Clock, sleep } from '../../clock.ts'
import { errorCode, isRetriable } from '../../protocol/errors.ts'
import type { ConnectionOptions, ConsumerSink } from '../driver.ts'
import type { Cluster } from './cluster.ts'
import { BrokerError, ConnectionError } from './errors.ts'
import { type FetchedPartition, type FetchSettings, sendFetch } from './fetch-request.ts'
import { Fifo } from './fifo.ts'
import { retrySettings } from './properties.ts'
import { type Extent, extentOf, type FetchedRecords, RecordCursor } from './record-cursor.ts'

const noBytes = Buffer.alloc(0)

export interface FetcherOptions {
  readonly settings: FetchSettings
  readonly checksCrc: boolean
  /** Where to go on when the position is not in the log; null: that is a failure. */
  readonly resetOffset: ((partition: number) => Promise<number>) | null
  /** Called once; nothing is handed out any more. */
  readonly onCrash: (error: unknown) => void
}

/** A partition from the time it is given until it is taken away. */
interface Reading {
  readonly partition: number
  /** What the next Fetch asks for. */
  fetchOffset: number
  /** Next offset after what the sink is done with. */
  handledOffset: number
  /** The broker to fetch from; null: not known. */
  nodeId: number | null
  isInFlight: boolean
  /** The last answer brought records and told of more, so that the next comes at once. */
  isBehind: boolean
  isOutOfRange: boolean
  isOver: boolean
  failures: number
}

interface Delivery {
  readonly reading: Reading
  fetched: FetchedRecords
  readonly extent: Extent
  /** Its bytes are not those of the connection, which are used again. */
  isCopied: boolean
}

export class Fetcher {
  readonly #cluster: Cluster
  readonly #connection: ConnectionOptions
  readonly #options: FetcherOptions
  readonly #sink: ConsumerSink
  readonly #clock: Clock
  readonly #readings = new Map<number, Reading>()
  /** By broker, what is asked for by each Fetch that it has to answer. */
  readonly #asked = new Map<number, Set<readonly Reading[]>>()
  readonly #waiting = new Fifo<Delivery>()
  readonly #closing = new AbortController()
  /** What the sink has not finished with. */
  #pending: { reading: Reading; done: Promise<void> } | null = null
  #isHandingOut = false
  #isRepairing = false

  constructor(
    cluster: Cluster,
    connection: ConnectionOptions,
    options: FetcherOptions,
    sink: ConsumerSink,
    clock: Clock,
  ) {
    this.#cluster = cluster
    this.#connection = connection
    this.#options = options
    this.#sink = sink
    this.#clock = clock
  }

  /** The partitions that are read. */
  get partitions(): number[] {
    return [...this.#readings.keys()]
  }

  /** By partition, the next offset after what the sink is done with. */
  positions(): Map<number, number> {
    return new Map(
      Array.from(this.#readings, ([partition, { handledOffset }]) => [partition, handledOffset]),
    )
  }

  /** Begins to read more partitions, each from its offset. */
  add(offsets: ReadonlyMap<number, number>): void {
    if (this.#closing.signal.aborted) return
    const leaders = this.#cluster.leadersOf(this.#options.settings.topic)
    for (const [partition, offset] of offsets) {
      this.#end(partition)
      this.#readings.set(partition, {
        partition,
        fetchOffset: offset,
        handledOffset: offset,
        nodeId: leaderOf(leaders, partition),
        isInFlight: false,
        isBehind: false,
        isOutOfRange: false,
        isOver: false,
        failures: 0,
      })
    }
    this.#pump()
  }

  /**
   * Reads these partitions no more: nothing of them is handed out from now on. Resolves to the next offset of each once
   * the sink is done with what it has of them.
   */
  async remove(partitions: Iterable<number>): Promise<Map<number, number>> {
    const ended = Array.from(partitions, (partition) => this.#end(partition))
    const readings = ended.filter((reading) => reading !== null)
    const pending = this.#pending
    if (pending !== null && readings.includes(pending.reading)) await pending.done
    return new Map(readings.map(({ partition, handledOffset }) => [partition, handledOffset]))
  }

  close(): void {
    this.#closing.abort()
    for (const partition of this.partitions) this.#end(partition)
  }

  #end(partition: number): Reading | null {
    const reading = this.#readings.get(partition)
    if (reading === undefined) return null
    reading.isOver = true
    this.#readings.delete(partition)
    return reading
  }

  // --- fetching --------------------------------------------------------------------------------------------------

  /** Asks each broker for what it leads and has not been asked for. */
  #pump(): void {
    if (this.#pending !== null || this.#closing.signal.aborted) return
    if (this.#stuck().length > 0) this.#repairSoon()
    const byNode = new Map<number, Reading[]>()
    for (const reading of this.#readings.values()) {
      const { nodeId, isInFlight, isOutOfRange } = reading
      if (nodeId === null || isInFlight || isOutOfRange) continue
      const readings = byNode.get(nodeId)
      if (readings === undefined) byNode.set(nodeId, [reading])
      else readings.push(reading)
    }
    for (const [nodeId, readings] of byNode) this.#fetchFrom(nodeId, readings)
  }

  /**
   * A broker answers in the order of the requests, so a Fetch that waits for records holds up the next one. Where all has
   * a backlog none waits, and a second is prepared there while the first is read here.
   */
  #fetchFrom(nodeId: number, readings: readonly Reading[]): void {
    const asked = [...(this.#asked.get(nodeId) ?? [])]
    const isBacklog = [readings, ...asked].flat().every(({ isBehind }) => isBehind)
    if (asked.length === 0 && isBacklog && readings.length > 1) {
      const middle = Math.ceil(readings.length / 2)
      this.#fetch(nodeId, readings.slice(0, middle))
      this.#fetch(nodeId, readings.slice(middle))
    } else if (asked.length === 0 || (asked.length === 1 && isBacklog)) {
      this.#fetch(nodeId, readings)
    }
  }

  #fetch(nodeId: number, readings: readonly Reading[]): void {
    const { settings } = this.#options
    const connection = this.#cluster.liveConnection(nodeId, 'data')
    if (connection === null) return
    const leaders = this.#cluster.leadersOf(settings.topic)
    const sentAtNs = this.#clock.nowNs()
    const positions = readings.map(({ partition, fetchOffset }) => ({
      partition,
      fetchOffset,
      leaderEpoch: leaders.get(partition)?.leaderEpoch ?? -1,
    }))
    const asked = this.#asked.get(nodeId) ?? new Set<readonly Reading[]>()
    const end = (): void => {
      asked.delete(readings)
      for (const reading of readings) reading.isInFlight = false
    }
    this.#asked.set(nodeId, asked.add(readings))
    for (const reading of readings) reading.isInFlight = true
    const listener = {
      onAnswer: (code: number, partitions: readonly FetchedPartition[]): void => {
        end()
        const receivedAtNs = this.#clock.nowNs()
        const hasRecords = partitions.some(({ records }) => (records?.length ?? 0) > 0)
        if (!this.#closing.signal.aborted) this.#sink.onFetch(receivedAtNs - sentAtNs, hasRecords)
        const fetched = new Map(partitions.map((one) => [one.partitionIndex, one]))
        const lost = code === 0 ? errorCode.UNKNOWN_TOPIC_OR_PARTITION : code
        try {
          this.#take(readings, (partition) => fetched.get(partition) ?? lost, receivedAtNs)
        } catch (error) {
          this.#crash(error)
        }
      },
      onLost: (error: ConnectionError): void => {
        end()
        for (const reading of readings) this.#fail(reading, error)
        this.#pump()
      },
    }
    try {
      sendFetch(connection, settings, this.#cluster.topicIdOf(settings.topic), positions, listener)
    } catch (error) {
      end()
      this.#crash(error)
    }
  }

  /** Moves the positions, asks for what comes next, and hands out what has come. */
  #take(
    readings: readonly Reading[],
    of: (partition: number) => FetchedPartition | number,
    receivedAtNs: number,
  ): void {
    for (const reading of readings) {
      if (reading.isOver) continue
      const data = of(reading.partition)
      const code = typeof data === 'number' ? data : data.errorCode
      if (typeof data === 'number' || code !== 0) this.#refuse(reading, code)
      else this.#queue(reading, data, receivedAtNs)
    }
    this.#pump()
    this.#handOut()
    // What is not handed out yet lies in bytes that are about to be used again.
    for (const delivery of this.#waiting) keep(delivery)
  }

  #queue(reading: Reading, data: FetchedPartition, receivedAtNs: number): void {
    reading.failures = 0
    const { preferredReadReplica, abortedTransactions } = data
    if (preferredReadReplica >= 0) reading.nodeId = preferredReadReplica
    const records = data.records ?? noBytes
    reading.isBehind = false
    if (records.length === 0) return
    const fromOffset = reading.fetchOffset
    const extent = extentOf(records, fromOffset)
    const { partition } = reading
    const aborted = (abortedTransactions ?? []).toSorted((a, b) => a.firstOffset - b.firstOffset)
    const fetched = { partition, records, fromOffset, receivedAtNs, aborted }
    reading.fetchOffset = extent.toOffset
    reading.isBehind = data.highWatermark > extent.toOffset
    this.#moveToEnd(reading)
    this.#waiting.push({ reading, fetched, extent, isCopied: false })
  }

  /** A broker that may not tell all at once begins with those that have waited. Source: Kafka, PartitionStates. */
  #moveToEnd(reading: Reading): void {
    this.#readings.delete(reading.partition)
    this.#readings.set(reading.partition, reading)
  }

  // --- handing out -----------------------------------------------------------------------------------------------

  #handOut(): void {
    // The sink may come back here, by removing partitions.
    if (this.#isHandingOut) return
    this.#isHandingOut = true
    try {
      while (this.#pending === null) {
        const next = this.#waiting.shift()
        if (next === undefined) break
        if (!next.reading.isOver) this.#deliver(next)
      }
    } catch (error) {
      this.#crash(error)
    }
    this.#isHandingOut = false
  }

  #deliver({ reading, fetched, extent }: Delivery): void {
    const cursor = new RecordCursor(fetched, extent, this.#options.checksCrc)
    const result = this.#sink.onBatch(cursor)
    if (!(result instanceof Promise)) {
      reading.handledOffset = extent.toOffset
      return
    }
    const goOn = (): void => {
      reading.handledOffset = extent.toOffset
      this.#pending = null
      this.#handOut()
      this.#pump()
    }
    const done = result.then(goOn, (error: unknown) => this.#crash(error))
    this.#pending = { reading, done }
  }

  // --- when something is wrong -----------------------------------------------------------------------------------

  #refuse(reading: Reading, code: number): void {
    reading.isBehind = false
    if (code === errorCode.OFFSET_OUT_OF_RANGE && this.#options.resetOffset !== null) {
      reading.isOutOfRange = true
      return this.#count(reading, new BrokerError(code))
    }
    const error = new BrokerError(code)
    if (isRetriable(code)) this.#fail(reading, error)
    else this.#crash(error)
  }

  /** The next attempt is made with new metadata. */
  #fail(reading: Reading, error: unknown): void {
    reading.nodeId = null
    this.#count(reading, error)
  }

  #count(reading: Reading, error: unknown): void {
    if (reading.isOver) return
    reading.failures += 1
    const isHopeless = error instanceof ConnectionError && error.isHopeless
    if (isHopeless || reading.failures > retrySettings(this.#connection).retries) this.#crash(error)
  }

  #crash(error: unknown): void {
    if (this.#closing.signal.aborted) return
    this.close()
    this.#options.onCrash(error)
  }

  #repairSoon(): void {
    if (this.#isRepairing) return
    this.#isRepairing = true
    void this.#repair()
  }

  /** Finds the leaders again, until every partition has one that is connected. The first attempt is made at once. */
  async #repair(): Promise<void> {
    const { firstMs, longestMs } = retrySettings(this.#connection)
    const { signal } = this.#closing
    for (let stuck = this.#stuck(); stuck.length > 0; stuck = this.#stuck()) {
      const failures = Math.max(...stuck.map((reading) => reading.failures))
      const backoffMs = Math.min(firstMs * 2 ** (failures - 2), longestMs)
      if (failures > 1) await sleep(this.#clock, backoffMs, signal)
      if (signal.aborted) break
      await this.#repairOnce(this.#stuck())
      this.#pump()
    }
    this.#isRepairing = false
  }

  #stuck(): Reading[] {
    const connected = (nodeId: number) => this.#cluster.liveConnection(nodeId, 'data') !== null
    return [...this.#readings.values()].filter(
      ({ isInFlight, isOutOfRange, nodeId }) =>
        !isInFlight && (isOutOfRange || nodeId === null || !connected(nodeId)),
    )
  }

  async #repairOnce(readings: readonly Reading[]): Promise<void> {
    try {
      if (readings.some((one) => one.nodeId === null)) await this.#cluster.refresh()
    } catch (error) {
      for (const reading of readings) this.#fail(reading, error)
      return
    }
    const leaders = this.#cluster.leadersOf(this.#options.settings.topic)
    await Promise.all(
      readings.map(async (reading) => {
        reading.nodeId ??= leaderOf(leaders, reading.partition)
        try {
          if (reading.nodeId === null) throw new BrokerError(errorCode.LEADER_NOT_AVAILABLE)
          await this.#cluster.connectionTo(reading.nodeId, 'data')
          if (reading.isOutOfRange) await this.#reset(reading)
        } catch (error) {
          if (!this.#closing.signal.aborted) this.#fail(reading, error)
        }
      }),
    )
  }

  async #reset(reading: Reading): Promise<void> {
    const offset = await this.#options.resetOffset?.(reading.partition)
    if (offset === undefined || reading.isOver) return
    reading.fetchOffset = offset
    reading.isOutOfRange = false
  }
}

const leaderOf = (
  leaders: ReadonlyMap<number, { leaderId: number }>,
  partition: number,
): number | null => {
  const leaderId = leaders.get(partition)?.leaderId ?? -1
  return leaderId < 0 ? null : leaderId
}

const keep = (delivery: Delivery): void => {
  if (delivery.isCopied) return
  delivery.isCopied = true
  delivery.fetched = { ...delivery.fetched, records: Buffer.from(delivery.fetched.records) }
}

import {
  assignOffset,
  baseOffsetOf,
  hasValidCrc,
  headerBytes,
  lastOffsetDeltaOf,
  maxTimestampOf,
  nextOffsetOf,
  sizeOf,
  wholeBatchSize,
} from '../protocol/record-batch.ts'
import { ProducerState } from './producer-state.ts'
import { SegmentIndex } from './segment-index.ts'
import { type PartitionStore, type Segment, StorageError } from './store/store.ts'

/** The log of one partition: whole record batches by offset, over the segments of a store. Records are never decoded. */

export interface Retention {
  /** -1: no limit. */
  readonly maxBytes: number
  /** Since a segment's last append; -1: no limit. */
  readonly maxAgeMs: number
}

export interface LogOptions {
  /** `topic-partition`, for messages. */
  readonly name: string
  /** Where the log was cut by DeleteRecords before. */
  readonly logStartOffset: number
  /** One line to the broker's log. */
  readonly log: (line: string) => void
}

/** Told how many bytes were appended; Infinity when the log was closed. */
export type LogWatcher = (appendedBytes: number) => void

interface IndexedSegment {
  readonly segment: Segment
  /** Made at first use for segments that were found at opening. */
  index: SegmentIndex | null
}

const walkChunkBytes = 65_536
/** Covers what lies between two index entries. */
const findChunkBytes = 4_096 + headerBytes
const empty = Buffer.alloc(0)

/**
 * Visits each whole batch from `position` on, in bytes that hold at least its header, until `visit` returns true
 * or something is no whole batch. Returns where it stopped.
 */
const walkBatches = (
  segment: Segment,
  position: number,
  visit: (bytes: Buffer, start: number, position: number) => boolean | void,
  chunkBytes = walkChunkBytes,
): number => {
  let at = position
  while (segment.sizeBytes - at >= headerBytes) {
    const chunk = segment.read(at, chunkBytes)
    let start = 0
    while (chunk.length - start >= headerBytes) {
      const size = wholeBatchSize(chunk, start, start + segment.sizeBytes - at)
      if (typeof size !== 'number' || visit(chunk, start, at) === true) return at
      at += size
      start += size
    }
    if (start === 0) break
  }
  return at
}

export class Log {
  readonly name: string
  readonly producers = new ProducerState()
  readonly #store: PartitionStore
  readonly #log: (line: string) => void
  /** Oldest first; the last one is appended to. */
  readonly #segments: IndexedSegment[]
  readonly #watchers = new Set<LogWatcher>()
  #logStartOffset: number
  #logEndOffset = 0

  constructor(store: PartitionStore, options: LogOptions) {
    this.name = options.name
    this.#store = store
    this.#log = options.log
    this.#segments = store.found.map((segment) => ({ segment, index: null }))
    this.#recoverTail()
    const first = this.#segments[0]?.segment.baseOffset ?? options.logStartOffset
    this.#logStartOffset = Math.max(first, options.logStartOffset)
    if (this.#logEndOffset < this.#logStartOffset) {
      for (const { segment } of this.#segments.splice(0)) store.remove(segment)
      this.#logEndOffset = this.#logStartOffset
    }
    store.onRecycled((segment) => this.#forget(segment))
  }

  get logStartOffset(): number {
    return this.#logStartOffset
  }

  /** One past the last record; also the high watermark and, without transactions, the last stable offset. */
  get logEndOffset(): number {
    return this.#logEndOffset
  }

  get sizeBytes(): number {
    let sum = 0
    for (const { segment } of this.#segments) sum += segment.sizeBytes
    return sum
  }

  /**
   * Assigns the next offset and the leader's epoch to one checked batch, in place, and stores it. Returns its base offset.
   * Throws a `StorageError`; nothing was appended then.
   */
  append(batch: Buffer, nowMs: number, leaderEpoch = 0): number {
    const baseOffset = this.#logEndOffset
    assignOffset(batch, baseOffset, leaderEpoch)
    const { segment, index } = this.#activeFor(batch.length, nowMs)
    const position = segment.sizeBytes
    segment.append(batch, nowMs)
    index?.add(baseOffset, position, maxTimestampOf(batch))
    this.#logEndOffset = baseOffset + lastOffsetDeltaOf(batch) + 1
    this.producers.note(batch)
    this.#wake(batch.length)
    return baseOffset
  }

  /**
   * Whole batches from the one that contains `fromOffset` on, at most `maxBytes`, but at least one batch when
   * `isFirst`; empty at the log's end. May be a view of the store. Throws a `StorageError` when the batch is damaged.
   */
  read(fromOffset: number, maxBytes: number, isFirst: boolean): Buffer {
    if (fromOffset >= this.#logEndOffset) return empty
    const indexed = this.#segments.findLast(({ segment }) => segment.baseOffset <= fromOffset)
    if (!indexed) return empty
    const { segment } = indexed
    const begin = walkBatches(
      segment,
      this.#indexOf(indexed).positionBefore(fromOffset),
      (bytes, start) => nextOffsetOf(bytes, start) > fromOffset,
      findChunkBytes,
    )
    if (begin >= segment.sizeBytes) this.#throwDamaged(segment, fromOffset)
    const bytes = segment.read(begin, Math.max(maxBytes, headerBytes))
    const size = wholeBatchSize(bytes, 0, segment.sizeBytes - begin)
    if (typeof size !== 'number') return this.#throwDamaged(segment, fromOffset)
    if (size > maxBytes) return isFirst ? segment.read(begin, size) : empty
    return bytes.subarray(0, endOfWholeBatches(bytes))
  }

  /**
   * The first batch that reaches `fromOffset` and, by its header, has a record of at least `timestampMs`;
   * null when there is none.
   */
  batchAtTimestamp(timestampMs: number, fromOffset: number): Buffer | null {
    for (const indexed of this.#segments) {
      const index = this.#indexOf(indexed)
      if (index.maxTimestamp < timestampMs) continue
      const position = walkBatches(
        indexed.segment,
        index.positionBeforeTimestamp(timestampMs),
        (bytes, start) =>
          maxTimestampOf(bytes, start) >= timestampMs && nextOffsetOf(bytes, start) > fromOffset,
      )
      if (position < indexed.segment.sizeBytes) return copyBatch(indexed.segment, position)
    }
    return null
  }

  /** The first batch that has the log's largest timestamp; null when the log is empty. */
  batchOfMaxTimestamp(): Buffer | null {
    let newest: IndexedSegment | null = null
    let maxTimestamp = -1
    for (const indexed of this.#segments) {
      const index = this.#indexOf(indexed)
      if (index.maxTimestamp > maxTimestamp) {
        newest = indexed
        maxTimestamp = index.maxTimestamp
      }
    }
    if (!newest || this.#logStartOffset === this.#logEndOffset) return null
    return copyBatch(newest.segment, this.#indexOf(newest).maxTimestampPosition)
  }

  /** Moves the log start up to `offset`, at most the log's end, and drops closed segments below it. */
  deleteBefore(offset: number): void {
    this.#logStartOffset = Math.max(this.#logStartOffset, Math.min(offset, this.#logEndOffset))
    while ((this.#segments[1]?.segment.baseOffset ?? Infinity) <= this.#logStartOffset) {
      this.#dropOldest()
    }
  }

  /** Drops the oldest closed segments that are over the limits. */
  enforce(retention: Retention, nowMs: number): void {
    let sizeBytes = this.sizeBytes
    while (this.#segments.length > 1) {
      const { segment } = this.#segments[0] as IndexedSegment
      const isOver = retention.maxBytes >= 0 && sizeBytes - segment.sizeBytes >= retention.maxBytes
      const isOld = retention.maxAgeMs >= 0 && nowMs - segment.modifiedAtMs > retention.maxAgeMs
      if (!isOver && !isOld) return
      sizeBytes -= segment.sizeBytes
      this.#dropOldest()
    }
  }

  /** Calls `watcher` after each append and when the log is closed, until the returned function is called. */
  watch(watcher: LogWatcher): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  close(): void {
    this.#store.close()
    this.#wake(Infinity)
  }

  #wake(appendedBytes: number): void {
    if (this.#watchers.size === 0) return
    for (const watcher of this.#watchers) watcher(appendedBytes)
  }

  #activeFor(sizeBytes: number, nowMs: number): IndexedSegment {
    const active = this.#segments.at(-1)
    if (active && active.segment.sizeBytes + sizeBytes <= active.segment.capacityBytes) {
      return active
    }
    if (active && active.segment.sizeBytes === 0) {
      // An empty segment that is too small must go, as the new one has the same base offset.
      this.#segments.pop()
      this.#store.remove(active.segment)
    }
    const state = this.producers.save()
    if (state !== null) this.#store.writeState(this.#logEndOffset, state)
    const segment = this.#store.create(this.#logEndOffset, sizeBytes, nowMs)
    const created = { segment, index: new SegmentIndex() }
    this.#segments.push(created)
    return created
  }

  #indexOf(indexed: IndexedSegment): SegmentIndex {
    if (indexed.index) return indexed.index
    const index = new SegmentIndex()
    walkBatches(indexed.segment, 0, (bytes, start, position) => {
      index.add(baseOffsetOf(bytes, start), position, maxTimestampOf(bytes, start))
    })
    indexed.index = index
    return index
  }

  #dropOldest(): void {
    const oldest = this.#segments.shift()
    if (!oldest) return
    this.#store.remove(oldest.segment)
    this.#raiseLogStart()
  }

  /** The store has taken a segment away. */
  #forget(segment: Segment): void {
    const i = this.#segments.findIndex((indexed) => indexed.segment === segment)
    if (i < 0) return
    this.#segments.splice(i, 1)
    this.#raiseLogStart()
  }

  #raiseLogStart(): void {
    const first = this.#segments[0]?.segment.baseOffset ?? this.#logEndOffset
    this.#logStartOffset = Math.max(this.#logStartOffset, first)
  }

  /** Cuts what is no whole batch, or has a wrong CRC, off the last segment and learns the end and the producers from it. */
  #recoverTail(): void {
    const last = this.#segments.at(-1)
    if (!last) return
    const { segment } = last
    const positions: number[] = []
    let end = walkBatches(segment, 0, (_bytes, _start, position) => void positions.push(position))
    for (let tail = positions.at(-1); tail !== undefined; tail = positions.at(-1)) {
      const batch = readBatch(segment, tail)
      if (hasValidCrc(batch)) break
      positions.pop()
      end = tail
    }
    if (end < segment.sizeBytes) {
      this.#log(
        `${this.name}: cut ${segment.sizeBytes - end} bytes of an unfinished write off the end`,
      )
      segment.truncate(end)
    }
    this.#logEndOffset = segment.baseOffset
    this.producers.restore(this.#store.readState(segment.baseOffset))
    walkBatches(segment, 0, (bytes, start) => {
      this.#logEndOffset = nextOffsetOf(bytes, start)
      this.producers.note(bytes, start)
    })
  }

  #throwDamaged(segment: Segment, offset: number): never {
    throw new StorageError(
      `${this.name}: the segment from offset ${segment.baseOffset} on is damaged before offset ${offset}`,
    )
  }
}

const readBatch = (segment: Segment, position: number): Buffer =>
  segment.read(position, sizeOf(segment.read(position, headerBytes)))

/** To be kept as long as it takes to decode it. */
const copyBatch = (segment: Segment, position: number): Buffer =>
  Buffer.from(readBatch(segment, position))

const endOfWholeBatches = (bytes: Buffer): number => {
  let end = 0
  for (;;) {
    const size = wholeBatchSize(bytes, end)
    if (typeof size !== 'number') return end
    end += size
  }
}

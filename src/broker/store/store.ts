import type { StoreKind } from '../data-dir.ts'
import type { Journal } from './journal.ts'
import type { Lent } from './lent.ts'

/** What keeps record bytes: segments of partitions, and journals. It knows nothing of offsets but a segment's first one. */

/** Nothing can be written, or what was written cannot be read. Clients get KAFKA_STORAGE_ERROR (56) with this message. */
export class StorageError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'StorageError'
  }
}

/** A run of whole record batches of one partition. */
export interface Segment {
  readonly baseOffset: number
  readonly sizeBytes: number
  /** Batches are appended only while `sizeBytes` stays within it. */
  readonly capacityBytes: number
  /** Wall-clock time of the last append, in ms. */
  readonly modifiedAtMs: number
  /** All of `batch` or nothing, in the store before it returns unless the store holds back. Throws a `StorageError`. */
  append(batch: Uint8Array, nowMs: number): void
  /**
   * May be a view of the store's own memory: not to be written to, nor to be used after the event loop's turn but under a
   * mark of `Store.lent`. Ends early at the segment's end.
   */
  read(position: number, lengthBytes: number): Buffer
  /** Cuts the segment to its first `sizeBytes` bytes. */
  truncate(sizeBytes: number): void
}

export interface PartitionStore {
  /** The segments found at opening, oldest first. */
  readonly found: readonly Segment[]
  /** Makes a segment that holds at least `minBytes`. Throws a `StorageError` when there is no room. */
  create(baseOffset: number, minBytes: number, nowMs: number): Segment
  remove(segment: Segment): void
  /** Small state that belongs to a segment's beginning, for after a restart; null when there is none. */
  readState(baseOffset: number): string | null
  /** Throws a `StorageError`. */
  writeState(baseOffset: number, state: string): void
  /** Told when the store has taken a segment away to make room (`ring`). */
  onRecycled(callback: (segment: Segment) => void): void
  close(): void
}

export interface Store {
  readonly kind: StoreKind
  readonly lent: Lent
  /** Record bytes held, of all partitions. */
  readonly sizeBytes: number
  /** `segmentBytes` is asked whenever a segment is made; without it the store's own default holds. */
  openPartition(topicId: string, index: number, segmentBytes?: () => number): PartitionStore
  /** Removes all segments of a topic; does nothing when there are none. */
  deleteTopic(topicId: string): void
  /** Does a little of what would else have to be done when data come; false when nothing is left to do. */
  prepare(): boolean
  /** From now on appends may wait for `write`, so that they are written together. */
  hold(): void
  /** Writes what waits. Throws a `StorageError`; segments that could not be written refuse to be appended to until they can. */
  write(): void
  journal(name: string): Journal
  close(): void
}

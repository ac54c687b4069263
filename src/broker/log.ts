import type { PartitionStore } from './store/store.ts'

/** The log of one partition: whole record batches by offset, over the segments of a store. */

export interface Retention {
  /** -1: no limit. */
  readonly maxBytes: number
  /** -1: no limit. */
  readonly maxAgeMs: number
}

export class Log {
  constructor(_store: PartitionStore, _options: { readonly logStartOffset: number }) {}

  get logStartOffset(): number {
    throw new Error('not yet')
  }

  /** One past the last record; also the high watermark and, without transactions, the last stable offset. */
  get logEndOffset(): number {
    throw new Error('not yet')
  }
}

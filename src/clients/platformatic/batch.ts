/** The record batches of one partition, as @platformatic/kafka decodes them, seen through the seam's cursor. */
import { type BatchCursor, benchHeaderName } from '../driver.ts'
import { type BatchPlace, ObjectCursor } from '../object-cursor.ts'
import type { RecordsBatch } from './library.ts'

const isControl = 1 << 5

class RecordsCursor extends ObjectCursor {
  readonly #batches: readonly RecordsBatch[]
  #batch = 0
  #index = -1

  constructor(place: BatchPlace, batches: readonly RecordsBatch[], receivedAtNs: number) {
    super(place, receivedAtNs)
    this.#batches = batches
  }

  next(): boolean {
    for (;;) {
      const batch = this.#batches[this.#batch]
      if (batch === undefined) return false
      const record = batch.records[++this.#index]
      if (record === undefined || (batch.attributes & isControl) !== 0) {
        this.#batch += 1
        this.#index = -1
        continue
      }
      const offset = Number(batch.firstOffset) + record.offsetDelta
      // A fetch from the middle of a batch brings the whole batch.
      if (offset < this.fromOffset) continue
      this.show(offset, record.value)
      return true
    }
  }

  benchHeader(): Uint8Array | null {
    const record = this.#batches[this.#batch]?.records[this.#index]
    const header = record?.headers.find(([name]) => name?.toString() === benchHeaderName)
    return header?.[1] ?? null
  }
}

/** Null when the batches end before `fromOffset`. */
export const cursorOf = (
  partition: number,
  fromOffset: number,
  batches: readonly RecordsBatch[],
  receivedAtNs: number,
): BatchCursor | null => {
  const last = batches.at(-1)
  if (last === undefined) return null
  const toOffset = Number(last.firstOffset) + last.lastOffsetDelta + 1
  if (toOffset <= fromOffset) return null
  return new RecordsCursor({ partition, fromOffset, toOffset }, batches, receivedAtNs)
}

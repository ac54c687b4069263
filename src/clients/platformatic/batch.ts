/** The record batches of one partition, as @platformatic/kafka decodes them, seen through the seam's cursor. */
import type { BatchCursor } from '../driver.ts'
import type { RecordsBatch } from './library.ts'

const noBytes = new Uint8Array(0)
const headerName = 'bench'
const isControl = 1 << 5

class RecordsCursor implements BatchCursor {
  readonly partition: number
  readonly fromOffset: number
  readonly toOffset: number
  readonly receivedAtNs: number
  offset = -1
  bytes: Uint8Array = noBytes
  readonly valueStart = 0
  valueLength = -1
  readonly #batches: readonly RecordsBatch[]
  #batch = 0
  #index = -1

  constructor(
    place: { partition: number; fromOffset: number; toOffset: number },
    batches: readonly RecordsBatch[],
    receivedAtNs: number,
  ) {
    this.partition = place.partition
    this.fromOffset = place.fromOffset
    this.toOffset = place.toOffset
    this.#batches = batches
    this.receivedAtNs = receivedAtNs
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
      this.offset = Number(batch.firstOffset) + record.offsetDelta
      // A fetch from the middle of a batch brings the whole batch.
      if (this.offset < this.fromOffset) continue
      this.bytes = record.value ?? noBytes
      this.valueLength = record.value?.length ?? -1
      return true
    }
  }

  benchHeader(): Uint8Array | null {
    const record = this.#batches[this.#batch]?.records[this.#index]
    const header = record?.headers.find(([name]) => name?.toString() === headerName)
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

/** Where the batches of a segment begin, by offset and by timestamp: one entry in 4 KiB, as Kafka's index.interval.bytes. */

const intervalBytes = 4_096

export class SegmentIndex {
  readonly #offsets: number[] = []
  readonly #positions: number[] = []
  /** The largest timestamp of all batches before the entry: never falls. */
  readonly #timestampsBefore: number[] = []
  #indexedBytes = -intervalBytes
  #maxTimestamp = -1
  #maxTimestampPosition = 0

  /** The largest max timestamp of the batches; -1 when there is none. */
  get maxTimestamp(): number {
    return this.#maxTimestamp
  }

  /** Where the first batch with that timestamp begins. */
  get maxTimestampPosition(): number {
    return this.#maxTimestampPosition
  }

  /** Batches are added in the order of their positions. */
  add(baseOffset: number, position: number, maxTimestamp: number): void {
    if (position - this.#indexedBytes >= intervalBytes) {
      this.#offsets.push(baseOffset)
      this.#positions.push(position)
      this.#timestampsBefore.push(this.#maxTimestamp)
      this.#indexedBytes = position
    }
    if (maxTimestamp > this.#maxTimestamp) {
      this.#maxTimestamp = maxTimestamp
      this.#maxTimestampPosition = position
    }
  }

  /** A position at or before the batch that contains `offset`, less than 4 KiB or one batch away. */
  positionBefore(offset: number): number {
    return this.#positions[lastAtMost(this.#offsets, offset)] ?? 0
  }

  /** A position at or before the first batch with a max timestamp of at least `timestampMs`. */
  positionBeforeTimestamp(timestampMs: number): number {
    // Entry i is too late exactly when some batch before it is already young enough.
    return this.#positions[lastAtMost(this.#timestampsBefore, timestampMs - 1)] ?? 0
  }
}

/** The index of the last of the ascending `values` that is at most `limit`; -1 when there is none. */
const lastAtMost = (values: readonly number[], limit: number): number => {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] as number) <= limit) low = middle + 1
    else high = middle
  }
  return low - 1
}

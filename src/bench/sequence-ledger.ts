/** The sequences seen of one run and producer in one partition, and where the holes between them lie in the log. */
import { Ranges } from './ranges.ts'

/** Sequences [from, to) were not seen between the records at offsets `afterOffset` and `beforeOffset`, both seen. */
export interface SequenceHole {
  readonly from: number
  readonly to: number
  readonly afterOffset: number
  readonly beforeOffset: number
}

export class SequenceLedger {
  readonly run: number
  readonly producer: number
  readonly seen = new Ranges()
  /** Sequences found at more than one offset. */
  readonly repeated = new Ranges()
  /** Offsets beyond the first that hold a sequence again. */
  repeats = 0
  #lastSequence = -1
  #lastOffset = -1
  /** Offset of every sequence at which a dense run of sequences began or ended. */
  readonly #offsetAt = new Map<number, number>()

  constructor(run: number, producer: number) {
    this.run = run
    this.producer = producer
  }

  /** Takes a record at an offset not seen before; false when its sequence was seen at another offset. */
  observe(sequence: number, offset: number): boolean {
    if (!this.seen.add(sequence)) {
      this.repeated.add(sequence)
      this.repeats += 1
      return false
    }
    if (sequence !== this.#lastSequence + 1) {
      this.#offsetAt.set(this.#lastSequence, this.#lastOffset)
      this.#offsetAt.set(sequence, offset)
    }
    this.#lastSequence = sequence
    this.#lastOffset = offset
    return true
  }

  /** Takes `count` records that follow the last one without a break, none of them seen before. */
  extend(count: number): void {
    const first = this.#lastSequence + 1
    this.seen.addRange(first, first + count)
    this.#lastSequence += count
    this.#lastOffset += count
  }

  /** What lies before the first and after the last sequence seen is no hole. */
  holes(): SequenceHole[] {
    this.#offsetAt.set(this.#lastSequence, this.#lastOffset)
    const ranges = this.seen.all()
    return ranges.slice(1).map((next, index) => {
      const from = ranges[index]?.to ?? 0
      const ends = [this.#offsetAt.get(from - 1) ?? 0, this.#offsetAt.get(next.from) ?? 0]
      return {
        from,
        to: next.from,
        afterOffset: Math.min(...ends),
        beforeOffset: Math.max(...ends),
      }
    })
  }
}

/** How far an open loop missed its intended times: the pacer's own error, apart from what had to wait for a free slot. */
import { LatencyHistogram } from '../results/histogram.ts'

export class Lateness {
  /** µs from the intended time to when the loop came to the record, of records that had a free slot all the while. */
  readonly us = new LatencyHistogram()
  /** Records that came due while every slot was taken or the load paused after a failure. */
  lateRecords = 0
  #isBlocked = false
  #freeSinceNs = 0

  /** From now on no record can be taken. */
  block(): void {
    this.#isBlocked = true
  }

  /** There is room again, from `atNs` on. */
  free(atNs: number): void {
    if (!this.#isBlocked) return
    this.#isBlocked = false
    this.hold(atNs)
  }

  /** What is due before `untilNs` has to wait for it. */
  hold(untilNs: number): void {
    this.#freeSinceNs = Math.max(this.#freeSinceNs, untilNs)
  }

  /** `count` records that were due at `intendedNs` are taken. */
  add(intendedNs: number, takenNs: number, count: number): void {
    if (intendedNs < this.#freeSinceNs) this.lateRecords += count
    else this.us.recordCount((takenNs - intendedNs) / 1e3, count)
  }
}

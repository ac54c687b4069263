/** When each record of a phase is due. Pure arithmetic: the engine reads the clock and sets the timers. */

export interface Pacer {
  readonly isOpenLoop: boolean
  /** Intended send time of record `n` (from 0), in ns since the phase began; `elapsedNs` is now. */
  intendedNs(n: number, elapsedNs: number): number
  /** How many records of the phase are due by now, sent or not. */
  dueCount(elapsedNs: number): number
}

/** One of several that share a load, by turns: the records of number `index` are index, index + count, … */
export interface Share {
  readonly index: number
  readonly count: number
}

export const wholeShare: Share = { index: 0, count: 1 }

/**
 * Open loop: record `n` is due at n / rate and never waits for acks; its latency counts from there, so a stall shows
 * in every record that was due meanwhile. Each time comes from `n` alone: nothing adds up to a drift.
 * A share has its part of these times, so that all shares together are the whole.
 * Source: G. Tene, "How NOT to Measure Latency" (coordinated omission).
 */
export const createPacer = (rateRecordsPerSec: number, share: Share = wholeShare): Pacer => {
  if (!(rateRecordsPerSec > 0)) throw new RangeError(`rate: not above 0: ${rateRecordsPerSec}`)
  const { index, count: turns } = share
  const intendedNs = (n: number): number => ((n * turns + index) * 1e9) / rateRecordsPerSec
  return {
    isOpenLoop: true,
    intendedNs,
    dueCount(elapsedNs) {
      if (elapsedNs < 0) return 0
      const turn = (elapsedNs * rateRecordsPerSec) / 1e9
      let count = Math.max(0, Math.floor((turn - index) / turns) + 1)
      // The two roundings may differ by one: what is due is what `intendedNs` says.
      while (intendedNs(count) <= elapsedNs) count += 1
      while (count > 0 && intendedNs(count - 1) > elapsedNs) count -= 1
      return count
    },
  }
}

/** Closed loop: every record is due as soon as there is room for it. */
export const unpaced: Pacer = {
  isOpenLoop: false,
  intendedNs: (_n, elapsedNs) => elapsedNs,
  dueCount: () => Number.POSITIVE_INFINITY,
}

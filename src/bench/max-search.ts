/**
 * The search for the highest rate that holds: grow until a rate fails, halve the range in between, then confirm both of its
 * ends. It knows verdicts and nothing of clocks or brokers, and it always ends.
 */

export interface MaxSearchOptions {
  readonly firstRate: number
  /** The end is reached when the lowest failing rate is at most so much above the highest holding one, as a share. */
  readonly precision: number
}

export interface MaxSearchEnd {
  /** The highest rate that held, confirmed; null: none did. */
  readonly sustainedRate: number | null
  /** The lowest rate that failed, confirmed; null: none did. */
  readonly exceededRate: number | null
  /** False when the verdicts contradict each other so often that the search was given up. */
  readonly isConverged: boolean
}

interface Tally {
  held: number
  failed: number
}

const lowestRate = 1
const highestRate = 1e9
const growth = 4
/** At each end of the range, before it counts. */
const neededVerdicts = 2
/** From the lowest rate to the highest it takes half of it, with every end confirmed. */
const mostSteps = 60

/** Three digits, which is finer than any precision asked for and reads well. */
const rounded = (rate: number): number => Number(rate.toPrecision(3))

const verdictOf = ({ held, failed }: Tally): 'held' | 'failed' | 'open' => {
  if (held === failed) return 'open'
  return held > failed ? 'held' : 'failed'
}

export class MaxSearch {
  readonly #options: MaxSearchOptions
  readonly #tallies = new Map<number, Tally>()
  #steps = 0

  constructor(options: MaxSearchOptions) {
    this.#options = options
  }

  /** How often each rate was tried does not matter, only what most of its steps said. */
  add(rate: number, hasHeld: boolean): void {
    const tally = this.#tallies.get(rate) ?? { held: 0, failed: 0 }
    this.#tallies.set(rate, tally)
    if (hasHeld) tally.held += 1
    else tally.failed += 1
    this.#steps += 1
  }

  /** The next rate to try; null when the search is at its end. */
  next(): number | null {
    return this.#steps >= mostSteps ? null : this.#wanted()
  }

  end(): MaxSearchEnd {
    const { low, high } = this.#range()
    return { sustainedRate: low, exceededRate: high, isConverged: this.#wanted() === null }
  }

  /** Whatever failed bounds what held below it. */
  #range(): { low: number | null; high: number | null } {
    const rates = (verdict: string): number[] =>
      [...this.#tallies].filter(([, tally]) => verdictOf(tally) === verdict).map(([rate]) => rate)
    const high = Math.min(...rates('failed'))
    const low = Math.max(...rates('held').filter((rate) => rate < high))
    return { low: Number.isFinite(low) ? low : null, high: Number.isFinite(high) ? high : null }
  }

  #wanted(): number | null {
    if (this.#tallies.size === 0) return rounded(this.#options.firstRate)
    // Two verdicts against each other: a third decides.
    for (const [rate, tally] of this.#tallies) if (verdictOf(tally) === 'open') return rate
    const { low, high } = this.#range()
    if (low === null && high !== null && high > lowestRate) {
      return Math.max(lowestRate, rounded(high / growth))
    }
    if (high === null && low !== null && low < highestRate) {
      return Math.min(highestRate, rounded(low * growth))
    }
    if (low !== null && high !== null && high / low > 1 + this.#options.precision) {
      return rounded(Math.sqrt(low * high))
    }
    return this.#unconfirmed(low, 'held') ?? this.#unconfirmed(high, 'failed')
  }

  #unconfirmed(rate: number | null, verdict: 'held' | 'failed'): number | null {
    if (rate === null) return null
    const tally = this.#tallies.get(rate)
    return tally !== undefined && tally[verdict] < neededVerdicts ? rate : null
  }
}

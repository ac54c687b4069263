/** What the end of a load means: failures in words, the checks on counts, and whether the broker was lost. */
import type { SendFailure } from '../clients/driver.ts'
import type { Check, Warning } from '../results/result.ts'
import type { LoadEnd } from './load.ts'
import type { LoadFigures } from './load-figures.ts'
import { lossOf } from './run-context.ts'

const mostMessages = 5

export interface FailureCounts {
  readonly byText: readonly (readonly [text: string, records: number])[]
  readonly others: number
}

/** Failed sends by what was said about them. */
export class Failures {
  readonly #counts = new Map<string, number>()
  #others = 0

  add(failure: SendFailure, records: number): void {
    this.#count(`${failure.isUnknown ? 'unknown' : 'failed'}: ${failure.message}`, records)
  }

  #count(text: string, records: number): void {
    const known = this.#counts.get(text)
    if (known === undefined && this.#counts.size >= mostMessages) this.#others += records
    else this.#counts.set(text, (known ?? 0) + records)
  }

  /** Failures told elsewhere, as `counts` tells them. */
  merge(counts: FailureCounts): void {
    this.#others += counts.others
    for (const [text, count] of counts.byText) this.#count(text, count)
  }

  counts(): FailureCounts {
    return { byText: [...this.#counts], others: this.#others }
  }

  /** `what` is one of the things that failed: `record`, `request`. */
  warnings(what: string): Warning[] {
    const lines = [...this.#counts].map(([text, count]) => `${count} ${what}s ${text}`)
    if (this.#others > 0) lines.push(`${this.#others} ${what}s failed for other reasons`)
    return lines.map((text) => ({
      code: `${what}s-not-acked`,
      text,
      advice: 'Failed is certainly not in the log; unknown may have landed.',
    }))
  }
}

/** `loads`: the measured one first, then its warm-up if there was one. */
export const loadChecks = (
  loads: readonly LoadFigures[],
  parts: { what: string; messageCount: number | null; isInterrupted: boolean },
): Check[] => {
  const { what, messageCount, isInterrupted } = parts
  const failed = loads.reduce((sum, load) => sum + load.failed + load.unknown, 0)
  const checks: Check[] = [
    { name: `no-failed-${what}s`, ok: failed === 0, expected: 0, actual: failed },
  ]
  if (messageCount !== null && !isInterrupted) {
    const actual = loads[0]?.acked ?? 0
    checks.push({
      name: 'message-count',
      ok: actual === messageCount,
      expected: messageCount,
      actual,
    })
  }
  return checks
}

/** Null: the broker stored what it was sent, or refused it for another reason than its storage. */
export const refusalOfLoad = (load: LoadFigures): string | null =>
  load.storageError && `the broker cannot store records: ${load.storageError}`

/** Null: the broker was there to the end. */
export const lossOfLoad = (load: LoadFigures, end: LoadEnd, lost: AbortSignal): string | null => {
  if (end !== 'lost' && !lost.aborted) return null
  return lossOf(lost) ?? `broker lost: ${load.connectionError ?? 'no connection'}`
}

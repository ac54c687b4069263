/** What one run says of its rate in the search for the highest: whether it held, and whether the run can be believed. */
import type { MaxRateStep } from '../results/max-rate.ts'
import type { Check, RunResult } from '../results/result.ts'
import { latencyOf } from './thresholds.ts'

/** A generator that is so far behind at the end would fall back without limit. */
const unsentLimit = 0.01

export const unsentCondition = `more than ${unsentLimit * 100} % of what was due is unsent`

/** Warnings of a run that failed after all because of something else than the broker. */
const suspects: ReadonlyMap<string, readonly string[]> = new Map([
  ['generator-busy', ['generator busy']],
  ['generator-stalled', ['generator stalled']],
  ['foreign-load', ['other programs']],
  ['steal', ['hypervisor']],
])

const reasonOf = ({ name, expected, actual }: Check): string => {
  if (typeof actual !== 'number') return `${name}: ${actual}`
  const isTime = typeof expected === 'string' && expected.endsWith(' µs')
  return `${name}: ${isTime ? `${(actual / 1e3).toFixed(2)} ms` : Math.round(actual)}`
}

const backlogOf = ({ totals }: RunResult): string | null => {
  const { records, failed, unknown, unsent } = totals
  const share = unsent / Math.max(1, records + failed + unknown + unsent)
  return share > unsentLimit ? `${(share * 100).toFixed(0)} % unsent` : null
}

/** Checks that a rate may fail; every other one is a broker's or a client's fault, at whatever rate. */
const isLimit = ({ name }: Check, conditions: readonly string[]): boolean =>
  conditions.includes(name) || name === 'no-failed-records' || name === 'no-failed-requests'

/** `conditions` are the texts of the thresholds that the run was given. */
export const stepOf = (
  result: RunResult,
  offeredPerSec: number,
  conditions: readonly string[],
): MaxRateStep => {
  const failed = result.checks.filter((check) => !check.ok && isLimit(check, conditions))
  const backlog = backlogOf(result)
  const reasons = [...failed.map(reasonOf), ...(backlog === null ? [] : [backlog])]
  if (reasons.length > 0) {
    for (const { code } of result.warnings) reasons.push(...(suspects.get(code) ?? []))
  }
  const latency = latencyOf(result)
  return {
    runId: result.runId,
    offeredPerSec,
    achievedPerSec: result.totals.recordsPerSec,
    p50Us: latency?.p50 ?? null,
    p99Us: latency?.p99 ?? null,
    unsent: result.totals.unsent,
    hasHeld: reasons.length === 0,
    reasons,
  }
}

/** What else than the broker may have failed every one of these steps that did not hold; empty when one is beyond doubt. */
export const doubtsOf = (steps: readonly MaxRateStep[]): string[] => {
  const words = [...suspects.values()].flat()
  const failed = steps.filter(({ hasHeld }) => !hasHeld)
  const doubts = failed.map(({ reasons }) => words.filter((word) => reasons.includes(word)))
  return doubts.some((one) => one.length === 0) ? [] : [...new Set(doubts.flat())]
}

/** A check that fails at no rate of a sound broker; null when all of them held. */
export const faultOf = (result: RunResult, conditions: readonly string[]): string | null => {
  const fault = result.checks.find((check) => !check.ok && !isLimit(check, conditions))
  return fault === undefined
    ? null
    : `${fault.name}: expected ${fault.expected}, actual ${fault.actual}`
}

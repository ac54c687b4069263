import { smallestPValue } from './rank-test.ts'

/** What so many runs of such noise can find. Normal approximations: a plan, never a verdict. */

/** Found 4 times of 5 at 5 %, two-sided: 1.96 + 0.84; rank tests need 1 / 0.955 times the runs of a t-test. */
const reach = (1.959964 + 0.841621) / Math.sqrt(0.955)
const significance = 0.05

const variance = (values: readonly number[]): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
}

/** Standard deviation of one comparison of two runs, of logarithms; needs two values a side. */
export const noiseOf = (
  baseline: readonly number[],
  candidate: readonly number[],
  isPaired: boolean,
): number =>
  Math.sqrt(
    isPaired
      ? variance(candidate.map((value, index) => value - (baseline[index] as number)))
      : variance(baseline) + variance(candidate),
  )

/** Whether so many runs could give a verdict at all, however large the change. */
const canDecide = (counts: readonly [number, number], isPaired: boolean): boolean =>
  (isPaired ? 2 ** (1 - counts[0]) : smallestPValue(...counts)) < significance

/** The change (0.1 is 10 %) that `counts` runs a side find; null when they cannot decide anything. */
export const smallestDetectable = (
  noise: number,
  counts: readonly [number, number],
  isPaired: boolean,
): number | null =>
  canDecide(counts, isPaired) ? Math.expm1((reach * noise) / Math.sqrt(Math.min(...counts))) : null

/** Runs a side to find a change of `threshold`. */
export const runsNeeded = (noise: number, threshold: number, isPaired: boolean): number => {
  let count = Math.max(2, Math.ceil(((reach * noise) / Math.log1p(threshold)) ** 2))
  while (!canDecide([count, count], isPaired)) count += 1
  return count
}

import { smallestPValue } from './rank-test.ts'
import { varianceOf } from './sample.ts'

/** What so many runs of such noise can find. Approximations: a plan, never a verdict. */

const significance = 0.05
/** Found 4 times of 5. */
const missed = 0.2
/** Rank tests need 1 / 0.955 times the values of a t-test. */
const efficiency = 0.955

export interface Design {
  isPaired: boolean
  /** Figures that decide, over which Holm corrects: one that moved alone must be so much clearer. */
  questions: number
}

/** Upper quantile of the normal distribution. Source: Abramowitz and Stegun 26.2.23. */
const normalQuantile = (tail: number): number => {
  const t = Math.sqrt(-2 * Math.log(tail))
  const above = 2.515517 + t * (0.802853 + t * 0.010328)
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
  return t - above / below
}

/** Upper quantile of Student's t. Source: Abramowitz and Stegun 26.7.5, its first two terms. */
const studentQuantile = (tail: number, freedom: number): number => {
  const z = normalQuantile(tail)
  const first = (z ** 3 + z) / (4 * freedom)
  return z + first + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2)
}

/** Standard deviation of one comparison of two runs, of logarithms; needs two values a side. */
export const noiseOf = (
  baseline: readonly number[],
  candidate: readonly number[],
  isPaired: boolean,
): number =>
  Math.sqrt(
    isPaired
      ? varianceOf(candidate.map((value, index) => value - (baseline[index] as number)))
      : varianceOf(baseline) + varianceOf(candidate),
  )

/** Whether so many runs could give a verdict at all, however large the change. */
const canDecide = (counts: readonly [number, number], { isPaired, questions }: Design): boolean =>
  (isPaired ? 2 ** (1 - counts[0]) : smallestPValue(...counts)) * questions < significance

/** Of logarithms. */
const reachOf = (noise: number, count: number, { isPaired, questions }: Design): number => {
  const freedom = isPaired ? count - 1 : 2 * count - 2
  const quantiles =
    studentQuantile(significance / 2 / questions, freedom) + studentQuantile(missed, freedom)
  return (quantiles * noise) / Math.sqrt(count * efficiency)
}

/** The change (0.1 is 10 %) that `counts` runs a side find; null when they cannot decide anything. */
export const smallestDetectable = (
  noise: number,
  counts: readonly [number, number],
  design: Design,
): number | null =>
  canDecide(counts, design) ? Math.expm1(reachOf(noise, Math.min(...counts), design)) : null

/** Runs a side to find a change of `threshold`. */
export const runsNeeded = (noise: number, threshold: number, design: Design): number => {
  const limit = Math.log1p(threshold)
  const isEnough = (count: number): boolean =>
    canDecide([count, count], design) && reachOf(noise, count, design) <= limit
  // As if the noise were known: never too many.
  const atLeast = (normalQuantile(significance / 2 / design.questions) * noise) / limit
  let count = Math.max(2, Math.floor(atLeast ** 2))
  while (!isEnough(count)) count += 1
  return count
}

import { meanOf, varianceOf } from './sample.ts'

/** Student's test: for a look at a line of runs, where exact ranks need more runs than most lines have. */

/** Two-sided. Source: Abramowitz and Stegun 26.7.3 and 26.7.4, exact for whole degrees of freedom. */
export const studentPValue = (t: number, freedom: number): number => {
  const angle = Math.atan(Math.abs(t) / Math.sqrt(freedom))
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)]
  const isOdd = freedom % 2 === 1
  let term = isOdd ? cosine : 1
  let sum = freedom === 1 ? 0 : term
  for (let at = isOdd ? 2 : 1; at < freedom - 2; at += 2) {
    term *= (at / (at + 1)) * cosine ** 2
    sum += term
  }
  const inside = isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum
  return Math.max(0, 1 - inside)
}

/** Of independent values of the same spread: t, and its two-sided p-value; NaN where nothing varies or differs. */
export const compareMeans = (
  before: readonly number[],
  after: readonly number[],
): { t: number; pValue: number } => {
  const freedom = before.length + after.length - 2
  const squares = varianceOf(before) * (before.length - 1) + varianceOf(after) * (after.length - 1)
  const error = Math.sqrt((squares / freedom) * (1 / before.length + 1 / after.length))
  const t = (meanOf(after) - meanOf(before)) / error
  return { t, pValue: studentPValue(t, freedom) }
}

import { choiceSums, doubledMidranks, lowerCritical, subsetSums, twoSidedPValue } from './ranks.ts'
import { medianOfSorted } from './sample.ts'

/**
 * Whether two sides differ, and by how much, without assuming any shape of their noise. Values are compared as they
 * are given: give logarithms to get ratios.
 */

export interface RankTest {
  /** Exact and two-sided. */
  pValue: number
  /** Hodges–Lehmann: the candidate less the baseline. */
  shift: number
  /** 95 % interval of the shift; null when so few samples cannot have one. */
  interval: { low: number; high: number } | null
}

const errorRate = 0.05

/** The estimates left when as many are cut from either end as chance alone explains. */
const cut = (sorted: Float64Array, critical: number): RankTest['interval'] =>
  critical < 1
    ? null
    : { low: sorted[critical - 1] as number, high: sorted[sorted.length - critical] as number }

/**
 * Independent runs a side. Throws a RangeError when a side is empty.
 * Source: Mann and Whitney 1947, exact by permutation also with ties; Hodges and Lehmann 1963.
 */
export const compareIndependent = (
  baseline: readonly number[],
  candidate: readonly number[],
): RankTest => {
  if (baseline.length === 0 || candidate.length === 0) throw new RangeError('a side without values')
  const ranks = doubledMidranks([...candidate, ...baseline])
  const rankSum = ranks.slice(0, candidate.length).reduce((sum, rank) => sum + rank, 0)
  const differences = new Float64Array(baseline.length * candidate.length)
  let at = 0
  for (const to of candidate) {
    for (const from of baseline) {
      differences[at] = to - from
      at += 1
    }
  }
  differences.sort()
  // The interval is cut by the distribution without ties, as is usual: U counts pairs.
  const untied = Array.from({ length: ranks.length }, (_, index) => index + 1)
  const smallest = (candidate.length * (candidate.length + 1)) / 2
  const critical = lowerCritical(choiceSums(untied, candidate.length), errorRate / 2) - smallest
  return {
    pValue: twoSidedPValue(choiceSums(ranks, candidate.length), rankSum),
    shift: medianOfSorted(differences),
    interval: cut(differences, critical),
  }
}

/**
 * Runs in pairs, each pair made side by side. Throws a RangeError when there is none or the sides differ in length.
 * Source: Wilcoxon 1945, exact also with ties, pairs without a difference left out of the test; Walsh averages.
 */
export const comparePaired = (
  baseline: readonly number[],
  candidate: readonly number[],
): RankTest => {
  if (baseline.length === 0 || baseline.length !== candidate.length) {
    throw new RangeError(`pairs of ${baseline.length} and ${candidate.length} values`)
  }
  const differences = candidate.map((to, index) => to - (baseline[index] as number))
  const moved = differences.filter((difference) => difference !== 0)
  const ranks = doubledMidranks(moved.map(Math.abs))
  const positiveSum = ranks.reduce(
    (sum, rank, index) => ((moved[index] as number) > 0 ? sum + rank : sum),
    0,
  )
  const averages = new Float64Array((differences.length * (differences.length + 1)) / 2)
  let at = 0
  for (const [index, first] of differences.entries()) {
    for (const second of differences.slice(index)) {
      averages[at] = (first + second) / 2
      at += 1
    }
  }
  averages.sort()
  const untied = differences.map((_, index) => index + 1)
  return {
    pValue: moved.length === 0 ? 1 : twoSidedPValue(subsetSums(ranks), positiveSum),
    shift: medianOfSorted(averages),
    interval: cut(averages, lowerCritical(subsetSums(untied), errorRate / 2)),
  }
}

/**
 * The smallest p-value that so many runs can give at all: with 3 a side nothing is ever significant.
 */
export const smallestPValue = (baselineCount: number, candidateCount: number): number => {
  let choices = 1
  for (let index = 1; index <= candidateCount; index += 1) {
    choices *= (baselineCount + index) / index
  }
  return Math.min(1, 2 / choices)
}

/** p-values as they must be read when several questions are asked at once, in the given order. Source: Holm 1979. */
export const adjustByHolm = (pValues: readonly number[]): number[] => {
  const order = pValues.map((_, index) => index)
  order.sort((a, b) => (pValues[a] as number) - (pValues[b] as number))
  const adjusted = Array.from(pValues, () => 0)
  let highest = 0
  for (const [place, index] of order.entries()) {
    highest = Math.max(highest, Math.min(1, (pValues.length - place) * (pValues[index] as number)))
    adjusted[index] = highest
  }
  return adjusted
}

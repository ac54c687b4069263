/** Ranks of samples, and how often each rank sum occurs when only chance decides: the ground of both exact tests. */

/**
 * Twice the midrank of each value, so that ties stay whole numbers: 1, 2, 2, 3 gives 2, 5, 5, 8.
 */
export const doubledMidranks = (values: readonly number[]): number[] => {
  const order = values.map((_, index) => index)
  order.sort((a, b) => (values[a] as number) - (values[b] as number))
  const ranks = Array.from(values, () => 0)
  let start = 0
  while (start < order.length) {
    let end = start
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) {
      end += 1
    }
    for (let at = start; at < end; at += 1) ranks[order[at] as number] = start + 1 + end
    start = end
  }
  return ranks
}

/** The distribution of a whole-numbered sum: `weights[s]` of `total` equally likely cases have the sum `s`. */
export interface SumDistribution {
  weights: Float64Array
  total: number
}

const sumOf = (numbers: readonly number[]): number =>
  numbers.reduce((sum, number) => sum + number, 0)

/** Sums of every choice of `count` of these ranks: the rank sum of one side when the labels mean nothing. */
export const choiceSums = (ranks: readonly number[], count: number): SumDistribution => {
  const width = sumOf(ranks) + 1
  const byCount = Array.from({ length: count + 1 }, () => new Float64Array(width))
  ;(byCount[0] as Float64Array)[0] = 1
  for (const rank of ranks) {
    for (let chosen = count; chosen >= 1; chosen -= 1) {
      const into = byCount[chosen] as Float64Array
      const from = byCount[chosen - 1] as Float64Array
      for (let sum = width - 1; sum >= rank; sum -= 1) {
        into[sum] = (into[sum] as number) + (from[sum - rank] as number)
      }
    }
  }
  const weights = byCount[count] as Float64Array
  return { weights, total: weights.reduce((sum, weight) => sum + weight, 0) }
}

/** Sums of every subset of these ranks: the sum of the positive ones when each sign is a coin's. */
export const subsetSums = (ranks: readonly number[]): SumDistribution => {
  const weights = new Float64Array(sumOf(ranks) + 1)
  weights[0] = 1
  for (const rank of ranks) {
    for (let sum = weights.length - 1; sum >= rank; sum -= 1) {
      weights[sum] = (weights[sum] as number) + (weights[sum - rank] as number)
    }
  }
  return { weights, total: 2 ** ranks.length }
}

/** How likely a sum is at least as far from the mean as `sum` is; both distributions lie symmetric about theirs. */
export const twoSidedPValue = ({ weights, total }: SumDistribution, sum: number): number => {
  let mean = 0
  for (let at = 0; at < weights.length; at += 1) mean += at * ((weights[at] as number) / total)
  // Sums are whole and means are multiples of a half at worst rounded: this margin separates them.
  const distance = Math.abs(sum - mean) - 1e-6
  let extreme = 0
  for (let at = 0; at < weights.length; at += 1) {
    if (Math.abs(at - mean) >= distance) extreme += weights[at] as number
  }
  return Math.min(1, extreme / total)
}

/** Largest `k` whose probability P(sum < k) stays within `probability`; 0 when even the smallest sum is likelier. */
export const lowerCritical = ({ weights, total }: SumDistribution, probability: number): number => {
  let below = 0
  for (let at = 0; at < weights.length; at += 1) {
    below += weights[at] as number
    if (below / total > probability) return at
  }
  return weights.length
}

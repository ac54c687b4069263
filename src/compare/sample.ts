/** What is usual among a few values, and how far they lie apart. */

/** NaN of nothing. */
export const medianOfSorted = (sorted: ArrayLike<number>): number => {
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** NaN of nothing. */
export const medianOf = (values: readonly number[]): number =>
  medianOfSorted(values.toSorted((a, b) => a - b))

/** NaN of nothing. */
export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** Of the population that they are a sample of; 0 of fewer than two, which do not vary. */
export const varianceOf = (values: readonly number[]): number => {
  const mean = meanOf(values)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return values.length < 2 ? 0 : squares / (values.length - 1)
}

/** Standard deviation / mean: 0.05 is 5 %. */
export const relativeDeviationOf = (values: readonly number[]): number =>
  Math.sqrt(varianceOf(values)) / meanOf(values)

/** What is made of several measured values. */

/** NaN of none. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Of two series with a value per round, the median of the ratios of the rounds that both have; NaN of none. */
export const medianRatio = (
  above: readonly (number | null)[],
  below: readonly (number | null)[],
): number =>
  median(
    above.flatMap((value, round) => {
      const other = below[round] ?? null
      return value === null || other === null ? [] : value / other
    }),
  )

/** `median (min–max)`. */
export const spread = (values: readonly number[], digits = 0): string => {
  if (values.every((value) => Number.isNaN(value))) return '–'
  const format = (value: number): string => value.toFixed(digits)
  return `${format(median(values))} (${format(Math.min(...values))}–${format(Math.max(...values))})`
}

export interface Point {
  readonly x: number
  readonly y: number
}

/** The median of the slopes between all pairs (Theil–Sen), which a few outliers do not move; NaN of less than two points. */
export const slopeOf = (points: readonly Point[]): number => {
  const slopes = points.flatMap((from, index) =>
    points
      .slice(index + 1)
      .flatMap((to) => (to.x === from.x ? [] : (to.y - from.y) / (to.x - from.x))),
  )
  return median(slopes)
}

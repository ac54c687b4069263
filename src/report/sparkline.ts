/** A line of figures in one row of text. */

const bars = '▁▂▃▄▅▆▇█'

/** One bar for each value between the least and the most; a flat line is drawn in the middle. The last `width` values. */
export const sparkline = (values: readonly number[], width = Number.POSITIVE_INFINITY): string => {
  const shown = width >= values.length ? values : values.slice(values.length - width)
  const low = Math.min(...shown)
  const range = Math.max(...shown) - low
  return shown
    .map((value) => {
      const height = range > 0 ? Math.round(((value - low) / range) * (bars.length - 1)) : 3
      return bars.charAt(height)
    })
    .join('')
}

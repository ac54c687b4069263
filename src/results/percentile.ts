/** When there are samples enough to speak of a percentile. */

/** One sample in so many lies beyond it. */
const oneIn = { p50: 2, p90: 10, p95: 20, p99: 100, p999: 1_000 } as const

export type Percentile = keyof typeof oneIn

const samplesBeyond = 10

/** Ten samples must lie beyond it: 1,000 in all for p99. Fewer, and it is the luck of one of them. */
export const isCovered = (count: number, percentile: Percentile): boolean =>
  count >= samplesBeyond * oneIn[percentile]

/** The highest share, 0 to 1, that `count` samples can speak of. */
export const highestShare = (count: number): number => Math.max(0, 1 - samplesBeyond / count)

/** From values to places on an axis, 0 to 1, and the round values to write beside it. */

export interface Scale {
  /** Values outside are moved to the end. */
  at(value: number): number
  ticks: readonly number[]
}

const clamp = (share: number): number => Math.min(1, Math.max(0, share))

/** 1, 2 or 5 times a power of ten. */
const roundStep = (least: number): number => {
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10) * power
}

/** From 0, or from the lowest value where that is below, to a little above the highest. */
export const linearScale = (low: number, high: number, tickCount = 4): Scale => {
  const range = high > low ? high - low : Math.abs(high) || 1
  const step = roundStep(range / tickCount)
  const from = Math.floor(low / step + 1e-9) * step
  const to = Math.max(from + step, Math.ceil(high / step - 1e-9) * step)
  const count = Math.round((to - from) / step)
  const ticks = Array.from({ length: count + 1 }, (_, index) => from + index * step)
  return {
    at: (value) => clamp((value - from) / (to - from)),
    // Sums of decimal steps are off in the last digit.
    ticks: ticks.map((tick) => Number(tick.toPrecision(12))),
  }
}

/** By powers of ten, with 2 and 5 in between where there are few. Both ends must be above 0. */
export const logScale = (low: number, high: number): Scale => {
  const wanted = high / low > 300 ? [1] : high / low > 30 ? [1, 3] : [1, 2, 5]
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of wanted) ticks.push(Number((factor * 10 ** power).toPrecision(3)))
  }
  const from = ticks.findLast((tick) => tick <= low) ?? low
  const to = ticks.find((tick) => tick >= high && tick > from) ?? high
  const range = Math.log(to) - Math.log(from)
  return {
    at: (value) => (value <= from ? 0 : clamp((Math.log(value) - Math.log(from)) / range)),
    ticks: ticks.filter((tick) => tick >= from && tick <= to),
  }
}

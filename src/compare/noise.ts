import type { RunResult } from '../results/result.ts'

/** Signs that a figure says more about the machine than about the two sides. */

const variationLimit = 0.15
const foreignCoresLimit = 0.2
const stealLimit = 0.02
const utilizationLimit = 0.9
const loopDelayLimitMs = 20

const variationOf = (values: readonly number[]): number => {
  if (values.length < 2) return 0
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1)) / mean
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`

/** One flag for each sign, such as `values vary by 23 %`; empty when the figures are calm. */
export const noiseFlags = (
  runs: readonly RunResult[],
  sides: readonly (readonly number[])[],
): string[] => {
  const resources = runs.flatMap((run) => run.resources ?? [])
  const worst = (of: (one: (typeof resources)[number]) => number | null): number =>
    Math.max(0, ...resources.map((one) => of(one) ?? 0))
  const variation = Math.max(...sides.map(variationOf))
  const foreignCores = worst(({ machine }) => machine.foreignCores)
  const steal = worst(({ machine }) => machine.steal)
  const utilization = worst(({ generator }) => generator.eventLoopUtilization)
  const delayMs = worst(({ generator }) => generator.eventLoopDelayP99Ms)
  const signs: [boolean, string][] = [
    [variation > variationLimit, `values vary by ${percent(variation)}`],
    [foreignCores > foreignCoresLimit, `other programs used ${foreignCores.toFixed(1)} cores`],
    [steal > stealLimit, `the hypervisor took ${percent(steal)}`],
    [utilization > utilizationLimit, `the generator was ${percent(utilization)} busy`],
    [delayMs > loopDelayLimitMs, `the generator stalled for ${delayMs.toFixed(0)} ms`],
  ]
  return signs.flatMap(([isSeen, text]) => (isSeen ? [text] : []))
}

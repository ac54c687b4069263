import { busyLimit, foreignCoresLimit, percentOf, stealLimit } from '../results/machine-limits.ts'
import type { RunResult } from '../results/result.ts'
import { relativeDeviationOf } from './sample.ts'

/** Signs that a figure says more about the machine than about the two sides. */

const variationLimit = 0.15
const loopDelayLimitMs = 20

/** Signs of the runs, such as `other programs used 0.4 cores`; empty when they were calm. */
export const runFlags = (runs: readonly RunResult[]): string[] => {
  const resources = runs.flatMap((run) => run.resources ?? [])
  const worst = (of: (one: (typeof resources)[number]) => number | null): number =>
    Math.max(0, ...resources.map((one) => of(one) ?? 0))
  const foreignCores = worst(({ machine }) => machine.foreignCores)
  const steal = worst(({ machine }) => machine.steal)
  const utilization = worst(({ generator }) => generator.eventLoopUtilization)
  const delayMs = worst(({ generator }) => generator.eventLoopDelayP99Ms)
  const signs: [boolean, string][] = [
    [
      foreignCores > foreignCoresLimit,
      `other programs used up to ${foreignCores.toFixed(1)} cores`,
    ],
    [steal > stealLimit, `the hypervisor took up to ${percentOf(steal)}`],
    [utilization > busyLimit, `the generator was up to ${percentOf(utilization)} busy`],
    [delayMs > loopDelayLimitMs, `the generator stalled for ${delayMs.toFixed(0)} ms and more`],
  ]
  return signs.flatMap(([isSeen, text]) => (isSeen ? [text] : []))
}

/** Signs of one figure, such as `values vary by 23 %`. */
export const valueFlags = (sides: readonly (readonly number[])[]): string[] => {
  const variation = Math.max(...sides.map(relativeDeviationOf))
  return variation > variationLimit ? [`values vary by ${percentOf(variation)}`] : []
}

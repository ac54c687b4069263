import type { MaxRate, MaxRateStep } from '../results/max-rate.ts'
import { drawBox, innerWidth, line } from './box.ts'
import { formatCount, formatMilliseconds, formatRate } from './format.ts'
import { drawTable, type Row } from './table.ts'

/** What `--find-max` found: the steps by their rate, and the sentence they lead to. */

export const headings = ['offered', 'achieved', 'p50 ms', 'p99 ms', 'unsent', 'verdict'] as const

const columns = headings.map((heading, index) => ({
  heading,
  align: index === 0 || heading === 'verdict' ? ('left' as const) : ('right' as const),
}))

const milliseconds = (us: number | null): string => (us === null ? 'n/a' : formatMilliseconds(us))

/** Under `headings`. */
export const cellsOf = (step: MaxRateStep): string[] => [
  formatRate(step.offeredPerSec),
  formatRate(step.achievedPerSec),
  milliseconds(step.p50Us),
  milliseconds(step.p99Us),
  formatCount(step.unsent),
  step.hasHeld ? 'held' : step.reasons.join(', '),
]

const rowOf = (step: MaxRateStep): Row => ({
  cells: cellsOf(step),
  style: step.hasHeld ? null : 'yellow',
})

export const byRate = (steps: readonly MaxRateStep[]): MaxRateStep[] =>
  steps.toSorted((a, b) => a.offeredPerSec - b.offeredPerSec)

/** What the search came to. */
export const sentenceOf = ({ sustainedPerSec, exceededPerSec, isConverged }: MaxRate): string => {
  if (sustainedPerSec === null) return 'No rate held.'
  const rate = `${formatRate(sustainedPerSec)} msg/s`
  if (!isConverged) return `At least ${rate} held; the search came to no end.`
  if (exceededPerSec === null) return `${rate} held, the highest rate there is.`
  return `Highest rate that held: ${rate}; ${formatRate(exceededPerSec)} msg/s did not.`
}

/** Ends in a line feed. */
export const formatMaxRate = (
  found: MaxRate,
  options: { width?: number; color?: boolean } = {},
): string => {
  const width = Math.max(40, Math.min(options.width ?? 100, 120))
  const hasFound = found.sustainedPerSec !== null && found.isConverged
  return drawBox(
    [
      [line(`Series ${found.seriesId}: ${found.steps.length} steps by offered rate`, 'bold')],
      drawTable(columns, byRate(found.steps).map(rowOf), innerWidth(width)),
      [
        line(sentenceOf(found), hasFound ? 'green' : 'red'),
        ...found.conditions.map((condition) => line(`  fails when ${condition}`)),
        ...(found.problem === null ? [] : [line(found.problem, 'red')]),
      ],
    ],
    width,
    options.color ?? false,
  )
}

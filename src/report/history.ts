import type { HistoryLine, Trend } from '../compare/history.ts'
import type { RunResult } from '../results/result.ts'
import { drawBox, innerWidth, type Line, line } from './box.ts'
import { formatChange, formatHundredths, formatRate, formatRuns } from './format.ts'
import { sparkline } from './sparkline.ts'
import { drawTable } from './table.ts'

/** The boxed report of `bench history`: a section for each kind of work, its lines over time, its last runs. */

const sparkWidth = 30

const format = ({ metric }: Trend, value: number): string =>
  metric.unit === 's per million' ? formatHundredths(value) : formatRate(value)

const trendLines = ({ runs, trends }: HistoryLine, width: number): Line[] => {
  const rows = trends.map((trend) => {
    const { metric, values, change } = trend
    const step =
      change === null
        ? ''
        : `${formatChange(change.ratio)} from run ${change.at + 1} of ${values.length}`
    return {
      cells: [
        `${metric.name} (${metric.unit})`,
        sparkline(values, sparkWidth),
        format(trend, values.at(-1) ?? 0),
        step,
      ],
      style: change === null ? null : ('yellow' as const),
    }
  })
  const note = runs.length < 10 ? [line('Steps are looked for from ten runs on.')] : []
  const columns = ['Figure', 'over time', 'last', 'step'].map((heading) => ({
    heading,
    align: heading === 'last' ? ('right' as const) : ('left' as const),
  }))
  return [...drawTable(columns, rows, width), ...note]
}

const lastRuns = (runs: readonly RunResult[], width: number): Line[] =>
  drawTable(
    ['started', 'label', 'bench', 'broker', 'msg/s'].map((heading) => ({
      heading,
      align: heading === 'msg/s' ? ('right' as const) : ('left' as const),
    })),
    runs.map((run) => ({
      cells: [
        run.startedAt.slice(0, 19).replace('T', ' '),
        run.label ?? '-',
        run.environment.benchVersion,
        run.environment.broker,
        formatRate(run.totals.recordsPerSec),
      ],
      style: run.checks.every(({ ok }) => ok) ? null : ('red' as const),
    })),
    width,
  )

/** Ends in a line feed. */
export const formatHistory = (
  lines: readonly HistoryLine[],
  options: { last: number; width?: number; color?: boolean },
): string => {
  const width = Math.max(40, Math.min(options.width ?? 100, 120))
  const inner = innerWidth(width)
  const sections = lines.flatMap((history) => [
    [
      line(`${history.title}: ${formatRuns(history.runs.length)}`, 'bold'),
      line(history.environment),
    ],
    trendLines(history, inner),
    ...(options.last === 0 ? [] : [lastRuns(history.runs.slice(-options.last), inner)]),
  ])
  return drawBox(sections, width, options.color ?? false)
}

import type { Comparison, MetricComparison, MetricVerdict, Verdict } from '../compare/comparison.ts'
import { drawBox, innerWidth, type Line, line, type Style } from './box.ts'
import {
  comparisonNotes,
  figureColumns,
  metricCells,
  metricHeadings,
  ruleOf,
  sideText,
  verdictTitles,
} from './comparison-rows.ts'
import { createRows } from './rows.ts'
import { drawTable } from './table.ts'

/** The boxed report of `bench compare`. */

const styles: Record<Verdict, Style | null> = {
  regression: 'red',
  invalid: 'red',
  'not comparable': 'red',
  inconclusive: 'yellow',
  'no verdict': null,
  improvement: 'green',
  equivalent: 'green',
}

const styleOf = (verdict: MetricVerdict): Style | null => styles[verdict]

const drawMetrics = (
  metrics: readonly MetricComparison[],
  columns: number,
  width: number,
): Line[] =>
  metrics.length === 0
    ? []
    : drawTable(
        metricHeadings
          .slice(0, columns)
          .map((heading, index) => ({ heading, align: index === 0 ? 'left' : 'right' })),
        metrics.map((metric) => ({
          cells: metricCells(metric).slice(0, columns),
          style: styleOf(metric.verdict),
        })),
        width,
      )

const titled = (title: string, lines: readonly Line[]): Line[] =>
  lines.length === 0 ? [] : [line(title, 'bold'), ...lines]

const defaultWidth = 100

/** Ends in a line feed. */
export const formatComparison = (
  comparison: Comparison,
  options: { width?: number; color?: boolean } = {},
): string => {
  const width = Math.max(30, Math.min(options.width ?? defaultWidth, 120))
  const inner = innerWidth(width)
  const rows = createRows(inner)
  const { baseline, candidate, metrics, verdict, reason } = comparison
  const sections = [
    [line(`${verdictTitles[verdict]}: ${reason}`, styles[verdict] ?? 'bold')],
    [...rows.text('Baseline', sideText(baseline)), ...rows.text('Candidate', sideText(candidate))],
    titled(
      'FIGURES THAT DECIDE',
      drawMetrics(
        metrics.filter(({ isPrimary }) => isPrimary),
        metricHeadings.length,
        inner,
      ),
    ),
    titled(
      'OTHER FIGURES',
      drawMetrics(
        metrics.filter(({ isPrimary }) => !isPrimary),
        figureColumns,
        inner,
      ),
    ),
    titled(
      'NOTES',
      comparisonNotes(comparison).map((note) => line(`- ${note}`)),
    ),
    [line(ruleOf(comparison))],
  ]
  return drawBox(
    sections.filter((lines) => lines.length > 0),
    width,
    options.color ?? false,
  )
}

import type { Comparison, MetricComparison } from '../compare/comparison.ts'
import {
  comparisonNotes,
  figureColumns,
  metricCells,
  metricHeadings,
  ruleOf,
  sideText,
  verdictTitles,
} from './comparison-rows.ts'
import type { TestCase } from './junit.ts'
import { escaped, section, table } from './markdown-table.ts'

/** A comparison as Markdown, for an issue or a job summary, and as JUnit's test cases. */

const metricTable = (metrics: readonly MetricComparison[], columns: number): string =>
  metrics.length === 0
    ? ''
    : table(
        metricHeadings.slice(0, columns),
        metrics.map((metric) => metricCells(metric).slice(0, columns)),
      )

/** Ends in a line feed. */
export const formatComparisonMarkdown = (comparison: Comparison): string => {
  const { baseline, candidate, metrics, verdict, reason } = comparison
  return [
    `## ${verdictTitles[verdict]}: ${escaped(reason)}\n\n`,
    `- Baseline: ${escaped(sideText(baseline))}\n- Candidate: ${escaped(sideText(candidate))}\n`,
    section(
      'Figures that decide',
      metricTable(
        metrics.filter(({ isPrimary }) => isPrimary),
        metricHeadings.length,
      ),
    ),
    section(
      'Other figures',
      metricTable(
        metrics.filter(({ isPrimary }) => !isPrimary),
        figureColumns,
      ),
    ),
    section(
      'Notes',
      comparisonNotes(comparison)
        .map((note) => `- ${escaped(note)}\n`)
        .join(''),
    ),
    `\n${escaped(ruleOf(comparison))}\n`,
  ].join('')
}

const describe = (metric: MetricComparison): string => {
  const cells = metricCells(metric)
  return metricHeadings.map((heading, index) => `${heading}: ${cells[index] ?? ''}`).join('\n')
}

/** The verdict, then one case for each figure that decides; a figure without a verdict is skipped. */
export const comparisonCases = (comparison: Comparison): TestCase[] => {
  const { verdict, reason, metrics } = comparison
  const isBad = ['regression', 'invalid', 'not comparable'].includes(verdict)
  const isUndecided = verdict === 'inconclusive' || verdict === 'no verdict'
  return [
    {
      name: 'verdict',
      elapsedMs: 0,
      failure: isBad ? `${verdictTitles[verdict]}: ${reason}` : null,
      skipped: isUndecided ? reason : null,
    },
    ...metrics
      .filter(({ isPrimary }) => isPrimary)
      .map((metric) => ({
        name: metric.name,
        elapsedMs: 0,
        failure: metric.verdict === 'regression' ? describe(metric) : null,
        skipped: ['inconclusive', 'no verdict'].includes(metric.verdict) ? metric.verdict : null,
      })),
  ]
}

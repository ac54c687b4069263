import type { Comparison, MetricComparison, Verdict } from '../compare/comparison.ts'
import type { MetricUnit } from '../compare/metrics.ts'
import {
  formatChange,
  formatCount,
  formatHundredths,
  formatPercent,
  formatProbability,
  formatRate,
  formatValue,
} from './format.ts'

/** A comparison as texts, the same for every form of report. */

export const verdictTitles: Record<Verdict, string> = {
  regression: 'REGRESSION',
  improvement: 'IMPROVEMENT',
  equivalent: 'EQUIVALENT',
  inconclusive: 'INCONCLUSIVE',
  'no verdict': 'NO VERDICT',
  invalid: 'INVALID',
  'not comparable': 'NOT COMPARABLE',
}

export const metricHeadings = [
  'Figure',
  'Baseline',
  'Candidate',
  'Change',
  '95 % interval',
  'p (Holm)',
  'Verdict',
] as const

/** The first of them, for figures that decide nothing. */
export const figureColumns = 5

/** In the unit of its metric, which it leaves to the heading. */
export const formatFigure = (value: number, unit: MetricUnit): string =>
  unit === 's per million' ? formatHundredths(value) : formatRate(value)

/** `-3.0% .. +1.2%`. */
export const formatInterval = ({ ratioInterval }: MetricComparison): string =>
  ratioInterval === null
    ? 'n/a'
    : `${formatChange(ratioInterval.low)} .. ${formatChange(ratioInterval.high)}`

export const metricCells = (metric: MetricComparison): string[] => [
  `${metric.name} (${metric.unit})`,
  formatFigure(metric.baselineMedian, metric.unit),
  formatFigure(metric.candidateMedian, metric.unit),
  formatChange(metric.ratio),
  formatInterval(metric),
  metric.adjustedPValue === null ? 'n/a' : formatProbability(metric.adjustedPValue),
  metric.verdict,
]

const powerOf = (metric: MetricComparison): string[] => {
  const { name, smallestDetectable, runsNeeded, threshold, verdict } = metric
  if (!metric.isPrimary || verdict !== 'inconclusive' || runsNeeded === null) return []
  const seen =
    smallestDetectable === null
      ? 'so few runs cannot decide'
      : `a change below ${formatPercent(smallestDetectable, 1)} stays unseen`
  const limit = formatPercent(threshold, 1)
  return [`${name}: ${seen}; about ${formatCount(runsNeeded)} runs a side find ${limit}`]
}

const list = (values: readonly number[]): string => values.map(formatValue).join(' ')

/** What must be known to read the figures, most important first. */
export const comparisonNotes = (comparison: Comparison): string[] => [
  ...comparison.differences.map(
    ({ key, baseline, candidate, isIgnored }) =>
      `${key} differs${isIgnored ? ' (as told)' : ''}: ${baseline} / ${candidate}`,
  ),
  ...comparison.invalidRuns.map(
    ({ side, runId, reason }) => `${side} run ${runId} is left out, ${reason}`,
  ),
  ...comparison.exact.map(
    ({ name, baseline, candidate }) => `${name} differs: ${list(baseline)} / ${list(candidate)}`,
  ),
  ...comparison.metrics.flatMap(powerOf),
  ...comparison.metrics
    .filter(({ isPrimary, flags }) => isPrimary && flags.length > 0)
    .map(({ name, flags }) => `${name}: ${flags.join(', ')}`),
  ...comparison.flags,
]

/** The rule that was used. */
export const ruleOf = ({ isPaired }: Comparison): string =>
  `One value a run, ${
    isPaired ? 'in pairs: exact Wilcoxon signed-rank test' : 'exact Mann-Whitney test'
  }, two-sided at 5 % after Holm's correction over the deciding figures; change and interval by Hodges-Lehmann. A \
verdict needs a change beyond the threshold, "equivalent" an interval within it; "inconclusive" never means the same.`

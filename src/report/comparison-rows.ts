import type { Comparison, MetricComparison, Verdict } from '../compare/comparison.ts'
import type { MetricUnit } from '../compare/metrics.ts'
import {
  formatChange,
  formatCount,
  formatHundredths,
  formatPercent,
  formatProbability,
  formatRate,
  formatRuns,
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

/** What so many runs can find at all, figure by figure; nothing with one run a side. */
const reachOf = ({ metrics }: Comparison): string[] => {
  const asked = metrics.filter(({ adjustedPValue }) => adjustedPValue !== null)
  if (asked.length === 0) return []
  if (asked.every(({ smallestDetectable }) => smallestDetectable === null)) {
    return ['so few runs tell no change from noise, however large']
  }
  const parts = asked.map(({ name, smallestDetectable }) =>
    smallestDetectable === null
      ? `${name} none`
      : `${name} ${formatPercent(smallestDetectable, 1)}`,
  )
  return [
    `the smallest change that so many runs tell from noise, 4 times of 5: ${parts.join(', ')}`,
  ]
}

const needsOf = ({ metrics }: Comparison): string[] => {
  const parts = metrics.flatMap(({ name, runsNeeded, threshold, verdict }) =>
    verdict !== 'inconclusive' || runsNeeded === null
      ? []
      : [`${name} ${formatCount(runsNeeded)} (${formatValue(threshold * 100)} %)`],
  )
  return parts.length === 0
    ? []
    : [`runs a side, about, that would find a change that matters: ${parts.join(', ')}`]
}

const unsteadyOf = ({ metrics }: Comparison): string[] => {
  const parts = metrics
    .filter(({ isPrimary, flags }) => isPrimary && flags.length > 0)
    .map(({ name, flags }) => `${name} (${flags.join(', ')})`)
  return parts.length === 0 ? [] : [`unsteady: ${parts.join(', ')}`]
}

/** `v2.1.0 (6 runs), broker: …`. */
export const sideText = ({ title, runs, broker }: Comparison['baseline']): string =>
  `${title} (${formatRuns(runs)}), broker: ${broker}`

const howToAllow = ({ differences }: Comparison): string[] => {
  const flags = differences
    .filter(({ isIgnored }) => !isIgnored)
    .map(({ key }) => `--ignore ${key}`)
  return flags.length === 0 ? [] : [`where that is meant: ${flags.join(' ')}`]
}

const list = (values: readonly number[]): string => values.map(formatValue).join(' ')

/** What must be known to read the figures, most important first. */
export const comparisonNotes = (comparison: Comparison): string[] => [
  ...comparison.differences.map(
    ({ key, baseline, candidate, isIgnored }) =>
      `${key} differs${isIgnored ? ' (as told)' : ''}: ${baseline} / ${candidate}`,
  ),
  ...howToAllow(comparison),
  ...(comparison.sharedRuns === 0
    ? []
    : [`on both sides, so compared with themselves: ${formatRuns(comparison.sharedRuns)}`]),
  ...comparison.invalidRuns.map(
    ({ side, runId, reason }) => `${side} run ${runId} is left out, ${reason}`,
  ),
  ...comparison.exact.map(
    ({ name, baseline, candidate }) => `${name} differs: ${list(baseline)} / ${list(candidate)}`,
  ),
  ...reachOf(comparison),
  ...needsOf(comparison),
  ...unsteadyOf(comparison),
  ...comparison.flags,
]

/** The rule that was used. */
export const ruleOf = ({ isPaired }: Comparison): string =>
  `One value a run, ${
    isPaired ? 'in pairs: exact Wilcoxon signed-rank test' : 'exact Mann-Whitney test'
  }, two-sided at 5 % after Holm's correction over the deciding figures; change and interval by Hodges-Lehmann. A \
verdict needs a change beyond the threshold, "equivalent" an interval within it; "inconclusive" never means the same.`

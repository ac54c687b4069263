import type { RunResult } from '../results/result.ts'
import type { Difference } from './comparability.ts'
import { differencesBetween } from './comparability.ts'
import { type ExactMetric, exactMetrics, type Metric, type MetricUnit, metrics } from './metrics.ts'
import { runFlags, valueFlags } from './noise.ts'
import { noiseOf, runsNeeded, smallestDetectable } from './power.ts'
import { adjustByHolm, compareIndependent, comparePaired, type RankTest } from './rank-test.ts'
import { medianOf } from './sample.ts'

/**
 * Two sides of runs against each other: first whether they may be compared, then whether they are correct, then what
 * is faster. A run is one value; the windows within a run are not independent and never count as values.
 */

export type MetricVerdict =
  | 'regression'
  | 'improvement'
  | 'equivalent'
  | 'inconclusive'
  | 'no verdict'
export type Verdict = MetricVerdict | 'invalid' | 'not comparable'

export interface MetricComparison {
  name: string
  unit: MetricUnit
  better: 'higher' | 'lower'
  isPrimary: boolean
  threshold: number
  /** One value a run; in a paired comparison in the order of the pairs. */
  baseline: number[]
  candidate: number[]
  baselineMedian: number
  candidateMedian: number
  /** Candidate / baseline by Hodges–Lehmann; 1.1 is 10 % more. */
  ratio: number
  /** 95 %; null with too few runs. */
  ratioInterval: { low: number; high: number } | null
  /** Null with one run a side, or for a figure that does not decide. */
  pValue: number | null
  /** After Holm's correction over the primary figures. */
  adjustedPValue: number | null
  /** The change that as many such runs find 4 times of 5; null when none, or one that does not decide. */
  smallestDetectable: number | null
  /** Runs a side to find the threshold's change 4 times of 5; null for a figure that does not decide. */
  runsNeeded: number | null
  verdict: MetricVerdict
  /** Signs of noise in these values. */
  flags: string[]
}

interface ExactComparison {
  name: string
  baseline: number[]
  candidate: number[]
}

interface InvalidRun {
  side: 'baseline' | 'candidate'
  runId: string
  reason: string
}

interface SideSummary {
  title: string
  /** Those that are correct. */
  runs: number
  /** What answered, such as `bench 0.1.0, embedded`. */
  broker: string
}

export interface Comparison {
  baseline: SideSummary
  candidate: SideSummary
  /** By the test of pairs; pairs too few for it are taken for independent runs. */
  isPaired: boolean
  differences: Difference[]
  invalidRuns: InvalidRun[]
  /** Of the same id on both sides, such as by patterns that overlap: they prove nothing. */
  sharedRuns: number
  /** Signs of an unquiet machine during any of the runs. */
  flags: string[]
  metrics: MetricComparison[]
  /** Only those that differ. */
  exact: ExactComparison[]
  verdict: Verdict
  /** One sentence for the verdict. */
  reason: string
}

export interface Side {
  title: string
  runs: readonly RunResult[]
}

export interface CompareOptions {
  /** Keys that may differ. */
  ignored: readonly string[]
  /** Thresholds by metric name, as ratios, in place of the default ones. */
  thresholds: ReadonlyMap<string, number>
  /** A figure with a noise flag gives no verdict. */
  isStrict: boolean
}

const significance = 0.05
/**
 * Fewer pairs have so few patterns of signs that the test of pairs could not find even the clearest change once Holm has
 * corrected it. Taken for independent, pairs only make the other test more careful.
 */
const fewestPairs = 10

/** Thresholds of the run's own are wishes about speed; every other check is about being right. */
const isThreshold = (name: string): boolean => /[<>]/.test(name)

const faultOf = (run: RunResult): string | null => {
  if (run.status !== 'completed') return `the run was ${run.status}`
  const failed = run.checks.filter(({ ok, name }) => !ok && !isThreshold(name))
  return failed.length === 0 ? null : `failed: ${failed.map(({ name }) => name).join(', ')}`
}

/** Only such runs go into the figures. */
export const isValid = (run: RunResult): boolean => faultOf(run) === null

const invalidRunsOf = (side: InvalidRun['side'], runs: readonly RunResult[]): InvalidRun[] =>
  runs.flatMap((run) => {
    const reason = faultOf(run)
    return reason === null ? [] : [{ side, runId: run.runId, reason }]
  })

const pairKey = ({ series }: RunResult): string | null =>
  series?.side ? `${series.seriesId} ${series.index}` : null

/** The runs of both sides in the order of their pairs; null unless every run has its partner, and there are enough. */
const pairsOf = (baseline: readonly RunResult[], candidate: readonly RunResult[]) => {
  const partners = new Map(candidate.map((run) => [pairKey(run), run]))
  const pairs = baseline.map((run) => ({ before: run, after: partners.get(pairKey(run)) }))
  const isPaired =
    baseline.length >= fewestPairs &&
    baseline.length === candidate.length &&
    partners.size === candidate.length &&
    !partners.has(null) &&
    pairs.every(({ after }) => after !== undefined)
  return isPaired ? pairs.map(({ before, after }) => ({ before, after: after as RunResult })) : null
}

const isUsable = (value: number | null): value is number => value !== null && value > 0

const toRatio = ({ shift, interval }: RankTest) => ({
  ratio: Math.exp(shift),
  ratioInterval: interval && { low: Math.exp(interval.low), high: Math.exp(interval.high) },
})

interface Values {
  baseline: number[]
  candidate: number[]
  isPaired: boolean
}

const valuesOf = (metric: Metric, sides: Sides): Values | null => {
  const baseline = sides.baseline.map((run) => metric.valueOf(run))
  const candidate = sides.candidate.map((run) => metric.valueOf(run))
  const isWhole = baseline.every(isUsable) && candidate.every(isUsable)
  const values = {
    baseline: baseline.filter(isUsable),
    candidate: candidate.filter(isUsable),
    isPaired: sides.isPaired && isWhole,
  }
  return values.baseline.length === 0 || values.candidate.length === 0 ? null : values
}

interface Sides {
  baseline: readonly RunResult[]
  candidate: readonly RunResult[]
  isPaired: boolean
}

interface Measured {
  comparison: MetricComparison
  /** Null with one value on a side, and for a figure that does not decide. */
  noise: number | null
  isPaired: boolean
}

/** Everything but the correction over several metrics and what follows from it. */
const measure = (metric: Metric, sides: Sides, options: CompareOptions): Measured | null => {
  const values = valuesOf(metric, sides)
  if (values === null) return null
  const { baseline, candidate, isPaired } = values
  const logs = [baseline.map(Math.log), candidate.map(Math.log)] as const
  const test = (isPaired ? comparePaired : compareIndependent)(...logs)
  const isAsked = metric.isPrimary && baseline.length > 1 && candidate.length > 1
  const comparison = {
    name: metric.name,
    unit: metric.unit,
    better: metric.better,
    isPrimary: metric.isPrimary,
    threshold: options.thresholds.get(metric.name) ?? metric.threshold,
    baseline,
    candidate,
    baselineMedian: medianOf(baseline),
    candidateMedian: medianOf(candidate),
    ...toRatio(test),
    pValue: isAsked ? test.pValue : null,
    adjustedPValue: null,
    smallestDetectable: null,
    runsNeeded: null,
    verdict: 'no verdict' as const,
    flags: valueFlags([baseline, candidate]),
  }
  return { comparison, noise: isAsked ? noiseOf(...logs, isPaired) : null, isPaired }
}

const judge = (metric: MetricComparison, isFlagged: boolean): MetricVerdict => {
  const { adjustedPValue, ratio, ratioInterval, threshold, better } = metric
  if (adjustedPValue === null) return 'no verdict'
  if (isFlagged) return 'inconclusive'
  // Both directions on the same scale: half as fast is as far as twice as fast.
  const limit = Math.log1p(threshold)
  if (adjustedPValue < significance && Math.abs(Math.log(ratio)) >= limit) {
    return ratio > 1 === (better === 'higher') ? 'improvement' : 'regression'
  }
  const isInside =
    ratioInterval !== null &&
    Math.log(ratioInterval.low) > -limit &&
    Math.log(ratioInterval.high) < limit
  return isInside ? 'equivalent' : 'inconclusive'
}

const compareMetrics = (
  sides: Sides,
  flags: readonly string[],
  options: CompareOptions,
): MetricComparison[] => {
  const measured = metrics.flatMap((metric) => measure(metric, sides, options) ?? [])
  const asked = measured.filter(({ noise }) => noise !== null)
  const adjusted = adjustByHolm(asked.map(({ comparison }) => comparison.pValue as number))
  return measured.map((one) => {
    const { comparison, noise, isPaired } = one
    if (noise === null) return comparison
    const { baseline, candidate, threshold } = comparison
    const design = { isPaired, questions: asked.length }
    const corrected = {
      ...comparison,
      adjustedPValue: adjusted[asked.indexOf(one)] as number,
      smallestDetectable: smallestDetectable(noise, [baseline.length, candidate.length], design),
      runsNeeded: runsNeeded(noise, threshold, design),
    }
    const isFlagged = options.isStrict && flags.length + comparison.flags.length > 0
    return { ...corrected, verdict: judge(corrected, isFlagged) }
  })
}

const compareExact = (metric: ExactMetric, { baseline, candidate }: Sides): ExactComparison[] => {
  const sides = {
    baseline: baseline.map((run) => metric.valueOf(run)),
    candidate: candidate.map((run) => metric.valueOf(run)),
  }
  const isConstant = new Set([...sides.baseline, ...sides.candidate]).size === 1
  return isConstant ? [] : [{ name: metric.name, ...sides }]
}

const conclude = (
  comparison: Omit<Comparison, 'verdict' | 'reason'>,
): Pick<Comparison, 'verdict' | 'reason'> => {
  const differing = comparison.differences.filter(({ isIgnored }) => !isIgnored)
  const isInvalid = (side: InvalidRun['side']): boolean =>
    comparison.invalidRuns.some((run) => run.side === side)
  const named = (verdict: MetricVerdict): string =>
    comparison.metrics
      .filter((metric) => metric.isPrimary && metric.verdict === verdict)
      .map(({ name }) => name)
      .join(', ')
  const runs = Math.min(comparison.baseline.runs, comparison.candidate.runs)
  if (differing.length > 0) {
    const keys = differing.map(({ key }) => key).join(', ')
    return { verdict: 'not comparable', reason: `the sides differ in ${keys}` }
  }
  if (isInvalid('candidate') && !isInvalid('baseline')) {
    return { verdict: 'invalid', reason: 'the candidate has runs that are not correct' }
  }
  if (comparison.metrics.length === 0) {
    return { verdict: 'invalid', reason: 'no correct run is left on one side' }
  }
  if (named('regression')) return { verdict: 'regression', reason: `worse: ${named('regression')}` }
  if (named('improvement')) {
    return { verdict: 'improvement', reason: `better: ${named('improvement')}` }
  }
  if (runs < 2) return { verdict: 'no verdict', reason: 'one run a side gives figures, no verdict' }
  return named('inconclusive')
    ? { verdict: 'inconclusive', reason: `not decided: ${named('inconclusive')}` }
    : { verdict: 'equivalent', reason: 'no figure moved by more than its threshold' }
}

const summaryOf = ({ title, runs }: Side, correct: readonly RunResult[]): SideSummary => ({
  title,
  runs: correct.length,
  broker: [...new Set(runs.map(({ environment }) => environment.broker))].join(' and '),
})

/** Runs that are not correct are named and left out of the figures. */
export const compareSides = (
  baseline: Side,
  candidate: Side,
  options: CompareOptions,
): Comparison => {
  const invalidRuns = [
    ...invalidRunsOf('baseline', baseline.runs),
    ...invalidRunsOf('candidate', candidate.runs),
  ]
  const [before, after] = [baseline.runs.filter(isValid), candidate.runs.filter(isValid)]
  const pairs = pairsOf(before, after)
  const sides: Sides = {
    baseline: pairs?.map((pair) => pair.before) ?? before,
    candidate: pairs?.map((pair) => pair.after) ?? after,
    isPaired: pairs !== null,
  }
  const isEmpty = before.length === 0 || after.length === 0
  const flags = runFlags([...before, ...after])
  const comparison = {
    baseline: summaryOf(baseline, before),
    candidate: summaryOf(candidate, after),
    isPaired: pairs !== null,
    differences: differencesBetween(baseline.runs, candidate.runs, options.ignored),
    invalidRuns,
    sharedRuns: before.filter(({ runId }) => after.some((run) => run.runId === runId)).length,
    flags,
    metrics: isEmpty ? [] : compareMetrics(sides, flags, options),
    exact: isEmpty ? [] : exactMetrics.flatMap((metric) => compareExact(metric, sides)),
  }
  return { ...comparison, ...conclude(comparison) }
}

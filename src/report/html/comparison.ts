import { type Comparison, isValid, type Side, type Verdict } from '../../compare/comparison.ts'
import { LatencyHistogram } from '../../results/histogram.ts'
import type { RunResult } from '../../results/result.ts'
import {
  comparisonNotes,
  figureColumns,
  metricCells,
  metricHeadings,
  ruleOf,
  sideText,
  verdictTitles,
} from '../comparison-rows.ts'
import { primaryLatency } from '../latency.ts'
import { type Child, el, prose } from './markup.ts'
import { changeChart, runDots } from './metric-charts.ts'
import { dataTable, renderPage, section, verdictBlock } from './page.ts'
import { type Distribution, decodeHistogram, percentileCurve } from './percentile-curve.ts'
import { reproduceBlock } from './reproduce.ts'

/** A comparison as one HTML file: the verdict, how far each figure moved, and both sides over each other. */

const tones: Record<Verdict, 'good' | 'bad' | 'doubt'> = {
  regression: 'bad',
  invalid: 'bad',
  'not comparable': 'bad',
  inconclusive: 'doubt',
  'no verdict': 'doubt',
  improvement: 'good',
  equivalent: 'good',
}

/** All samples of a side's correct runs together; null when there are none. */
const distributionOf = (name: string, { runs }: Side): Distribution | null => {
  const histogram = new LatencyHistogram()
  for (const run of runs.filter(isValid)) {
    const latency = primaryLatency(run) ?? run.latencyUs.service
    const decoded = latency === null ? null : decodeHistogram(latency.hdr)
    if (decoded !== null) histogram.add(decoded)
  }
  return histogram.count === 0 ? null : { name, histogram }
}

const metricTable = (comparison: Comparison, isPrimary: boolean): Child => {
  const shown = comparison.metrics.filter((metric) => metric.isPrimary === isPrimary)
  const columns = isPrimary ? metricHeadings.length : figureColumns
  return shown.length === 0
    ? null
    : dataTable(
        isPrimary ? 'Figures that decide' : 'Other figures',
        metricHeadings.slice(0, columns),
        shown.map((metric) => ({
          style: metric.verdict === 'regression' ? 'bad' : null,
          cells: metricCells(metric).slice(0, columns),
        })),
      )
}

const notes = (comparison: Comparison): Child => {
  const texts = comparisonNotes(comparison)
  return texts.length === 0 ? null : el('ul', {}, ...texts.map((text) => el('li', {}, prose(text))))
}

/** Of the first run of each side; where others differ, a note tells. */
const whatRan = ({ baseline, candidate }: Sides): Child[] => {
  const sides = [
    { name: 'Baseline', run: baseline.runs[0] },
    { name: 'Candidate', run: candidate.runs[0] },
  ].flatMap(({ name, run }) => (run === undefined ? [] : [{ name, run }]))
  const row = (name: string, of: (run: RunResult) => string) => ({
    cells: [name, ...sides.map(({ run }) => of(run))],
  })
  return [
    dataTable(
      'What ran where',
      ['', ...sides.map(({ name }) => name)],
      [
        row('Broker', ({ environment }) => environment.broker),
        row('Client', ({ environment }) => environment.client),
        row('bench', ({ environment }) => environment.benchVersion),
        row('Node', ({ environment }) => environment.node),
        row('System', ({ environment }) => environment.os),
        row('Processor', ({ environment }) => `${environment.cpu}, ${environment.cores} cores`),
        row('First run', ({ startedAt }) => startedAt),
      ],
    ),
    ...sides.flatMap(({ name, run }) => [
      el('h3', {}, `${name}, one run again`),
      reproduceBlock(run),
    ]),
  ]
}

export interface Sides {
  baseline: Side
  candidate: Side
}

/** A whole page; the comparison is in it as JSON. */
export const formatComparisonHtml = (comparison: Comparison, sides: Sides): string => {
  const { verdict, reason, baseline, candidate, metrics } = comparison
  const primary = metrics.filter(({ isPrimary }) => isPrimary)
  const distributions = [
    distributionOf('baseline', sides.baseline),
    distributionOf('candidate', sides.candidate),
  ].filter((one) => one !== null)
  return renderPage({
    title: `${verdictTitles[verdict]}: ${baseline.title} and ${candidate.title}`,
    header: verdictBlock(tones[verdict], {
      eyebrow: 'bench compare',
      word: verdictTitles[verdict],
      reason,
      details: [
        el('p', {}, el('strong', {}, 'Baseline: '), prose(sideText(baseline))),
        el('p', {}, el('strong', {}, 'Candidate: '), prose(sideText(candidate))),
      ],
    }),
    main: [
      section('change', 'Figures that decide', changeChart(primary), metricTable(comparison, true)),
      section('runs', 'Every run', runDots(primary)),
      section('latency', 'Latency', percentileCurve(distributions)),
      section('others', 'Other figures', metricTable(comparison, false)),
      section('notes', 'Notes', notes(comparison)),
      section('sides', 'What ran where', ...whatRan(sides)),
      section('rule', 'The rule', el('p', { class: 'muted' }, ruleOf(comparison))),
    ],
    footer: 'Made by bench compare. The whole comparison is in this file as JSON.',
    data: comparison,
  })
}

import type { MetricComparison } from '../../compare/comparison.ts'
import { formatFigure, formatInterval } from '../comparison-rows.ts'
import { formatChange } from '../format.ts'
import { anchorOf, figure, picture } from './chart.ts'
import { type Child, coordinate, el, join, type Markup, percent } from './markup.ts'
import { dataTable } from './page.ts'

/** Two sides of a comparison as pictures: the change of each figure with its interval, and every run as a dot. */

const rowHeight = 44
const bottom = 24

const lowerRatios = [0.98, 0.95, 0.9, 0.8, 0.7, 0.5, 0.2, 0.1]
const higherRatios = [1.02, 1.05, 1.1, 1.2, 1.5, 2, 5, 10]

/** What must be seen of a figure: its change, its interval and its threshold in both directions. */
const extentOf = ({ ratio, ratioInterval, threshold }: MetricComparison): number =>
  Math.max(
    ...[ratio, ratioInterval?.low ?? ratio, ratioInterval?.high ?? ratio].map((value) =>
      Math.abs(Math.log(value)),
    ),
    Math.log1p(threshold),
  )

const directionOf = (metrics: readonly MetricComparison[]): string => {
  const higher = metrics.filter(({ better }) => better === 'higher').map(({ name }) => name)
  if (higher.length === metrics.length) return 'More is better.'
  return higher.length === 0
    ? 'Less is better.'
    : `More is better for the ${higher.join(' and ')}, less for the others.`
}

const changeRow = (
  metric: MetricComparison,
  index: number,
  at: (ratio: number) => number,
): Markup => {
  const { name, ratio, ratioInterval, threshold, verdict } = metric
  const y = index * rowHeight
  const middle = y + 28
  const [low, high] = [at(1 / (1 + threshold)), at(1 + threshold)]
  return el(
    'g',
    {},
    el('title', {}, `${name}: ${formatChange(ratio)}, 95 % interval ${formatInterval(metric)}`),
    el('text', { class: 'strong halo', x: 0, y: y + 13 }, name),
    el('text', { class: 'end halo', x: '100%', y: y + 13 }, `${formatChange(ratio)}, ${verdict}`),
    el('rect', {
      class: 'within',
      x: percent(low),
      y: y + 20,
      width: percent(high - low),
      height: 16,
    }),
    ratioInterval === null
      ? null
      : el('line', {
          class: 'interval',
          x1: percent(at(ratioInterval.low)),
          x2: percent(at(ratioInterval.high)),
          y1: middle,
          y2: middle,
        }),
    el('circle', { class: 'point', cx: percent(at(ratio)), cy: middle, r: 4.5 }),
  )
}

/** Labels stand apart by this share of the width at least. */
const tickDistance = 0.2

const outward = (ratios: readonly number[], at: (ratio: number) => number): number[] => {
  let last = at(1)
  return ratios.filter((ratio) => {
    const place = at(ratio)
    const fits = Math.abs(place - last) >= tickDistance && place > 0.02 && place < 0.98
    if (fits) last = place
    return fits
  })
}

const ticksAround = (at: (ratio: number) => number): number[] => [
  ...outward(lowerRatios, at),
  1,
  ...outward(higherRatios, at),
]

/** How far each figure moved, on one axis; the band is its threshold. */
export const changeChart = (metrics: readonly MetricComparison[]): Child => {
  if (metrics.length === 0) return null
  const extent = Math.max(...metrics.map(extentOf)) * 1.05
  const at = (ratio: number): number => 0.5 + Math.log(ratio) / (2 * extent)
  const height = metrics.length * rowHeight
  return figure({
    title: 'Change from baseline to candidate',
    note: `with its 95 % interval; the band is the change that does not matter. ${directionOf(metrics)}`,
    picture: picture(
      `Change from baseline to candidate: ${metrics
        .map((one) => `${one.name} ${formatChange(one.ratio)}, ${one.verdict}`)
        .join('; ')}`,
      height + bottom,
      ...ticksAround(at).map((ratio) => {
        const x = percent(at(ratio))
        return join([
          el('line', { class: ratio === 1 ? 'mark' : 'grid', x1: x, x2: x, y1: 0, y2: height }),
          el('text', { class: anchorOf(at(ratio)), x, y: height + 16 }, formatChange(ratio)),
        ])
      }),
      ...metrics.map((metric, index) => changeRow(metric, index, at)),
    ),
    table: dataTable(
      'Change from baseline to candidate',
      ['Figure', 'Change', '95 % interval', 'Verdict'],
      metrics.map((one) => ({
        cells: [one.name, formatChange(one.ratio), formatInterval(one), one.verdict],
      })),
    ),
  })
}

const stripHeight = 92

const dots = (
  values: readonly number[],
  parts: { side: string; tone: 'one' | 'two'; y: number; at: (value: number) => number },
  metric: MetricComparison,
): Markup[] =>
  values.map((value, index) =>
    el(
      'circle',
      { class: `dot ${parts.tone}`, cx: percent(parts.at(value)), cy: parts.y, r: 4 },
      el(
        'title',
        {},
        `${parts.side} run ${index + 1}: ${formatFigure(value, metric.unit)} ${metric.unit}`,
      ),
    ),
  )

const medianLine = (tone: 'one' | 'two', share: number, y: number): Markup => {
  const x = percent(share)
  return el('line', { class: `median ${tone}`, x1: x, x2: x, y1: y - 9, y2: y + 9 })
}

const strip = (metric: MetricComparison, index: number): Markup => {
  const { name, unit, baseline, candidate, baselineMedian, candidateMedian } = metric
  const values = [...baseline, ...candidate]
  const [low, high] = [Math.min(...values), Math.max(...values)]
  // Half a dot of room at both ends.
  const at = (value: number): number =>
    high > low ? 0.015 + (0.97 * (value - low)) / (high - low) : 0.5
  const y = index * stripHeight
  const text = (value: number): string => formatFigure(value, unit)
  return el(
    'g',
    {},
    el('text', { class: 'strong', x: 0, y: y + 13 }, `${name} (${unit})`),
    el(
      'text',
      { class: 'end', x: '100%', y: y + 13 },
      `${text(baselineMedian)} → ${text(candidateMedian)}`,
    ),
    ...[30, 48].map((down) =>
      el('line', { class: 'grid', x1: 0, x2: '100%', y1: y + down, y2: y + down }),
    ),
    medianLine('one', at(baselineMedian), y + 30),
    medianLine('two', at(candidateMedian), y + 48),
    ...dots(baseline, { side: 'baseline', tone: 'one', y: y + 30, at }, metric),
    ...dots(candidate, { side: 'candidate', tone: 'two', y: y + 48, at }, metric),
    el('text', { x: 0, y: coordinate(y + 66) }, text(low)),
    high > low ? el('text', { class: 'end', x: '100%', y: coordinate(y + 66) }, text(high)) : null,
  )
}

const sample = (name: string, tone: 'one' | 'two'): Markup =>
  el(
    'li',
    {},
    el(
      'svg',
      { 'aria-hidden': 'true' },
      el('circle', { class: `dot ${tone}`, cx: 10, cy: 5, r: 4 }),
    ),
    name,
  )

/** Every run of both sides on a line of its own for each figure. */
export const runDots = (metrics: readonly MetricComparison[]): Child => {
  if (metrics.length === 0) return null
  return figure({
    title: 'Run by run',
    note: 'a filled dot is a run of the baseline, an open one of the candidate, a bar the median of its side.',
    legend: el('ul', { class: 'legend' }, sample('baseline', 'one'), sample('candidate', 'two')),
    picture: picture(
      `Run by run, medians: ${metrics
        .map(
          ({ name, unit, baselineMedian, candidateMedian }) =>
            `${name} ${formatFigure(baselineMedian, unit)} and ${formatFigure(candidateMedian, unit)} ${unit}`,
        )
        .join('; ')}`,
      metrics.length * stripHeight,
      ...metrics.map(strip),
    ),
    table: dataTable(
      'Run by run',
      ['Figure', 'Run', 'Baseline', 'Candidate'],
      metrics.flatMap(({ name, unit, baseline, candidate }) =>
        Array.from({ length: Math.max(baseline.length, candidate.length) }, (_, index) => ({
          cells: [
            `${name} (${unit})`,
            `${index + 1}`,
            ...[baseline[index], candidate[index]].map((value) =>
              value === undefined ? 'n/a' : formatFigure(value, unit),
            ),
          ],
        })),
      ),
    ),
  })
}

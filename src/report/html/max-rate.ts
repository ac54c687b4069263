import type { MaxRate, MaxRateStep } from '../../results/max-rate.ts'
import { formatMilliseconds, formatRate, formatValue } from '../format.ts'
import { byRate, cellsOf, headings, sentenceOf } from '../max-rate.ts'
import { drawChart, type Mark, type Tone } from './chart.ts'
import { el, type Markup } from './markup.ts'
import { dataTable, renderPage, section, verdictBlock } from './page.ts'
import { quoted } from './reproduce.ts'
import { logScale, type Scale } from './scale.ts'

/** What `--find-max` found as one HTML file: latency against offered load, and what failed each step. */

const latencies = [
  ['p99', 'one', ({ p99Us }: MaxRateStep) => p99Us],
  ['p50', 'two', ({ p50Us }: MaxRateStep) => p50Us],
] as const satisfies readonly (readonly [string, Tone, (step: MaxRateStep) => number | null])[]

/** Of steps at the same rate the worst counts. */
const worstByRate = (
  steps: readonly MaxRateStep[],
  usOf: (step: MaxRateStep) => number | null,
): { perSec: number; us: number }[] => {
  const worst = new Map<number, number>()
  for (const step of steps) {
    const us = usOf(step)
    if (us === null) continue
    worst.set(step.offeredPerSec, Math.max(1, us, worst.get(step.offeredPerSec) ?? 0))
  }
  return [...worst].map(([perSec, us]) => ({ perSec, us }))
}

const marksOf = (found: MaxRate, x: Scale): Mark[] => {
  const marks: Mark[] = []
  const { sustainedPerSec, exceededPerSec } = found
  if (sustainedPerSec !== null) {
    const text = `${formatRate(sustainedPerSec)} msg/s held`
    marks.push({ at: x.at(sustainedPerSec), letter: '', text, isBad: false })
  }
  if (exceededPerSec !== null) {
    const text = `${formatRate(exceededPerSec)} msg/s did not hold`
    marks.push({ at: x.at(exceededPerSec), letter: '', text, isBad: true })
  }
  return marks
}

const stepTable = (found: MaxRate): Markup =>
  dataTable(
    'Steps by offered rate',
    headings,
    byRate(found.steps).map((step) => ({
      cells: cellsOf(step),
      style: step.hasHeld ? null : 'bad',
    })),
  )

/** Null when no step had an answer. */
const loadCurve = (found: MaxRate): Markup | null => {
  const curves = latencies.map(([name, tone, usOf]) => ({
    name,
    tone,
    points: worstByRate(byRate(found.steps), usOf),
  }))
  const points = curves.flatMap((curve) => curve.points)
  if (points.length === 0) return null
  const rates = found.steps.map(({ offeredPerSec }) => offeredPerSec)
  const us = points.map((point) => point.us)
  const x = logScale(Math.min(...rates), Math.max(...rates))
  const y = logScale(Math.min(...us), Math.max(...us))
  const last = curves[0]?.points.findLast(({ perSec }) => perSec === found.sustainedPerSec)
  return drawChart(
    {
      title: 'Latency against offered load',
      summary:
        last === undefined
          ? sentenceOf(found)
          : `${sentenceOf(found)} There p99 was ${formatMilliseconds(last.us)} ms.`,
      lines: curves.map(({ name, tone, points: at }) => ({
        name,
        tone,
        parts: [at.map((point) => ({ x: x.at(point.perSec), y: y.at(point.us) }))],
      })),
      xTicks: x.ticks.map((tick) => ({ at: x.at(tick), label: `${formatValue(tick)}/s` })),
      yTicks: y.ticks.map((tick) => ({ at: y.at(tick), label: `${formatValue(tick / 1_000)} ms` })),
      marks: marksOf(found, x),
      // The steps stand below.
      table: null,
    },
    'on logarithmic axes, the worst of the steps at each rate; dotted: the highest that held, the lowest that did not.',
  )
}

/** A whole page; what was found is in it as JSON. */
export const formatMaxRateHtml = (found: MaxRate): string => {
  const { sustainedPerSec, isConverged, problem, conditions, command, seriesId } = found
  const hasFound = sustainedPerSec !== null && isConverged && problem === null
  const word = sustainedPerSec === null ? 'No rate held' : `${formatRate(sustainedPerSec)} msg/s`
  return renderPage({
    title: `${word}: bench --find-max`,
    header: verdictBlock(hasFound ? 'good' : sustainedPerSec === null ? 'bad' : 'doubt', {
      eyebrow: 'bench --find-max',
      word,
      reason: [sentenceOf(found), problem].filter((text) => text !== null).join(' '),
      details: [
        el(
          'p',
          {},
          `Series ${seriesId}: ${found.steps.length} steps. A rate fails when `,
          `${conditions.join(', or ')}.`,
        ),
        el('p', {}, el('code', {}, ['bench', ...command].map(quoted).join(' '))),
      ],
    }),
    main: [
      section('curve', 'Latency against offered load', loadCurve(found)),
      section('steps', 'Steps by offered rate', stepTable(found)),
    ],
    footer: 'Made by bench --find-max. The whole search is in this file as JSON.',
    data: found,
  })
}

import { LatencyHistogram } from '../../results/histogram.ts'
import { highestShare } from '../../results/percentile.ts'
import { formatCount, formatMilliseconds, formatPercent, formatValue } from '../format.ts'
import { drawChart, type Tone } from './chart.ts'
import type { Markup } from './markup.ts'
import { dataTable } from './page.ts'
import { logScale } from './scale.ts'

/** Latency by percentile: each step to the right leaves out nine of ten, as far as the samples go. */

export interface Distribution {
  name: string
  histogram: LatencyHistogram
}

/** Null when the text is not a histogram: results come from files. */
export const decodeHistogram = (hdr: string): LatencyHistogram | null => {
  try {
    return LatencyHistogram.decode(hdr)
  } catch {
    return null
  }
}

const tones: readonly Tone[] = ['one', 'two', 'three']
const stepsPerNine = 16
const named = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p99', 0.99],
  ['p99.9', 0.999],
  ['p99.99', 0.9999],
  ['p99.999', 0.99999],
  ['p99.9999', 0.999999],
] as const

/** 0.99 is two nines. */
const ninesOf = (share: number): number => -Math.log10(1 - share)

const percentOf = (nines: number): number => (1 - 10 ** -nines) * 100

/** Pairs of nines and µs, up to the highest percentile that has samples enough. */
const pointsOf = ({ histogram }: Distribution): { nines: number; us: number }[] => {
  const limit = ninesOf(highestShare(histogram.count))
  const count = Math.max(1, Math.ceil(limit * stepsPerNine))
  const nines = Array.from({ length: count + 1 }, (_, index) => (limit * index) / count)
  const values = histogram.percentiles(nines.map(percentOf))
  return nines.map((each, index) => ({ nines: each, us: Math.max(1, values[index] ?? 0) }))
}

const tableOf = (distributions: readonly Distribution[]): Markup => {
  const columns = distributions.map(({ histogram }) => ({
    histogram,
    values: histogram.percentiles(named.map(([, share]) => share * 100)),
    highest: highestShare(histogram.count),
  }))
  const rows = named
    .map(([name, share], row) => ({
      cells: [
        name,
        ...columns.map(({ values, highest }) =>
          share > highest + 1e-12 ? 'n/a (few samples)' : formatMilliseconds(values[row] ?? 0),
        ),
      ],
    }))
    .filter(({ cells }) => cells.slice(1).some((cell) => !cell.startsWith('n/a')))
  return dataTable(
    'Latency by percentile',
    ['Percentile', ...distributions.map(({ name }) => `${name} (ms)`)],
    [
      ...rows,
      { cells: ['max', ...columns.map(({ histogram }) => formatMilliseconds(histogram.max))] },
      { cells: ['samples', ...columns.map(({ histogram }) => formatCount(histogram.count))] },
    ],
  )
}

const fewestSamples = 20

/** Null when no distribution has samples enough for a curve. */
export const percentileCurve = (all: readonly Distribution[]): Markup | null => {
  const distributions = all.filter(({ histogram }) => histogram.count >= fewestSamples)
  const curves = distributions.map(pointsOf)
  const places = curves.flat()
  if (places.length === 0) return null
  const width = Math.max(...places.map(({ nines }) => nines))
  const us = places.map((place) => place.us)
  const y = logScale(Math.min(...us), Math.max(...us))
  return drawChart(
    {
      title: 'Latency by percentile',
      summary: distributions
        .map(({ name, histogram }, index) => {
          const last = curves[index]?.at(-1)
          const share = formatPercent(percentOf(last?.nines ?? 0), 100)
          return `${name} ${formatMilliseconds(histogram.percentile(50))} ms at the median, ${formatMilliseconds(last?.us ?? 0)} ms at ${share}`
        })
        .join('; '),
      lines: distributions.map(({ name }, index) => ({
        name,
        tone: tones[index] ?? 'three',
        parts: [(curves[index] ?? []).map((at) => ({ x: at.nines / width, y: y.at(at.us) }))],
      })),
      xTicks: named
        .filter(([, share]) => ninesOf(share) <= width + 1e-9)
        .map(([label, share]) => ({ at: ninesOf(share) / width, label })),
      yTicks: y.ticks.map((tick) => ({ at: y.at(tick), label: `${formatValue(tick / 1_000)} ms` })),
      table: tableOf(distributions),
    },
    'on logarithmic axes, as far as ten samples lie beyond; the maximum is in the table.',
  )
}

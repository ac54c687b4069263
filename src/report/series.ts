import { medianOf, relativeDeviationOf } from '../compare/sample.ts'
import type { RunResult } from '../results/result.ts'
import { drawBox, innerWidth, line } from './box.ts'
import { formatHundredths, formatMilliseconds, formatPercent, formatRate } from './format.ts'
import { isTold } from './latency.ts'
import { drawTable, type Row } from './table.ts'

/** Several runs of one command side by side: each run, and what is usual among them. */

export interface SeriesEntry {
  title: string
  result: RunResult
}

/** Null where nothing was measured, or with too few samples to say. */
const latencyOf = ({ latencyUs }: RunResult, field: 'p50' | 'p99'): number | null => {
  const latency = latencyUs.response ?? latencyUs.endToEnd ?? latencyUs.service
  return latency !== null && isTold(latency, field) ? latency[field] : null
}

const cpuOf = ({ resources, totals }: RunResult): number | null =>
  resources && totals.records > 0 ? (resources.generator.cpuMs * 1_000) / totals.records : null

const orAbsent = (value: number | null | undefined, format: (value: number) => string): string =>
  value === null || value === undefined ? 'n/a' : format(value)

const verdictOf = ({ checks, status }: RunResult): string => {
  const failed = checks.filter(({ ok }) => !ok).length
  return status === 'completed' && failed === 0 ? 'ok' : failed > 0 ? `${failed} FAILED` : status
}

/** `run 2 of 5`, or `run 2` where nobody knows how many there will be. `index` is from 0. */
export const placeOf = (index: number, count: number | null): string =>
  count === null ? `run ${index + 1}` : `run ${index + 1} of ${count}`

/** One run in one line, as it ends. */
export const formatPlannedRun = (place: string, title: string, result: RunResult): string =>
  [
    place,
    ...(title === '' ? [] : [title]),
    `${formatRate(result.totals.recordsPerSec)} msg/s`,
    `p99 ${orAbsent(latencyOf(result, 'p99'), formatMilliseconds)} ms`,
    `client CPU ${orAbsent(cpuOf(result), formatHundredths)} s/M`,
    verdictOf(result),
  ].join('  ')

const spreadOf = (values: readonly number[]): string =>
  values.length < 2 ? 'n/a' : formatPercent(relativeDeviationOf(values), 1)

const headings = [
  '',
  'runs',
  'msg/s',
  '± msg/s',
  'p50 ms',
  'p99 ms',
  'client\nCPU s/M',
  '± CPU',
  'checks',
]

const isPresent = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined

const rowOf = (title: string, results: readonly RunResult[]): Row => {
  const rates = results.map(({ totals }) => totals.recordsPerSec)
  const cpus = results.map(cpuOf).filter(isPresent)
  const latencies = (field: 'p50' | 'p99'): number[] =>
    results.map((result) => latencyOf(result, field)).filter(isPresent)
  const wrong = results.filter((result) => verdictOf(result) !== 'ok').length
  return {
    cells: [
      title || 'median',
      `${results.length}`,
      formatRate(medianOf(rates)),
      spreadOf(rates),
      formatMilliseconds(medianOf(latencies('p50'))),
      formatMilliseconds(medianOf(latencies('p99'))),
      formatHundredths(medianOf(cpus)),
      spreadOf(cpus),
      wrong === 0 ? 'ok' : `${wrong} FAILED`,
    ],
    style: wrong === 0 ? null : 'red',
  }
}

/** Medians and spread, a row for each title in the order they first came. Ends in a line feed. */
export const formatSeries = (
  seriesId: string,
  entries: readonly SeriesEntry[],
  options: { width?: number; color?: boolean } = {},
): string => {
  const width = Math.max(40, Math.min(options.width ?? 100, 120))
  const titles = [...new Set(entries.map(({ title }) => title))]
  const rows = titles.map((title) =>
    rowOf(
      title,
      entries.filter((entry) => entry.title === title).map(({ result }) => result),
    ),
  )
  const columns = headings.map((heading, index) => ({
    heading,
    align: index === 0 ? ('left' as const) : ('right' as const),
  }))
  return drawBox(
    [
      [line(`Series ${seriesId}: medians of ${entries.length} runs`, 'bold')],
      drawTable(columns, rows, innerWidth(width)),
    ],
    width,
    options.color ?? false,
  )
}

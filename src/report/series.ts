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

const median = (values: readonly number[]): number | null => {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

const variation = (values: readonly number[]): string => {
  if (values.length < 2) return 'n/a'
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return formatPercent(Math.sqrt(squares / (values.length - 1)), mean)
}

const headings = [
  '',
  'runs',
  'msg/s',
  '± msg/s',
  'p50 ms',
  'p99 ms',
  'client CPU s/M',
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
      orAbsent(median(rates), formatRate),
      variation(rates),
      orAbsent(median(latencies('p50')), formatMilliseconds),
      orAbsent(median(latencies('p99')), formatMilliseconds),
      orAbsent(median(cpus), formatHundredths),
      variation(cpus),
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

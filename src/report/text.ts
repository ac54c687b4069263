import type { RunResult, Warning } from '../results/result.ts'
import { drawBox, innerWidth, type Line, line, padEnd, widthOf } from './box.ts'
import {
  formatCount,
  formatMegabytes,
  formatMilliseconds,
  formatPercent,
  formatRate,
  formatSeconds,
} from './format.ts'
import { fewSamples, isTold, type LatencyGroup, latencyGroups, percentileRows } from './latency.ts'
import { resourceLines } from './resources.ts'
import { createRows, type Rows } from './rows.ts'
import { checkLines, verificationLines } from './verification.ts'

/** The boxed report of one run: the sections, order, units and labels of chronik-bench, then what it proved. */

export interface TextReportOptions {
  /** Code points per line, from 40 to 120; 80 unless told. */
  width?: number
  color: boolean
}

const defaultWidth = 80
const minWidth = 40
const maxWidth = 120

const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

const centered = (text: string, width: number): string =>
  padEnd(' '.repeat(Math.max(0, Math.floor((width - widthOf(text)) / 2))) + text, width)

/** `completed, all 3 checks held`. */
export const statusOf = ({ status, checks }: RunResult): string => {
  const failed = checks.filter((check) => !check.ok).length
  if (checks.length === 0) return status
  if (failed > 0) return `${status}, ${failed} of ${checks.length} checks FAILED`
  return `${status}, ${checks.length === 1 ? '1 check' : `all ${checks.length} checks`} held`
}

/** An option's effective value as text, null when it is not set. */
const option = ({ config }: RunResult, name: string): string | null => {
  const value = config[name]
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : null
}

const concurrencyOf = ({ config, consumers }: RunResult): string => {
  if (config.mode === 'consume') {
    return consumers.length === 1 ? '1 consumer' : `${formatCount(consumers.length)} consumers`
  }
  const requests = typeof config['batchRecords'] === 'number' ? ' requests' : ''
  return formatCount(config.concurrency) + requests
}

/** What `-X` told the client, null when nothing was. */
const clientSettingsOf = ({ config }: RunResult): string | null => {
  const settings = Object.entries(config['clientProperties'] ?? {})
  return settings.map(([name, value]) => `${name}=${value}`).join(', ') || null
}

/** `precise, lateness p50 84 μs, p99 301 μs, max 2,310 μs`. */
export const pacerOf = ({ pacing }: RunResult): string | null => {
  if (pacing === undefined) return null
  const { pacer, latenessUs } = pacing
  if (latenessUs === null) return `${pacer}, no record had a free slot when it was due`
  const { p50, p99, max } = latenessUs
  const [half, most, worst] = [p50, p99, max].map(formatCount)
  return `${pacer}, lateness p50 ${half} μs, p99 ${most} μs, max ${worst} μs`
}

const headLines = (result: RunResult, rows: Rows): Line[] => {
  const { config, totals, warmup, target, environment } = result
  const isSending = config.mode === 'produce' || config.mode === 'round-trip'
  const holds = result.status === 'completed' && result.checks.every((check) => check.ok)
  const rate = config['rateRecordsPerSec']
  const values: [string, string | null][] = [
    ['Topic', config.topic || null],
    ['Group', config.mode === 'consume' ? option(result, 'consumerGroup') : null],
    ['Acks', isSending ? option(result, 'acks') : null],
    ['Message size', isSending ? `${formatCount(config.messageSizeBytes)} bytes` : null],
    ['Offered rate', isSending && typeof rate === 'number' ? `${formatRate(rate)} msg/s` : null],
    ['Pacer', pacerOf(result)],
    [
      'Warm-up',
      warmup.records > 0
        ? `${formatCount(warmup.records)} messages in ${formatSeconds(warmup.elapsedMs)}`
        : null,
    ],
    [
      'Broker',
      [target.kind, target.bootstrapServers, environment.broker].filter(Boolean).join(' '),
    ],
    ['Client', environment.client || null],
    ['Client set to', clientSettingsOf(result)],
    ['Run', `${result.runId} at ${result.startedAt}`],
    ['Label', result.label],
  ]
  return [
    ...rows.text('Mode', capitalized(config.mode)),
    ...rows.text('Duration', formatSeconds(totals.elapsedMs)),
    ...rows.text('Concurrency', concurrencyOf(result)),
    ...rows.text('Compression', capitalized(config.compression)),
    ...rows.text('Status', statusOf(result), holds ? 'green' : 'red'),
    ...values.flatMap(([label, value]) => (value === null ? [] : rows.text(label, value))),
  ]
}

const throughputLines = ({ config, totals, pacing }: RunResult, rows: Rows): Line[] => {
  const tried = totals.records + totals.failed + totals.unknown
  const share = (count: number): string => `(${formatPercent(count, tried)})`
  const lines = [
    rows.figure('Messages', formatCount(totals.records), 'total'),
    rows.figure(
      'Failed',
      formatCount(totals.failed),
      share(totals.failed),
      totals.failed > 0 ? 'red' : null,
    ),
  ]
  if (totals.unknown > 0) {
    lines.push(rows.figure('Unknown', formatCount(totals.unknown), share(totals.unknown), 'red'))
  }
  if (totals.unsent > 0 || typeof config['rateRecordsPerSec'] === 'number') {
    const style = totals.unsent > 0 ? 'yellow' : null
    lines.push(rows.figure('Unsent', formatCount(totals.unsent), '', style))
  }
  if (pacing !== undefined) {
    lines.push(rows.figure('Held back', formatCount(pacing.lateRecords), 'due, no free slot'))
  }
  lines.push(
    rows.figure('Data transferred', formatMegabytes(totals.bytes), 'MB'),
    rows.figure('Message rate', formatRate(totals.recordsPerSec), 'msg/s'),
    rows.figure('Bandwidth', formatMegabytes(totals.bytesPerSec), 'MB/s'),
  )
  if (totals.requests > 0 && config.mode !== 'metadata') {
    const mean = totals.records / totals.requests
    lines.push(rows.figure('Mean batch', formatRate(mean), 'msg/request'))
  }
  return lines
}

const groupLines = ({ latency, absent }: LatencyGroup, rows: Rows): Line[] =>
  percentileRows.flatMap(([label, field]) =>
    latency === null || !isTold(latency, field)
      ? rows.text(label, latency === null ? absent : fewSamples)
      : [rows.latency(label, formatCount(latency[field]), formatMilliseconds(latency[field]))],
  )

const latencyLines = (result: RunResult, rows: Rows): Line[] => {
  const groups = latencyGroups(result)
  return groups.flatMap((group) =>
    groups.length === 1
      ? groupLines(group, rows)
      : [line(group.title, 'bold'), ...groupLines(group, rows)],
  )
}

const warningLines = ({ text, advice }: Warning): Line[] => [
  line(`! ${text}`, 'yellow'),
  ...(advice === '' ? [] : [line(`  ${advice}`)]),
]

/** Ends in a line feed. */
export const formatReport = (result: RunResult, options: TextReportOptions): string => {
  const width = Math.min(maxWidth, Math.max(minWidth, options.width ?? defaultWidth))
  const rows = createRows(innerWidth(width))
  const title = `bench Benchmark Results - ${result.config.mode.toUpperCase()}`
  const isMetadata = result.config.mode === 'metadata'
  const last = isMetadata ? checkLines(result, rows) : verificationLines(result, rows)
  const sections = [
    [line(centered(title, rows.width), 'bold')],
    headLines(result, rows),
    [rows.heading('THROUGHPUT')],
    throughputLines(result, rows),
    [rows.heading('LATENCY (microseconds → milliseconds)')],
    latencyLines(result, rows),
  ]
  if (last.length > 0) sections.push([rows.heading(isMetadata ? 'CHECKS' : 'VERIFICATION')], last)
  const resources = resourceLines(result, rows)
  if (resources.length > 0) sections.push([rows.heading('RESOURCES')], resources)
  if (result.warnings.length > 0) {
    sections.push([rows.heading('WARNINGS')], result.warnings.flatMap(warningLines))
  }
  return drawBox(sections, width, options.color)
}

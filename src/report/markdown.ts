import type { RunResult } from '../results/result.ts'
import {
  formatCount,
  formatMegabytes,
  formatMilliseconds,
  formatPartitions,
  formatRate,
  formatSeconds,
  formatValue,
} from './format.ts'
import { formatLatency, type LatencyGroup, latencyGroups, percentileRows } from './latency.ts'
import { escaped, section, table } from './markdown-table.ts'
import { statusOf } from './text.ts'
import { accountOf, partitionDelta } from './verification.ts'

/** The report as Markdown tables, for an issue or a job summary. */

const latencyTable = (groups: readonly LatencyGroup[]): string =>
  table(
    ['Latency (ms)', ...percentileRows.map(([label]) => label)],
    groups.map(({ title, latency, absent }) => [
      title,
      ...percentileRows.map(([, field]) =>
        latency === null ? absent : formatLatency(latency, field, formatMilliseconds),
      ),
    ]),
  )

const latencyGroupsOf = (result: RunResult): LatencyGroup[] => {
  const { pacing } = result
  const title = `Lateness of the pacer (${pacing?.pacer})`
  const lateness = { title, latency: pacing?.latenessUs ?? null, absent: 'n/a' }
  return [...latencyGroups(result), ...(pacing === undefined ? [] : [lateness])]
}

const orAbsent = (count: number | null): string => (count === null ? 'n/a' : formatCount(count))

const verification = (result: RunResult): string => {
  if (result.config.mode === 'metadata') return ''
  const total = accountOf(result)
  const read = (count: number): string => (total.consumed === null ? 'n/a' : formatCount(count))
  const acked = (count: number): string => (total.acked === null ? 'n/a' : formatCount(count))
  return table(
    ['Partition', 'Acked', 'Watermark delta', 'Consumed', 'Missing', 'Duplicates', 'Out of order'],
    [
      ...result.partitions.map((partition) => [
        `${partition.partition}`,
        acked(partition.acked),
        formatCount(partitionDelta(result, partition)),
        read(partition.consumed),
        read(partition.missing),
        read(partition.duplicates),
        read(partition.outOfOrder),
      ]),
      [
        'all',
        orAbsent(total.acked),
        formatCount(total.watermarkDelta),
        orAbsent(total.consumed),
        read(total.missing),
        read(total.duplicates),
        read(total.outOfOrder),
      ],
    ],
  )
}

const orNever = (ms: number | null): string => (ms === null ? 'never' : formatSeconds(ms))

const consumers = (result: RunResult): string =>
  result.consumers.length === 0
    ? ''
    : table(
        [
          'Consumer',
          'Started at',
          'First assignment after',
          'First record after',
          'Partitions',
          'Records',
          'Rebalances',
        ],
        result.consumers.map((consumer) => [
          consumer.name,
          formatSeconds(consumer.startedAtMs),
          orNever(consumer.firstAssignmentMs),
          orNever(consumer.firstRecordMs),
          formatPartitions(consumer.partitions),
          formatCount(consumer.records),
          formatCount(consumer.rebalances),
        ]),
      )

/** Ends in a line feed. */
export const formatMarkdown = (result: RunResult): string => {
  const { config, totals } = result
  const checks = result.checks.map(({ name, ok, expected, actual }) => [
    name,
    ok ? 'ok' : 'FAILED',
    formatValue(expected),
    formatValue(actual),
  ])
  const warnings = result.warnings.map(
    ({ text, advice }) => `- ${escaped(advice === '' ? text : `${text} (${advice})`)}\n`,
  )
  return [
    `## bench Benchmark Results - ${config.mode.toUpperCase()}\n\n`,
    `${escaped(result.label ?? result.runId)}, ${result.startedAt}: ${escaped(statusOf(result))}\n\n`,
    table(
      [
        'Messages',
        'Failed',
        'Unknown',
        'Unsent',
        'Duration',
        'Data (MB)',
        'Message rate (msg/s)',
        'Bandwidth (MB/s)',
      ],
      [
        [
          formatCount(totals.records),
          formatCount(totals.failed),
          formatCount(totals.unknown),
          formatCount(totals.unsent),
          formatSeconds(totals.elapsedMs),
          formatMegabytes(totals.bytes),
          formatRate(totals.recordsPerSec),
          formatMegabytes(totals.bytesPerSec),
        ],
      ],
    ),
    section('Latency', latencyTable(latencyGroupsOf(result))),
    section('Verification', verification(result)),
    section('Consumers', consumers(result)),
    section(
      'Checks',
      checks.length > 0 ? table(['Check', 'Verdict', 'Expected', 'Actual'], checks) : '',
    ),
    section('Warnings', warnings.join('')),
  ].join('')
}

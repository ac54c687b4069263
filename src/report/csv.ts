import type { Latency, RunResult } from '../results/result.ts'
import { formatPlain } from './format.ts'
import { percentileRows, primaryLatency } from './latency.ts'
import { accountOf } from './verification.ts'

/** One header line and one row: the columns of chronik-bench first, under their names, then those of bench. */

type Cell = [name: string, value: string | number | null | undefined]

const bytesPerMegabyte = 2 ** 20

const latencyCells = (prefix: string, latency: Latency | null): Cell[] =>
  percentileRows.map(([, field]) => [`${prefix}${field}_us`, formatPlain(latency?.[field])])

const chronikCells = (result: RunResult): Cell[] => {
  const { config, totals } = result
  const latency = primaryLatency(result)
  const tried = totals.records + totals.failed + totals.unknown
  return [
    ['timestamp', result.startedAt],
    ['mode', config.mode],
    ['duration_secs', formatPlain(totals.elapsedMs / 1_000, 3)],
    ['total_messages', totals.records],
    ['failed_messages', totals.failed],
    ['total_bytes', totals.bytes],
    ['throughput_msg_per_sec', formatPlain(totals.recordsPerSec, 2)],
    ['throughput_mb_per_sec', formatPlain(totals.bytesPerSec / bytesPerMegabyte, 2)],
    ['success_rate_pct', tried > 0 ? formatPlain((totals.records / tried) * 100, 2) : ''],
    ...latencyCells('latency_', latency),
    ...percentileRows.map(
      ([, field]): Cell => [
        `latency_${field}_ms`,
        latency === null ? '' : formatPlain(latency[field] / 1_000, 3),
      ],
    ),
    ['message_size', config.messageSizeBytes],
    ['concurrency', config.concurrency],
    ['compression', config.compression],
  ]
}

const ownCells = (result: RunResult): Cell[] => {
  const { config, environment, totals, consumers, checks, pacing } = result
  const account = accountOf(result)
  const assigned = consumers.flatMap(({ firstAssignmentMs }) => firstAssignmentMs ?? [])
  return [
    ['run_id', result.runId],
    ['label', result.label],
    ['status', result.status],
    ['failed_checks', checks.filter((check) => !check.ok).length],
    ['topic', config.topic],
    ['acks', config['acks'] as string | number | undefined],
    ['rate', config['rateRecordsPerSec'] as number | null | undefined],
    ['unknown_messages', totals.unknown],
    ['unsent_messages', totals.unsent],
    ['requests', totals.requests],
    ['warmup_messages', result.warmup.records],
    ...latencyCells('service_', result.latencyUs.service),
    ['acked', account.acked],
    ['watermark_delta', account.watermarkDelta],
    ['consumed', account.consumed],
    ['missing', account.missing],
    ['duplicates', account.duplicates],
    ['out_of_order', account.outOfOrder],
    ['foreign', account.foreign],
    ['corrupt', account.corrupt],
    ['not_judged', account.notJudged],
    ['consumers', consumers.length],
    ['unassigned_consumers', consumers.length - assigned.length],
    ['max_first_assignment_ms', assigned.length > 0 ? formatPlain(Math.max(...assigned), 3) : ''],
    ['rebalances', consumers.reduce((sum, consumer) => sum + consumer.rebalances, 0)],
    ['pacer', pacing?.pacer],
    ['lateness_p99_us', formatPlain(pacing?.latenessUs?.p99)],
    ['late_messages', pacing?.lateRecords],
    ['warnings', result.warnings.length],
    ['bench_version', environment.benchVersion],
    ['client', environment.client],
    ['broker', environment.broker],
  ]
}

const quoted = (value: string): string =>
  /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value

/** Latencies are response times in produce and metadata, end-to-end times otherwise; what was not measured is empty. */
export const formatCsv = (result: RunResult): string => {
  const cells = [...chronikCells(result), ...ownCells(result)]
  const header = cells.map(([name]) => name).join(',')
  return `${header}\n${cells.map(([, value]) => quoted(`${value ?? ''}`)).join(',')}\n`
}

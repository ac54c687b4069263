import type { Check, ConsumerResult, PartitionResult, RunResult } from '../results/result.ts'
import type { Line } from './box.ts'
import { formatCount, formatPartitions, formatSeconds, formatValue } from './format.ts'
import type { Rows } from './rows.ts'
import { type Column, drawTable, type Row } from './table.ts'

/** The section that accounts for every record: counts, partitions, consumers, checks. */

export interface Account {
  /** Warm-up included; null where the run did not send. */
  acked: number | null
  /** With acks=0 nothing is acked, only written to the connection; null otherwise. */
  written: number | null
  /** Records between two end offsets, or in consume between where reading began and its target. */
  watermarkDelta: number
  /** Null when nothing was read back; then the verdicts below say nothing either. */
  consumed: number | null
  missing: number
  duplicates: number
  outOfOrder: number
  foreign: number
  corrupt: number
  notJudged: number
}

const sum = (result: RunResult, of: (partition: PartitionResult) => number): number =>
  result.partitions.reduce((total, partition) => total + of(partition), 0)

export const partitionDelta = (result: RunResult, partition: PartitionResult): number =>
  partition.highAfter -
  (result.config.mode === 'consume' ? partition.fromOffset : partition.highBefore)

const consumedOf = (result: RunResult, findings: number): number | null => {
  const consumed = sum(result, (partition) => partition.consumed)
  if (result.config.mode !== 'produce') return consumed
  const wasRead = result.config['validate'] === true || consumed + findings > 0
  return wasRead ? consumed : null
}

export const accountOf = (result: RunResult): Account => {
  const { config, totals, warmup } = result
  const findings = {
    missing: sum(result, (partition) => partition.missing),
    duplicates: sum(result, (partition) => partition.duplicates),
    outOfOrder: sum(result, (partition) => partition.outOfOrder),
    foreign: sum(result, (partition) => partition.foreign),
    corrupt: sum(result, (partition) => partition.corrupt),
  }
  const found = Object.values(findings).reduce((total, count) => total + count, 0)
  return {
    ...findings,
    acked: config.mode === 'consume' ? null : sum(result, (partition) => partition.acked),
    written:
      config.mode !== 'consume' && config['acks'] === 0 ? totals.records + warmup.records : null,
    watermarkDelta: sum(result, (partition) => partitionDelta(result, partition)),
    consumed: consumedOf(result, found),
    notJudged: sum(result, (partition) => partition.notJudged ?? 0),
  }
}

const countRows = (result: RunResult, rows: Rows): Line[] => {
  const account = accountOf(result)
  const wasRead = account.consumed !== null
  const verdict = (label: string, count: number, isBad: boolean): Line =>
    rows.figure(label, wasRead ? formatCount(count) : 'n/a', '', isBad && count > 0 ? 'red' : null)
  const extra = (label: string, count: number, isBad: boolean): Line[] =>
    count > 0 ? [verdict(label, count, isBad)] : []
  const warmedUp =
    result.warmup.records > 0 ? `(warm-up ${formatCount(result.warmup.records)})` : ''
  const sent = account.acked === null ? 'n/a' : formatCount(account.written ?? account.acked)
  return [
    rows.figure(account.written === null ? 'Acked' : 'Written', sent, warmedUp),
    rows.figure('Watermark delta', formatCount(account.watermarkDelta), ''),
    wasRead
      ? rows.figure('Consumed', formatCount(account.consumed ?? 0), '')
      : rows.figure('Consumed', 'n/a', '(not read back)'),
    verdict('Missing', account.missing, true),
    verdict('Duplicates', account.duplicates, false),
    verdict('Out of order', account.outOfOrder, true),
    ...extra('Foreign', account.foreign, false),
    ...extra('Corrupt', account.corrupt, true),
    ...extra('Not judged', account.notJudged, false),
  ]
}

const right = (heading: string): Column => ({ heading, align: 'right' })

type PartitionColumn = [Column, (partition: PartitionResult) => number]

const partitionColumns = (result: RunResult): PartitionColumn[] => {
  const account = accountOf(result)
  const columns: PartitionColumn[] = []
  if (account.acked !== null && account.written === null) {
    columns.push([right('Acked'), (partition) => partition.acked])
  }
  columns.push([right('Delta'), (partition) => partitionDelta(result, partition)])
  if (account.consumed === null) return columns
  columns.push(
    [right('Consumed'), (partition) => partition.consumed],
    [right('Missing'), (partition) => partition.missing],
    [right('Duplicates'), (partition) => partition.duplicates],
    [right('Out of\norder'), (partition) => partition.outOfOrder],
  )
  return columns
}

const isBad = (partition: PartitionResult): boolean =>
  partition.missing + partition.outOfOrder + partition.corrupt > 0

const partitionTable = (result: RunResult, width: number): Line[] => {
  if (result.partitions.length < 2) return []
  const columns = partitionColumns(result)
  const table = result.partitions.map(
    (partition): Row => ({
      cells: [`${partition.partition}`, ...columns.map(([, of]) => formatCount(of(partition)))],
      style: isBad(partition) ? 'red' : null,
    }),
  )
  return drawTable([right('Partition'), ...columns.map(([column]) => column)], table, width)
}

const consumerColumns: Column[] = [
  { heading: 'Consumer', align: 'left' },
  right('Started\nat'),
  right('First\nassignment\nafter'),
  right('First\nrecord\nafter'),
  right('Partitions'),
  right('Records'),
  right('Rebalances'),
]

const orNever = (ms: number | null): string => (ms === null ? 'never' : formatSeconds(ms))

const consumerRow = (consumer: ConsumerResult): Row => ({
  cells: [
    consumer.name,
    formatSeconds(consumer.startedAtMs),
    orNever(consumer.firstAssignmentMs),
    orNever(consumer.firstRecordMs),
    formatPartitions(consumer.partitions),
    formatCount(consumer.records),
    formatCount(consumer.rebalances),
  ],
  style: consumer.firstAssignmentMs === null ? 'yellow' : null,
})

const checkLine = ({ name, ok, expected, actual }: Check, rows: Rows): Line[] =>
  rows.text(
    ok ? 'ok' : 'FAILED',
    ok ? name : `${name} (expected ${formatValue(expected)}, actual ${formatValue(actual)})`,
    ok ? 'green' : 'red',
  )

export const checkLines = (result: RunResult, rows: Rows): Line[] =>
  result.checks.flatMap((check) => checkLine(check, rows))

/** Not for metadata, which moves no records. */
export const verificationLines = (result: RunResult, rows: Rows): Line[] => {
  const blank = rows.heading('')
  const partitions = partitionTable(result, rows.width)
  const consumers =
    result.consumers.length === 0
      ? []
      : drawTable(consumerColumns, result.consumers.map(consumerRow), rows.width)
  const checks = checkLines(result, rows)
  return [countRows(result, rows), partitions, consumers, checks]
    .filter((block) => block.length > 0)
    .flatMap((block, index) => (index === 0 ? block : [blank, ...block]))
}

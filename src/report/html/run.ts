import type { PartitionResult, RunResult } from '../../results/result.ts'
import {
  formatCount,
  formatMegabytes,
  formatMilliseconds,
  formatPartitions,
  formatPercent,
  formatRate,
  formatSeconds,
  formatValue,
} from '../format.ts'
import { formatLatency, isTold, latencyGroups, percentileRows, primaryLatency } from '../latency.ts'
import { pacerOf, statusOf } from '../text.ts'
import { accountOf, partitionDelta } from '../verification.ts'
import { type Child, el, join, prose } from './markup.ts'
import { membersChart } from './members.ts'
import { timeCharts } from './over-time.ts'
import {
  dataTable,
  factTable,
  failedChecks,
  renderPage,
  section,
  type TableRow,
  tiles,
  verdictBlock,
} from './page.ts'
import { decodeHistogram, percentileCurve } from './percentile-curve.ts'
import { reproduceBlock } from './reproduce.ts'
import { resourcePanel } from './resources.ts'

/** A run as one HTML file: the verdict first, then what it rests on. */

const holds = ({ status, checks }: RunResult): boolean =>
  status === 'completed' && checks.every(({ ok }) => ok)

const verdict = (result: RunResult) => {
  const { status, checks, config, label, startedAt, runId, warnings } = result
  const failed = checks.filter(({ ok }) => !ok)
  const isInterrupted = status === 'interrupted' && failed.length === 0
  return verdictBlock(holds(result) ? 'good' : isInterrupted ? 'doubt' : 'bad', {
    eyebrow: [`bench ${config.mode}`, label, startedAt, `run ${runId}`].filter(Boolean).join(' · '),
    word: holds(result) ? 'PASS' : isInterrupted ? 'INTERRUPTED' : 'FAIL',
    reason: statusOf(result),
    details: [
      failedChecks(checks),
      warnings.length === 0
        ? null
        : el(
            'ul',
            { class: 'plain' },
            ...warnings.map(({ text, advice }) =>
              el(
                'li',
                { class: 'doubt' },
                el('span', { class: 'word' }, 'Mind: '),
                prose(advice === '' ? text : `${text}. ${advice}`),
              ),
            ),
          ),
    ],
  })
}

type Tile = readonly [label: string, value: string, unit: string]

const latencyTiles = (result: RunResult): Tile[] => {
  const latency = primaryLatency(result)
  if (latency === null) return []
  const isOneWay = result.config.mode === 'consume' || result.config.mode === 'round-trip'
  return (['p50', 'p99'] as const).map((field) => {
    const value = isTold(latency, field) ? formatMilliseconds(latency[field]) : 'n/a'
    return [isOneWay ? `${field} end to end` : field, value, value === 'n/a' ? 'few samples' : 'ms']
  })
}

const groupTiles = ({ consumers }: RunResult): Tile[] => {
  if (consumers.length === 0) return []
  const times = consumers.flatMap(({ firstAssignmentMs }) => firstAssignmentMs ?? [])
  const isWhole = times.length === consumers.length
  return [
    ['Slowest assignment', isWhole ? formatSeconds(Math.max(...times)) : 'never', ''],
    ['Rebalances', formatCount(Math.max(...consumers.map(({ rebalances }) => rebalances))), ''],
  ]
}

const keyFigures = (result: RunResult): Child => {
  const { config, totals } = result
  const { consumed, missing } = accountOf(result)
  const isMetadata = config.mode === 'metadata'
  const lost: Tile =
    consumed === null
      ? ['Missing', 'n/a', 'not read back']
      : ['Missing', formatCount(missing), missing === 1 ? 'record' : 'records']
  return tiles([
    ['Rate', formatRate(totals.recordsPerSec), isMetadata ? 'answers/s' : 'records/s'],
    ...latencyTiles(result),
    ...groupTiles(result),
    [isMetadata ? 'Answers' : 'Records', formatCount(totals.records), ''],
    ...(isMetadata
      ? []
      : [['Bandwidth', formatMegabytes(totals.bytesPerSec), 'MB/s'] as const, lost]),
  ])
}

const rates = (result: RunResult): Child => {
  const { totals, config, warmup, pacing } = result
  const offered = config['rateRecordsPerSec']
  const isOpen = typeof offered === 'number'
  const achieved = `${formatRate(totals.recordsPerSec)} records/s`
  const isSending = config.mode === 'produce' || config.mode === 'round-trip'
  const sent = (count: number): string | null => (isSending ? formatCount(count) : null)
  return factTable([
    [
      'Offered',
      isOpen ? `${formatRate(offered)} records/s` : isSending ? 'as fast as acks come back' : null,
    ],
    [
      'Achieved',
      isOpen ? `${achieved}, ${formatPercent(totals.recordsPerSec, offered)} of it` : achieved,
    ],
    ['Data', `${formatMegabytes(totals.bytes)} MB in ${formatSeconds(totals.elapsedMs)}`],
    ['Records', formatCount(totals.records)],
    ['Failed', sent(totals.failed)],
    ['Unknown (timed out)', sent(totals.unknown)],
    ['Unsent (due, never sent)', isOpen ? formatCount(totals.unsent) : null],
    [
      'Held back (due, no free slot)',
      pacing === undefined ? null : formatCount(pacing.lateRecords),
    ],
    ['Pacer', pacerOf(result)],
    ['Requests', formatCount(totals.requests)],
    ['Warm-up before it', sent(warmup.records)],
  ])
}

/** Without what it means. */
const shortName = (title: string): string => title.replace(/ \(.*/, '')

const latencies = (result: RunResult): Child => {
  const groups = latencyGroups(result)
  const known = groups.flatMap(({ title, latency }) => {
    const histogram = latency === null ? null : decodeHistogram(latency.hdr)
    return histogram === null ? [] : [{ name: shortName(title), histogram }]
  })
  const meanings = groups.map(({ title }) => title).join(', ')
  return join([
    el('p', { class: 'muted' }, `${meanings}. In ms.`),
    dataTable(
      'Latency in ms',
      ['', ...groups.map(({ title }) => shortName(title))],
      [
        ...percentileRows.map(([label, field]) => ({
          cells: [
            label,
            ...groups.map(({ latency, absent }) =>
              latency === null ? absent : formatLatency(latency, field, formatMilliseconds),
            ),
          ],
        })),
        { cells: ['samples', ...groups.map(({ latency }) => formatCount(latency?.count ?? 0))] },
      ],
    ),
    percentileCurve(known),
  ])
}

const isBad = ({ missing, outOfOrder, corrupt }: PartitionResult): boolean =>
  missing + outOfOrder + corrupt > 0

type LedgerColumn = readonly [heading: string, of: (one: PartitionResult) => number, sum: number]

/** What was not there to be seen has no column, nor have rare findings that did not occur. */
const ledgerColumns = (result: RunResult): LedgerColumn[] => {
  const total = accountOf(result)
  const { acked, consumed } = total
  const rare: LedgerColumn[] = [
    ['Foreign', (one) => one.foreign, total.foreign],
    ['Corrupt', (one) => one.corrupt, total.corrupt],
    ['Not judged', (one) => one.notJudged ?? 0, total.notJudged],
  ]
  return [
    ...(acked === null ? [] : [['Acked', (one) => one.acked, acked] satisfies LedgerColumn]),
    ['Watermark delta', (one) => partitionDelta(result, one), total.watermarkDelta],
    ...(consumed === null
      ? []
      : ([
          ['Consumed', (one) => one.consumed, consumed],
          ['Missing', (one) => one.missing, total.missing],
          ['Duplicates', (one) => one.duplicates, total.duplicates],
          ['Out of order', (one) => one.outOfOrder, total.outOfOrder],
        ] satisfies LedgerColumn[])),
    ...rare.filter(([, , sum]) => sum > 0),
  ]
}

const ledger = (result: RunResult): Child[] => {
  if (result.partitions.length === 0) return []
  const columns = ledgerColumns(result)
  const rows = result.partitions.map(
    (one): TableRow => ({
      style: isBad(one) ? 'bad' : null,
      cells: [`${one.partition}`, ...columns.map(([, of]) => formatCount(of(one)))],
    }),
  )
  const sums = columns.map(([, , sum]) => formatCount(sum))
  return [
    accountOf(result).consumed === null
      ? el('p', { class: 'muted' }, 'The records were not read back (--validate does).')
      : null,
    dataTable(
      'Ledger by partition',
      ['Partition', ...columns.map(([heading]) => heading)],
      [...rows, { style: 'all', cells: ['all', ...sums] }],
    ),
  ]
}

const orNever = (ms: number | null): string => (ms === null ? 'never' : formatSeconds(ms))

const members = (result: RunResult): Child[] =>
  result.consumers.length === 0
    ? []
    : [
        dataTable(
          'Members',
          [
            ...['Member', 'Started at', 'First assignment after', 'First record after'],
            ...['Partitions', 'Records', 'Rebalances'],
          ],
          result.consumers.map((one) => ({
            style: one.firstAssignmentMs === null ? 'bad' : null,
            cells: [
              one.name,
              formatSeconds(one.startedAtMs),
              orNever(one.firstAssignmentMs),
              orNever(one.firstRecordMs),
              formatPartitions(one.partitions),
              formatCount(one.records),
              formatCount(one.rebalances),
            ],
          })),
        ),
        membersChart(result),
      ]

const checks = (result: RunResult): Child =>
  result.checks.length === 0
    ? null
    : dataTable(
        'Checks',
        ['Check', 'Verdict', 'Expected', 'Actual'],
        result.checks.map(({ name, ok, expected, actual }) => ({
          style: ok ? null : 'bad',
          cells: [name, ok ? 'ok' : 'FAILED', formatValue(expected), formatValue(actual)],
        })),
      )

const environment = ({ environment: env, target }: RunResult): Child =>
  factTable([
    ['Broker', [target.kind, target.bootstrapServers, env.broker].filter(Boolean).join(' ')],
    ['Client', env.client],
    ['bench', env.benchVersion],
    ['Node', env.node],
    ['System', env.os],
    ['Processor', `${env.cpu}, ${formatCount(env.cores)} cores`],
    ['Memory', `${formatMegabytes(env.memoryBytes)} MB`],
  ])

/** The options as they were in effect; those that were not set say nothing. */
const options = ({ config }: RunResult): Child =>
  el(
    'details',
    {},
    el('summary', {}, 'All options'),
    factTable(
      Object.entries(config).flatMap(([name, value]): [string, string][] => {
        const text = typeof value === 'string' ? value : JSON.stringify(value)
        return value === null || value === false || ['[]', '{}', ''].includes(text)
          ? []
          : [[name, text]]
      }),
    ),
  )

/** A whole page; the result is in it as JSON. */
export const formatHtml = (result: RunResult): string =>
  renderPage({
    title: `${holds(result) ? 'PASS' : 'FAIL'}: bench ${result.config.mode}, ${result.label ?? result.runId}`,
    header: verdict(result),
    main: [
      keyFigures(result),
      section('reproduce', 'Run it again', reproduceBlock(result)),
      section('over-time', 'Over time', ...timeCharts(result)),
      section('members', 'Members of the group', ...members(result)),
      section('latency', 'Latency', latencies(result)),
      section('rate', 'Rate', rates(result)),
      section('ledger', 'Where every record went', ...ledger(result)),
      section('checks', 'Checks', checks(result)),
      section('resources', 'Was the generator the limit?', resourcePanel(result)),
      section('environment', 'Environment', environment(result), options(result)),
    ],
    footer: `Made by bench ${result.environment.benchVersion}. The whole result is in this file: bench report reads it again.`,
    data: result,
  })

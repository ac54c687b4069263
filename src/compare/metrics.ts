import { isCovered, type Percentile } from '../results/percentile.ts'
import type { RunResult } from '../results/result.ts'

/** What two sides are compared by: which figures decide, which only inform, and which allow no noise at all. */

export type MetricUnit = 'records/s' | 'µs' | 'ms' | 's per million'

export interface Metric {
  readonly name: string
  readonly unit: MetricUnit
  readonly better: 'higher' | 'lower'
  /** Only these decide; the number of them is fixed, so that looking at more figures does not find more. */
  readonly isPrimary: boolean
  /** A change smaller than this ratio does not matter: 0.05 is 5 %. */
  readonly threshold: number
  /** Null: the run did not measure it, or with too few samples to say. */
  valueOf(result: RunResult): number | null
}

const percentile =
  (kind: keyof RunResult['latencyUs'], name: Percentile) =>
  (result: RunResult): number | null => {
    const latency = result.latencyUs[kind]
    return latency !== null && isCovered(latency.count, name) ? latency[name] : null
  }

const cpuSecondsPerMillion = (cpuMs: number, records: number): number | null =>
  records > 0 ? (cpuMs * 1_000) / records : null

const slowestAssignment = ({ consumers }: RunResult): number | null => {
  const times = consumers.map(({ firstAssignmentMs }) => firstAssignmentMs)
  return times.length === 0 || times.includes(null) ? null : Math.max(...(times as number[]))
}

const latencyMetric = (
  name: string,
  kind: keyof RunResult['latencyUs'],
  which: Percentile,
  isPrimary = false,
): Metric => ({
  name,
  unit: 'µs',
  better: 'lower',
  isPrimary,
  threshold: which === 'p50' ? 0.1 : 0.2,
  valueOf: percentile(kind, which),
})

/** In the order of the report. CPU is the quietest of all: 2 to 7 times less noise than throughput. */
export const metrics: readonly Metric[] = [
  {
    name: 'rate',
    unit: 'records/s',
    better: 'higher',
    isPrimary: true,
    threshold: 0.05,
    valueOf: ({ totals }) => totals.recordsPerSec,
  },
  {
    name: 'client CPU',
    unit: 's per million',
    better: 'lower',
    isPrimary: true,
    threshold: 0.05,
    valueOf: ({ resources, totals }) =>
      resources ? cpuSecondsPerMillion(resources.generator.cpuMs, totals.records) : null,
  },
  {
    name: 'broker CPU',
    unit: 's per million',
    better: 'lower',
    isPrimary: true,
    threshold: 0.05,
    valueOf: ({ resources, totals }) =>
      resources?.broker ? cpuSecondsPerMillion(resources.broker.cpuMs, totals.records) : null,
  },
  latencyMetric('p50', 'response', 'p50', true),
  latencyMetric('p99', 'response', 'p99', true),
  latencyMetric('end-to-end p99', 'endToEnd', 'p99', true),
  {
    name: 'assign-time',
    unit: 'ms',
    better: 'lower',
    isPrimary: true,
    threshold: 0.2,
    valueOf: slowestAssignment,
  },
  latencyMetric('p90', 'response', 'p90'),
  latencyMetric('p99.9', 'response', 'p999'),
  latencyMetric('service p50', 'service', 'p50'),
  latencyMetric('service p99', 'service', 'p99'),
  latencyMetric('end-to-end p50', 'endToEnd', 'p50'),
]

export interface ExactMetric {
  readonly name: string
  valueOf(result: RunResult): number
}

const sumOf =
  (field: 'missing' | 'duplicates') =>
  ({ partitions }: RunResult): number =>
    partitions.reduce((sum, partition) => sum + partition[field], 0)

/** Counts that the same work always gives: any difference is shown. */
export const exactMetrics: readonly ExactMetric[] = [
  { name: 'failed', valueOf: ({ totals }) => totals.failed },
  { name: 'unknown', valueOf: ({ totals }) => totals.unknown },
  { name: 'missing', valueOf: sumOf('missing') },
  { name: 'duplicates', valueOf: sumOf('duplicates') },
  {
    name: 'rebalances',
    valueOf: ({ consumers }) => consumers.reduce((sum, member) => sum + member.rebalances, 0),
  },
  {
    name: 'generations',
    valueOf: ({ consumers }) => new Set(consumers.flatMap(({ generations }) => generations)).size,
  },
]

/** `--fail-if`: each threshold becomes one check of the result, named by its text. */
import type { Check, Latency, RunResult } from '../results/result.ts'
import type { Threshold, ThresholdMetric } from './options.ts'

const holds: Record<Threshold['operator'], (value: number, limit: number) => boolean> = {
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
}

const opposite: Record<Threshold['operator'], string> = {
  '>': '<=',
  '>=': '<',
  '<': '>=',
  '<=': '>',
}

/** Response time where the run sends, end-to-end time where it receives. */
export const latencyOf = (result: RunResult): Latency | null => {
  const { response, endToEnd } = result.latencyUs
  return result.config.mode === 'produce' || result.config.mode === 'metadata' ? response : endToEnd
}

const sumOf = (result: RunResult, field: 'missing' | 'duplicates'): number =>
  result.partitions.reduce((sum, partition) => sum + partition[field], 0)

/** Null: the run did not measure it. */
const valueOf = (metric: ThresholdMetric, result: RunResult): number | null => {
  switch (metric) {
    case 'rate':
      return result.totals.recordsPerSec
    case 'failed':
      return result.totals.failed + result.totals.unknown
    case 'unsent':
      return result.totals.unsent
    case 'missing':
    case 'duplicates':
      return sumOf(result, metric)
    case 'rebalances':
      return Math.max(0, ...result.consumers.map((member) => member.rebalances))
    case 'assign-time':
      return Math.max(
        0,
        ...result.consumers.map((member) => member.firstAssignmentMs ?? Number.POSITIVE_INFINITY),
      )
    case 'p50':
    case 'p90':
    case 'p95':
    case 'p99':
    case 'p999':
    case 'max':
      return latencyOf(result)?.[metric] ?? null
    default:
      return metric satisfies never
  }
}

const unitOf = (metric: ThresholdMetric): string => {
  if (metric === 'assign-time') return ' ms'
  if (metric === 'rate') return ' records/s'
  return /^(p\d+|max)$/.test(metric) ? ' µs' : ''
}

/** A threshold on a figure that was not measured has not held. */
export const checkThreshold = (threshold: Threshold, result: RunResult): Check => {
  const { metric, operator, limit, text } = threshold
  const value = valueOf(metric, result)
  const isFinite = value !== null && Number.isFinite(value)
  return {
    name: text,
    ok: value !== null && !holds[operator](value, limit),
    expected: `${opposite[operator]} ${limit}${unitOf(metric)}`,
    actual: isFinite ? value : value === null ? 'not measured' : 'never',
  }
}

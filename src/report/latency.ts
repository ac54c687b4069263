import { isCovered } from '../results/percentile.ts'
import type { Latency, RunResult } from '../results/result.ts'

/** Which latencies of a result are worth showing, and under which names. */

export interface LatencyGroup {
  title: string
  latency: Latency | null
  /** Shown in place of figures. */
  absent: string
}

export const percentileRows = [
  ['p50', 'p50'],
  ['p90', 'p90'],
  ['p95', 'p95'],
  ['p99', 'p99'],
  ['p99.9', 'p999'],
  ['max', 'max'],
] as const satisfies readonly (readonly [string, keyof Latency])[]

export type PercentileField = (typeof percentileRows)[number][1]

export const fewSamples = 'n/a (few samples)'

/** Whether there are samples enough to speak of the figure. */
export const isTold = ({ count }: Latency, field: PercentileField): boolean =>
  field === 'max' || isCovered(count, field)

/** A percentile in words; one without samples enough is not told. */
export const formatLatency = (
  latency: Latency,
  field: PercentileField,
  format: (us: number) => string,
): string => (isTold(latency, field) ? format(latency[field]) : fewSamples)

const orNull = (latency: Latency | null): Latency | null =>
  latency === null || latency.count === 0 ? null : latency

/** In a closed loop a record waits only for its turn: less than this is no difference to a reader. */
const closedLoopToleranceUs = 100
const closedLoopTolerance = 0.05

const differ = (response: Latency, service: Latency, isOpenLoop: boolean): boolean =>
  percentileRows.some(([, field]) => {
    const distanceUs = Math.abs(response[field] - service[field])
    const toleranceUs = Math.max(closedLoopToleranceUs, response[field] * closedLoopTolerance)
    return distanceUs > (isOpenLoop ? 0 : toleranceUs)
  })

const noSamples = 'n/a (no samples)'

/** The one that thresholds and one-figure outputs mean: response time where the run sends, end-to-end where it receives. */
export const primaryLatency = ({ config, latencyUs }: RunResult): Latency | null =>
  orNull(
    config.mode === 'produce' || config.mode === 'metadata'
      ? latencyUs.response
      : latencyUs.endToEnd,
  )

/** Never empty. Service time is left out where it is the response time, as in a closed loop. */
export const latencyGroups = ({ config, latencyUs }: RunResult): LatencyGroup[] => {
  const response = orNull(latencyUs.response)
  const service = orNull(latencyUs.service)
  const endToEnd = orNull(latencyUs.endToEnd)
  const isOpenLoop = typeof config['rateRecordsPerSec'] === 'number'
  if (config.mode === 'consume') {
    return [
      { title: 'Service time (fetch request to answer)', latency: service, absent: noSamples },
      { title: 'End to end (send to receipt)', latency: endToEnd, absent: 'n/a (backlog)' },
    ]
  }
  const groups: LatencyGroup[] = []
  if (config.mode === 'round-trip') {
    const title = 'End to end (intended send to receipt)'
    groups.push({ title, latency: endToEnd, absent: noSamples })
  }
  const title = 'Response time (intended send to answer)'
  groups.push({ title, latency: response, absent: noSamples })
  if (service !== null && (response === null || differ(response, service, isOpenLoop))) {
    groups.push({
      title: 'Service time (actual send to answer)',
      latency: service,
      absent: noSamples,
    })
  }
  return groups
}

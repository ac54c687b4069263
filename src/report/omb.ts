import { UsageError } from '../errors.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import { highestShare } from '../results/percentile.ts'
import type { Latency, RunResult, TimelinePoint } from '../results/result.ts'

/**
 * A result as OpenMessaging Benchmark writes its own, for charts that read those. What bench did not measure is left
 * out; a series that bench has only of the whole run has one point.
 */

// OMB takes a sample every ten seconds, and its charts count on it.
const windowMs = 10_000
const shortestTailMs = 1_000

interface Window {
  elapsedMs: number
  points: TimelinePoint[]
}

/** The timeline in windows of ten seconds; a last one that is too short to have a rate joins the one before. */
const windowsOf = (timeline: readonly TimelinePoint[]): Window[] => {
  const windows: Window[] = []
  let beginMs = 0
  for (const point of timeline) {
    const last = windows.at(-1)
    const isTail = point === timeline.at(-1) && point.atMs - beginMs < shortestTailMs
    if (last !== undefined && (last.elapsedMs + shortestTailMs / 2 < windowMs || isTail)) {
      last.points.push(point)
      last.elapsedMs += point.atMs - beginMs
    } else windows.push({ elapsedMs: point.atMs - beginMs, points: [point] })
    beginMs = point.atMs
  }
  return windows
}

const perSec = (windows: readonly Window[], of: (point: TimelinePoint) => number): number[] =>
  windows.map(({ elapsedMs, points }) => {
    const sum = points.reduce((total, point) => total + of(point), 0)
    return elapsedMs > 0 ? (sum * 1_000) / elapsedMs : 0
  })

/** Percent -> value as OMB names them in a map: five steps per halving of what lies beyond, as far as the samples reach. */
const quantilesOf = (histogram: LatencyHistogram, unitUs: number): Record<string, number> => {
  const quantiles: Record<string, number> = {}
  const highest = highestShare(histogram.count)
  for (let step = 0; 1 - 2 ** (-step / 5) < highest; step += 1) {
    const percent = 100 * (1 - 2 ** (-step / 5))
    quantiles[percent.toFixed(4)] = histogram.percentile(percent) / unitUs
  }
  quantiles['100.0'] = histogram.max / unitUs
  return quantiles
}

const percentiles = { '50': 50, '75': 75, '95': 95, '99': 99, '999': 99.9, '9999': 99.99 }

/**
 * OMB's fields of one latency: a series of one point, the same over the whole run, and the map of quantiles.
 * `name` is `PublishLatency`, `PublishDelayLatency` or `EndToEndLatency`.
 */
const latencyFields = (
  name: string,
  latency: Latency | null | undefined,
  unitUs: number,
): Record<string, unknown> => {
  if (!latency) return {}
  const histogram = LatencyHistogram.decode(latency.hdr)
  const figures: Record<string, number> = { Avg: latency.mean / unitUs }
  for (const [digits, percent] of Object.entries(percentiles)) {
    if (percent / 100 <= highestShare(latency.count)) {
      figures[`${digits}pct`] = histogram.percentile(percent) / unitUs
    }
  }
  figures['Max'] = latency.max / unitUs
  const series = name.replace(/^./, (letter) => letter.toLowerCase())
  return {
    ...Object.fromEntries(
      Object.entries(figures).flatMap(([figure, value]) => [
        [`${series}${figure}`, [value]],
        [`aggregated${name}${figure}`, value],
      ]),
    ),
    [`aggregated${name}Quantiles`]: quantilesOf(histogram, unitUs),
  }
}

const usPerMs = 1_000

/** Where nothing waits for its time, the response times of the timeline are OMB's: from the send to the ack. */
const highestP99s = (windows: readonly Window[]): number[] =>
  windows.map(({ points }) => Math.max(...points.map(({ p99Us }) => p99Us ?? 0)) / usPerMs)

const publishFields = (result: RunResult, windows: readonly Window[]): Record<string, unknown> => {
  const { latencyUs, pacing } = result
  const isDelayWhole = pacing?.lateRecords === 0
  return {
    publishRate: perSec(windows, ({ records }) => records),
    publishErrorRate: perSec(windows, ({ failed }) => failed),
    ...latencyFields('PublishLatency', latencyUs.service, usPerMs),
    ...(pacing === undefined ? { publishLatency99pct: highestP99s(windows) } : {}),
    ...latencyFields('PublishDelayLatency', isDelayWhole ? pacing.latenessUs : null, 1),
  }
}

const consumeFields = (result: RunResult, windows: readonly Window[]): Record<string, unknown> => ({
  consumeRate: perSec(windows, ({ records }) => records),
  backlog: windows.map(({ points }) => points.at(-1)?.lag ?? 0),
  ...latencyFields('EndToEndLatency', result.latencyUs.endToEnd, usPerMs),
})

/** What came back is counted, not timed: one rate over the whole run. */
const returnFields = ({ totals, latencyUs }: RunResult): Record<string, unknown> => ({
  consumeRate: [((totals.received ?? 0) * 1_000) / totals.elapsedMs],
  ...latencyFields('EndToEndLatency', latencyUs.endToEnd, usPerMs),
})

/**
 * JSON with the fields of OMB's `TestResult`, latencies in ms and publish delays in µs as there.
 * Throws a `UsageError` for a metadata run, which moves no records.
 */
export const formatOmb = (result: RunResult): string => {
  const { config, environment, label, consumers, partitions, timeline, totals } = result
  const { mode, messageSizeBytes } = config
  if (mode === 'metadata') throw new UsageError('--format omb: a metadata run moves no records')
  const windows = windowsOf(timeline)
  const fields = {
    workload: label ?? `${mode}, ${messageSizeBytes} bytes`,
    driver: [environment.client, environment.broker].filter(Boolean).join(', '),
    // What a consumer reads has the size it has, whatever --message-size says.
    messageSize:
      mode === 'consume'
        ? Math.round(totals.bytes / Math.max(1, totals.records))
        : messageSizeBytes,
    topics: 1,
    partitions: partitions.length,
    producersPerTopic: mode === 'consume' ? 0 : 1,
    consumersPerTopic: mode === 'round-trip' ? 1 : consumers.length,
    ...(mode === 'consume' ? consumeFields(result, windows) : publishFields(result, windows)),
    ...(mode === 'round-trip' ? returnFields(result) : {}),
  }
  return `${JSON.stringify(fields, null, 2)}\n`
}

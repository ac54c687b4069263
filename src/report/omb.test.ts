import { describe, expect, it } from 'vitest'
import {
  consumeResult,
  metadataResult,
  produceResult,
  roundTripResult,
} from '../../test/support/sample-result.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import type { Latency, RunResult, TimelinePoint } from '../results/result.ts'
import { formatOmb } from './omb.ts'

const histogramOf = (count: number, us: (index: number) => number): Latency => {
  const histogram = new LatencyHistogram()
  for (let index = 1; index <= count; index += 1) histogram.record(us(index))
  return histogram.toLatency() as Latency
}

/** 1,000 latencies from 1 to 1,000 µs. */
const latency = histogramOf(1_000, (index) => index)

const seconds = (count: number, fields: Partial<TimelinePoint> = {}): TimelinePoint[] =>
  Array.from({ length: count }, (_, index) => ({
    atMs: (index + 1) * 1_000,
    records: 100,
    failed: 0,
    bytes: 25_600,
    p50Us: 500,
    p99Us: 1_000 + index,
    ...fields,
  }))

const read = (result: RunResult): Record<string, unknown> =>
  JSON.parse(formatOmb(result)) as Record<string, unknown>

const measured = { response: latency, service: latency, endToEnd: null }

const figures = ['Avg', '50pct', '75pct', '95pct', '99pct', 'Max']
const namesOf = (what: string, series: string): string[] => [
  ...figures.flatMap((figure) => [`${series}${figure}`, `aggregated${what}${figure}`]),
  `aggregated${what}Quantiles`,
]

const base = [
  ...['workload', 'driver', 'messageSize', 'topics', 'partitions'],
  ...['producersPerTopic', 'consumersPerTopic'],
]
const publish = [
  ...['publishRate', 'publishErrorRate'],
  ...namesOf('PublishLatency', 'publishLatency'),
]

describe("OMB's form", () => {
  it('of a produce has its fields and no other, rates in windows of ten seconds', () => {
    const omb = read(produceResult({ latencyUs: measured, timeline: seconds(25), label: 'v2' }))
    expect(Object.keys(omb).toSorted()).toEqual([...base, ...publish].toSorted())
    expect(omb).toMatchObject({
      workload: 'v2',
      driver: 'kafkajs 2.2.4, bench 0.1.0',
      messageSize: 256,
      topics: 1,
      partitions: 3,
      producersPerTopic: 1,
      consumersPerTopic: 0,
      publishRate: [100, 100, 100],
      publishLatency99pct: [1.009, 1.019, 1.024],
      publishLatency50pct: [0.5],
      aggregatedPublishLatency75pct: 0.75,
      aggregatedPublishLatencyMax: 1,
    })
  })

  it('joins a last second that is too short to its window, and counts its real length', () => {
    const timeline = [...seconds(10), { ...seconds(1)[0], atMs: 10_500 } as TimelinePoint]
    const { publishRate } = read(produceResult({ latencyUs: measured, timeline }))
    expect(publishRate).toEqual([1_100 / 10.5])
  })

  it('has a map of quantiles as far as the samples reach, which grows', () => {
    const omb = read(produceResult({ latencyUs: measured, timeline: seconds(1) }))
    const quantiles = Object.entries(
      omb['aggregatedPublishLatencyQuantiles'] as Record<string, number>,
    ).map(([percent, ms]) => [Number(percent), ms] as const)
    const percents = quantiles.map(([percent]) => percent)
    expect(percents).toContain(50)
    expect(percents.at(-1)).toBe(100)
    expect(percents.at(-2)).toBeLessThan(99)
    expect(quantiles).toEqual(quantiles.toSorted(([a], [b]) => a - b))
    expect(quantiles.map(([, ms]) => ms)).toEqual(
      quantiles.map(([, ms]) => ms).toSorted((a, b) => a - b),
    )
  })

  it('has publish delays, in µs, only of an open loop whose records were all on time', () => {
    const pacing = { pacer: 'precise', latenessUs: latency, lateRecords: 0 } as const
    const timely = read(produceResult({ latencyUs: measured, pacing }))
    expect(timely).toMatchObject({
      publishLatency99pct: [0.99],
      publishDelayLatency99pct: [990],
      aggregatedPublishDelayLatencyMax: 1_000,
    })
    const late = read(produceResult({ latencyUs: measured, pacing: { ...pacing, lateRecords: 1 } }))
    expect(Object.keys(late).filter((name) => name.includes('Delay'))).toEqual([])
  })

  it('of a round-trip has what came back, and end-to-end latencies', () => {
    const latencyUs = { ...measured, endToEnd: histogramOf(1_000, (index) => 2 * index) }
    const result = roundTripResult({ latencyUs })
    const totals = { ...result.totals, elapsedMs: 2_000, received: 500 }
    const omb = read({ ...result, totals })
    expect(Object.keys(omb).toSorted()).toEqual(
      [
        ...[...base, ...publish, 'consumeRate'],
        ...namesOf('EndToEndLatency', 'endToEndLatency'),
      ].toSorted(),
    )
    expect(omb).toMatchObject({ consumeRate: [250], aggregatedEndToEndLatency95pct: 1.9 })
  })

  it('of a consume has rate and backlog, and no latency where there is none', () => {
    const latencyUs = { response: null, service: null, endToEnd: null }
    const timeline = [...seconds(10, { lag: 900 }), ...seconds(0)]
    const omb = read(consumeResult({ timeline, latencyUs }))
    expect(Object.keys(omb).toSorted()).toEqual([...base, 'backlog', 'consumeRate'].toSorted())
    expect(omb).toMatchObject({ consumeRate: [100], backlog: [900], producersPerTopic: 0 })
    expect(omb['messageSize']).toBe(256)
  })

  it('is refused for metadata', () => {
    expect(() => formatOmb(metadataResult())).toThrow('moves no records')
  })
})

import { describe, expect, it } from 'vitest'
import { golden } from '../../test/support/golden.ts'
import {
  consumeResult,
  metadataResult,
  produceResult,
  roundTripResult,
  sampleLatency,
  samplePartition,
  sampleResources,
} from '../../test/support/sample-result.ts'
import type { RunResult } from '../results/result.ts'
import { formatReport } from './text.ts'

const plain = (result: RunResult, width?: number): string =>
  formatReport(result, width === undefined ? { color: false } : { color: false, width })

const lengthOf = (text: string): number => Array.from(text).length

const withFailures = produceResult({
  status: 'completed',
  resources: sampleResources(),
  totals: { ...produceResult().totals, failed: 12, unknown: 3, unsent: 40 },
  config: { ...produceResult().config, rateRecordsPerSec: 60_000, validate: true },
  latencyUs: {
    response: sampleLatency({ max: 61_000_123 }),
    service: sampleLatency(),
    endToEnd: null,
  },
  partitions: [
    samplePartition({ partition: 0, acked: 900_000, highAfter: 900_000, consumed: 900_000 }),
    samplePartition({
      partition: 1,
      acked: 895_747,
      highAfter: 895_744,
      consumed: 895_740,
      missing: 4,
      duplicates: 1,
      outOfOrder: 2,
      foreign: 5,
      corrupt: 6,
      notJudged: 7,
    }),
  ],
  checks: [
    { name: 'acked-equals-watermark-delta', ok: false, expected: 1_795_747, actual: 1_795_744 },
    { name: 'p99>10ms', ok: true, expected: '<= 10000 µs', actual: '5903 µs' },
  ],
  warnings: [
    {
      code: 'unknown-outcome',
      text: '3 records ended without an answer: they may or may not be in the log',
      advice: 'raise --request-timeout-ms, or read the log back with --validate',
    },
  ],
})

const interrupted = consumeResult({
  status: 'interrupted',
  consumers: consumeResult().consumers.map((consumer, index) =>
    index === 2
      ? {
          ...consumer,
          memberId: null,
          firstAssignmentMs: null,
          firstRecordMs: null,
          partitions: [],
          records: 0,
        }
      : consumer,
  ),
  checks: [{ name: 'every-member-assigned', ok: false, expected: 3, actual: 2 }],
})

const veryLong = consumeResult({
  label: 'a label with spaces and ünïcödé '.repeat(6).trim(),
  config: { ...consumeResult().config, topic: 't'.repeat(249), consumerGroup: 'g'.repeat(120) },
  totals: { ...consumeResult().totals, records: 9_007_199_254_740_991, bytesPerSec: 2 ** 60 },
  latencyUs: { response: null, service: null, endToEnd: sampleLatency() },
  consumers: consumeResult().consumers.map((consumer) => ({
    ...consumer,
    name: `${consumer.name}-${'n'.repeat(80)}`,
    partitions: Array.from({ length: 60 }, (_, index) => index * 2),
  })),
  checks: [{ name: 'c'.repeat(150), ok: true, expected: 1, actual: 1 }],
})

const openLoop = produceResult({
  config: { ...produceResult().config, rateRecordsPerSec: 60_000, pacer: 'precise' },
  pacing: {
    pacer: 'precise',
    latenessUs: sampleLatency({ p50: 84, p99: 301, max: 2_310 }),
    lateRecords: 1_204,
  },
})

const samples: [string, RunResult][] = [
  ['produce-open-loop', openLoop],
  ['produce', produceResult()],
  ['produce-failed', withFailures],
  ['consume', consumeResult()],
  ['consume-interrupted', interrupted],
  ['round-trip', roundTripResult()],
  ['metadata', metadataResult()],
  ['very-long', veryLong],
]

describe('the boxed report', () => {
  it.each(samples)('%s is as expected', (name, result) => {
    const text = plain(result)
    expect(text).toBe(golden(`report/${name}.txt`, text))
  })

  it.each([40, 64, 100])('of a group is as expected at %d columns', (width) => {
    const text = plain(interrupted, width)
    expect(text).toBe(golden(`report/consume-interrupted-${width}.txt`, text))
  })

  const widths = [40, 41, 47, 52, 53, 62, 64, 79, 80, 81, 100, 120]
  it.each(samples)('%s is closed on the right at every width', (_, result) => {
    for (const width of widths) {
      const lines = plain(result, width).trimEnd().split('\n')
      expect(lines.filter((text) => !/^[╔║╠╚].*[╗║╣╝]$/.test(text))).toEqual([])
      expect([...new Set(lines.map(lengthOf))]).toEqual([width])
    }
  })

  it('keeps within 40 and 120 columns', () => {
    const widthsOf = [1, 0, 500].map((width) => plain(produceResult(), width).split('\n')[0] ?? '')
    expect(widthsOf.map(lengthOf)).toEqual([40, 40, 120])
  })

  it('loses no part of a long name', () => {
    const inside = plain(veryLong, 40).replace(/[║\s]/g, '')
    expect(inside).toContain('t'.repeat(249))
    expect(inside).toContain('g'.repeat(120))
    expect(inside).toContain('c'.repeat(150))
  })

  it('has the sections and labels of the founding report, in its order', () => {
    const labels = [
      'bench Benchmark Results - PRODUCE',
      'Mode:             Produce',
      'Duration:         35.00s',
      'Concurrency:      128',
      'Compression:      None',
      'THROUGHPUT',
      'Messages:            1,794,747 total',
      'Failed:                      0 (0.00%)',
      'Data transferred:       438.17 MB',
      'Message rate:           51,277 msg/s',
      'Bandwidth:               12.52 MB/s',
      'LATENCY (microseconds → milliseconds)',
      'p50:                     1,901 μs  (    1.90 ms)',
      'p90:                     2,807 μs  (    2.81 ms)',
      'p95:                     3,411 μs  (    3.41 ms)',
      'p99:                     5,903 μs  (    5.90 ms)',
      'p99.9:                  10,447 μs  (   10.45 ms)',
      'max:                    30,207 μs  (   30.21 ms)',
      'VERIFICATION',
    ]
    const text = plain(produceResult())
    const places = labels.map((label) => text.indexOf(label))
    expect(places).not.toContain(-1)
    expect(places).toEqual(places.toSorted((left, right) => left - right))
  })

  it('has escape codes only where colour is asked for, and the same text under them', () => {
    const colored = formatReport(withFailures, { color: true })
    // eslint-disable-next-line no-control-regex
    const bare = colored.replace(/\u001b\[\d+m/g, '')
    expect(colored).not.toBe(bare)
    expect(bare).toBe(plain(withFailures))
    expect(plain(withFailures)).not.toContain('\u001b')
  })

  it('shows what would move the cursor or break the box as a question mark', () => {
    const label = 'a\u001b[2J\nb\tc\u202ed'
    expect(plain(produceResult({ label }))).toContain('Label:            a?[2J?b?c?d')
  })

  it('says of a partition table only what was measured', () => {
    expect(plain(produceResult())).toMatch(/Consumed: +n\/a \(not read back\)/)
    expect(plain(produceResult())).not.toMatch(/Partition +Acked +Delta +Consumed/)
    const single = produceResult({ partitions: [samplePartition({ acked: 5, highAfter: 5 })] })
    expect(plain(single)).not.toContain('Partition ')
  })

  it('does not call acked what was only written', () => {
    const result = produceResult()
    const written = plain({ ...result, config: { ...result.config, acks: 0 } })
    expect(written).toContain('Written:')
    expect(written).not.toContain('Acked')
  })

  it('has no verification of metadata, but its thresholds', () => {
    const checks = [{ name: 'p99>1ms', ok: false, expected: '<= 1000 µs', actual: '5903 µs' }]
    expect(plain(metadataResult())).not.toMatch(/VERIFICATION|CHECKS/)
    expect(plain(metadataResult({ checks }))).toContain('CHECKS')
    expect(plain(metadataResult({ checks }))).toContain('FAILED:           p99>1ms (expected')
  })

  it('shows end-to-end time of a backlog and a run without samples as not measured', () => {
    expect(plain(consumeResult()).match(/p99\.9: +n\/a \(backlog\)/g)).toHaveLength(1)
    const none = produceResult({ latencyUs: { response: null, service: null, endToEnd: null } })
    expect(plain(none).match(/n\/a \(no samples\)/g)).toHaveLength(6)
  })

  it.each([
    ['open', 60_000, {}, false],
    ['open', 60_000, { p99: 5_902 }, true],
    ['closed', null, { p50: 1_801, p99: 5_610, max: 29_000 }, false],
    ['closed', null, { p50: 1_800 }, true],
    ['closed', null, { max: 28_000 }, true],
  ])('of an %s loop at rate %j with service time %j apart: %s', (_, rate, service, isApart) => {
    const config = { ...produceResult().config, rateRecordsPerSec: rate }
    const latencyUs = { response: sampleLatency(), service: sampleLatency(service), endToEnd: null }
    expect(plain(produceResult({ config, latencyUs })).includes('Service time')).toBe(isApart)
  })

  it('stays whole without any record', () => {
    const nothing = produceResult({
      totals: {
        records: 0,
        failed: 0,
        unknown: 0,
        unsent: 0,
        bytes: 0,
        elapsedMs: 0,
        recordsPerSec: 0,
        bytesPerSec: 0,
        requests: 0,
      },
      partitions: [],
      checks: [],
    })
    expect(plain(nothing)).not.toMatch(/NaN|Infinity|undefined|null/)
  })
})

it('says what -X told the client, and nothing when it told nothing', () => {
  const { config } = consumeResult()
  const clientProperties = { 'check.crcs': 'true', 'client.rack': 'a' }
  const told = plain(consumeResult({ config: { ...config, clientProperties } }))
  expect(told).toMatch(/Client set to: +check\.crcs=true, client\.rack=a /)
  expect(plain(consumeResult())).not.toContain('Client set to')
})

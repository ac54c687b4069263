import { expect, test } from 'vitest'
import { golden } from '../../test/support/golden.ts'
import { produceResult, sampleLatency, sampleResources } from '../../test/support/sample-result.ts'
import type { RunResult } from '../results/result.ts'
import { formatPlannedRun, formatSeries, placeOf } from './series.ts'

const runOf = (rate: number, fields: Partial<RunResult> = {}): RunResult => {
  const run = produceResult({ resources: sampleResources({ cpuMs: rate / 2 }), ...fields })
  return { ...run, totals: { ...run.totals, records: 1_000_000, recordsPerSec: rate } }
}

const failed = { name: 'in-order', ok: false, expected: 0, actual: 1 }

const scanned = [
  { title: '--message-size 100', result: runOf(50_000) },
  { title: '--message-size 1000', result: runOf(20_000, { checks: [failed] }) },
  { title: '--message-size 100', result: runOf(54_000) },
  { title: '--message-size 1000', result: runOf(21_000) },
]

test.each([100, 60])('a scan has a row for each value, %d wide', (width) => {
  const text = formatSeries('0123456789ab', scanned, { width })
  expect(text).toBe(golden(`report/series-${width}.txt`, text))
})

test('names that would be the same once cut are not cut', () => {
  const codecs = ['none', 'gzip'].map((codec) => ({
    title: `--message-size 100 --compression ${codec}`,
    result: runOf(50_000),
  }))
  expect(formatSeries('0123456789ab', codecs, { width: 100 })).toMatch(/--compression gzip {3}/)
  expect(formatSeries('0123456789ab', codecs, { width: 80 })).toMatch(/--compression gzip *║\n/)
})

test('a percentile with too few samples is not told', () => {
  const latencyUs = { response: sampleLatency({ count: 999 }), service: null, endToEnd: null }
  const run = runOf(50_000, { latencyUs })
  expect(formatPlannedRun(placeOf(0, 2), '', run)).toContain('  p99 n/a ms  ')
})

test('one run in one line', () => {
  expect(formatPlannedRun(placeOf(1, 6), 'a', runOf(50_000))).toBe(
    'run 2 of 6  a  50,000 msg/s  p99 5.90 ms  client CPU 25.00 s/M  ok',
  )
  expect(formatPlannedRun(placeOf(0, null), '', runOf(1, { checks: [failed] }))).toMatch(
    /^run 1  .*1 FAILED$/,
  )
})

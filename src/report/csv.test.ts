import { describe, expect, it } from 'vitest'
import {
  consumeResult,
  metadataResult,
  produceResult,
  roundTripResult,
  sampleLatency,
} from '../../test/support/sample-result.ts'
import type { RunResult } from '../results/result.ts'
import { formatCsv } from './csv.ts'

const chronikColumns = [
  'timestamp',
  'mode',
  'duration_secs',
  'total_messages',
  'failed_messages',
  'total_bytes',
  'throughput_msg_per_sec',
  'throughput_mb_per_sec',
  'success_rate_pct',
  'latency_p50_us',
  'latency_p90_us',
  'latency_p95_us',
  'latency_p99_us',
  'latency_p999_us',
  'latency_max_us',
  'latency_p50_ms',
  'latency_p90_ms',
  'latency_p95_ms',
  'latency_p99_ms',
  'latency_p999_ms',
  'latency_max_ms',
  'message_size',
  'concurrency',
  'compression',
]

const columnsOf = (result: RunResult): Record<string, string> => {
  const [header = '', row = '', ...rest] = formatCsv(result).split('\n')
  expect(rest).toEqual([''])
  const names = header.split(',')
  const cells = row.split(',')
  expect(cells).toHaveLength(names.length)
  return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']))
}

describe('CSV', () => {
  it('begins with the 24 columns of chronik-bench', () => {
    const names = formatCsv(produceResult()).split('\n')[0]?.split(',') ?? []
    expect(names.slice(0, 24)).toEqual(chronikColumns)
    expect(new Set(names).size).toBe(names.length)
  })

  it('names the pacer of an open loop and how late it was, and has nothing there otherwise', () => {
    const latenessUs = sampleLatency({ p99: 301 })
    const pacing = { pacer: 'precise' as const, latenessUs, lateRecords: 7 }
    const named = { pacer: 'precise', lateness_p99_us: '301', late_messages: '7' }
    expect(columnsOf(produceResult({ pacing }))).toMatchObject(named)
    const empty = { pacer: '', lateness_p99_us: '', late_messages: '' }
    expect(columnsOf(produceResult())).toMatchObject(empty)
  })

  it('has the figures of a produce without separators', () => {
    expect(Object.values(columnsOf(produceResult())).slice(0, 24)).toEqual(
      (
        '2026-11-21T10:00:00.000Z,produce,35.001,1794747,0,459455232,51276.57,12.52,100.00,' +
        '1901,2807,3411,5903,10447,30207,1.901,2.807,3.411,5.903,10.447,30.207,256,128,none'
      ).split(','),
    )
    expect(columnsOf(produceResult())).toMatchObject({
      run_id: '0123456789ab',
      label: '',
      failed_checks: '0',
      topic: 'bench-test',
      acks: '1',
      rate: '',
      acked: '1795747',
      watermark_delta: '1795747',
      consumed: '',
      warmup_messages: '1000',
    })
  })

  it('leaves empty what was not measured', () => {
    expect(columnsOf(consumeResult())).toMatchObject({
      latency_p50_us: '',
      latency_max_ms: '',
      service_p50_us: '1901',
      acked: '',
      consumed: '1795747',
      consumers: '3',
      unassigned_consumers: '0',
      max_first_assignment_ms: '3040.400',
      rebalances: '6',
    })
    expect(columnsOf(metadataResult())).toMatchObject({ latency_p50_us: '1901', topic: '' })
  })

  it('has end-to-end time as the latency of a round trip', () => {
    expect(columnsOf(roundTripResult())).toMatchObject({
      latency_p50_us: '2500',
      service_p99_us: '4100',
      rate: '5000',
    })
  })

  it('counts a member that never got a partition', () => {
    const consumers = consumeResult().consumers.map((consumer) => ({
      ...consumer,
      firstAssignmentMs: null,
    }))
    expect(columnsOf(consumeResult({ consumers }))).toMatchObject({
      unassigned_consumers: '3',
      max_first_assignment_ms: '',
    })
  })

  it('has no success rate where nothing was tried', () => {
    const totals = { ...produceResult().totals, records: 0 }
    expect(columnsOf(produceResult({ totals }))).toMatchObject({ success_rate_pct: '' })
  })

  it('quotes commas, quotes and line ends', () => {
    const text = formatCsv(produceResult({ label: 'a,"b"\nc' }))
    expect(text).toContain(',"a,""b""\nc",completed,')
  })
})

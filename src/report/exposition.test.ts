import { describe, expect, it } from 'vitest'
import type { ProgressEvent } from '../results/progress.ts'
import { createRunMetrics } from './exposition.ts'

interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

/** A strict reader of the text format 0.0.4: every sample under its own HELP and TYPE, no family or series twice. */
const readExposition = (page: string): Sample[] => {
  if (!page.endsWith('\n')) throw new Error('the last line does not end')
  const samples: Sample[] = []
  const types = new Map<string, string>()
  let [helped, current] = ['', '']
  for (const text of page.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-zA-Z_:][\w:]*) \S.*$/.exec(text)
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge)$/.exec(text)
    if (help) [, helped = ''] = help
    else if (type) {
      ;[, current = ''] = type
      if (current !== helped || types.has(current)) throw new Error(`family ${current}`)
      types.set(current, type[2] as string)
    } else {
      const label = String.raw`[a-zA-Z_]\w*="(?:[^"\\]|\\[\\"n])*"`
      const form = new RegExp(
        String.raw`^([a-zA-Z_:][\w:]*)(?:\{(${label}(?:,${label})*)\})? (\S+)$`,
      )
      const [, name = '', labels = '', value = ''] = form.exec(text) ?? []
      if (name !== current || !Number.isFinite(Number(value))) throw new Error(`sample ${text}`)
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
      samples.push({
        name,
        labels: Object.fromEntries(pairs.map(([, key = '', one = '']) => [key, one])),
        value: Number(value),
      })
    }
  }
  const series = samples.map(({ name, labels }) => JSON.stringify([name, labels]))
  if (new Set(series).size !== series.length) throw new Error('a series twice')
  for (const [name, type] of types) {
    if ((type === 'counter') !== name.endsWith('_total')) throw new Error(`type of ${name}`)
  }
  return samples
}

const interval = (fields: Partial<Extract<ProgressEvent, { type: 'interval' }>> = {}) =>
  ({
    type: 'interval',
    phase: 'measure',
    elapsedMs: 1_000,
    durationMs: 30_000,
    records: 1_000,
    bytes: 256_000,
    recordsPerSec: 1_000,
    bytesPerSec: 2 ** 20,
    failed: 0,
    totalRecords: 1_000,
    p50Us: 1_901,
    p90Us: 2_807,
    p99Us: 5_903,
    p999Us: 10_447,
    lag: null,
    members: [],
    ...fields,
  }) satisfies ProgressEvent

const about = { mode: 'produce', version: '0.1.0', client: 'kafkajs' } as const

const valuesOf = (page: string): Record<string, number> =>
  Object.fromEntries(
    readExposition(page).map(({ name, labels, value }) => [
      name.replace('chronik_bench_', '') + (labels['consumer'] ? `/${labels['consumer']}` : ''),
      value,
    ]),
  )

describe('the page for Prometheus', () => {
  it("has chronik-bench's names, counters over all phases and the figures of the last interval", () => {
    const metrics = createRunMetrics(about)
    metrics.onProgress(interval({ phase: 'warm-up', records: 500, bytes: 128_000 }))
    metrics.onProgress({ type: 'phase', phase: 'measure', detail: '' })
    metrics.onProgress(interval({ failed: 3 }))
    expect(valuesOf(metrics.text())).toEqual({
      info: 1,
      messages_sent_total: 1_500,
      messages_failed_total: 3,
      bytes_sent_total: 384_000,
      messages_received_total: 0,
      bytes_received_total: 0,
      latency_p50_microseconds: 1_901,
      latency_p90_microseconds: 2_807,
      latency_p99_microseconds: 5_903,
      latency_p999_microseconds: 10_447,
      throughput_msg_per_sec: 1_000,
      throughput_mb_per_sec: 1,
    })
  })

  it('has lag and the consumers in consume mode, whose fill is sent and the rest received', () => {
    const metrics = createRunMetrics({ ...about, mode: 'consume' })
    metrics.onProgress(interval({ phase: 'fill', records: 70 }))
    const members = [
      { name: 'consumer-1', generation: 2, partitions: [0, 2] },
      { name: 'consumer-2', generation: null, partitions: [] },
    ]
    const unmeasured = { p50Us: null, p90Us: null, p99Us: null, p999Us: null }
    metrics.onProgress(interval({ records: 30, lag: 40, members, ...unmeasured }))
    expect(valuesOf(metrics.text())).toEqual({
      info: 1,
      messages_sent_total: 70,
      messages_failed_total: 0,
      bytes_sent_total: 256_000,
      messages_received_total: 30,
      bytes_received_total: 256_000,
      throughput_msg_per_sec: 1_000,
      throughput_mb_per_sec: 1,
      lag_records: 40,
      'consumer_partitions/consumer-1': 2,
      'consumer_partitions/consumer-2': 0,
      'consumer_generation/consumer-1': 2,
    })
  })

  it('is well formed before anything is known, and escapes labels', () => {
    const page = createRunMetrics({ ...about, client: 'a "b"\\\n' }).text()
    const [info] = readExposition(page)
    expect(info?.labels).toEqual({ mode: 'produce', version: '0.1.0', client: 'a \\"b\\"\\\\\\n' })
    expect(page).not.toContain('latency')
  })
})

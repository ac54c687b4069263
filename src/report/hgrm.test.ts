import { describe, expect, it } from 'vitest'
import {
  consumeResult,
  produceResult,
  roundTripResult,
  sampleLatency,
} from '../../test/support/sample-result.ts'
import { UsageError } from '../errors.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import type { Latency } from '../results/result.ts'
import { formatHgrm } from './hgrm.ts'

const latencyOf = (us: readonly number[]): Latency | null => {
  const histogram = new LatencyHistogram()
  for (const value of us) histogram.record(value)
  return histogram.toLatency()
}

const none = { response: null, service: null, endToEnd: null }
const rowsOf = (text: string): number[][] =>
  text
    .split('\n')
    .filter((row) => /^ +\d/.test(row))
    .map((row) => row.trim().split(/ +/).map(Number))

describe('hgrm', () => {
  it('has percentiles in ms, from the least to the greatest', () => {
    const us = Array.from({ length: 1_000 }, (_, index) => index + 1)
    const text = formatHgrm(produceResult({ latencyUs: { ...none, response: latencyOf(us) } }))
    const rows = rowsOf(text)
    expect(text).toMatch(/^ +Value +Percentile +TotalCount +1\/\(1-Percentile\)\n/)
    expect(rows[0]).toEqual([0.001, 0, 1, 1])
    expect(rows).toContainEqual([0.5, 0.5, 500, 2])
    expect(rows.at(-1)?.slice(0, 3)).toEqual([1, 1, 1_000])
    expect(text).toContain('#[Mean')
  })

  it.each([
    ['round trip is end to end', roundTripResult(), { response: [7], endToEnd: [9] }, 0.009],
    ['consume is end to end', consumeResult(), { service: [7], endToEnd: [9] }, 0.009],
    ['consume of a backlog is service time', consumeResult(), { service: [7] }, 0.007],
  ])('of a %s', (_, result, us: Record<string, number[]>, ms) => {
    const measured = Object.fromEntries(
      Object.entries(us).map(([name, values]) => [name, latencyOf(values)]),
    )
    const text = formatHgrm({ ...result, latencyUs: { ...none, ...measured } })
    expect(rowsOf(text)[0]?.[0]).toBe(ms)
  })

  it.each([
    ['no latency samples', null],
    ['no latency samples', sampleLatency({ count: 0 })],
    ['is damaged', sampleLatency({ hdr: 'bm90IGE=' })],
    ['is damaged', sampleLatency({ hdr: '' })],
  ])('says that there is %s', (message, response) => {
    const run = (): string => formatHgrm(produceResult({ latencyUs: { ...none, response } }))
    expect(run).toThrow(UsageError)
    expect(run).toThrow(message)
  })
})

import { describe, expect, it } from 'vitest'
import { benchTest } from '../../test/support/bench-run.ts'
import { produceResult, sampleLatency } from '../../test/support/sample-result.ts'
import { MaxSearch } from './max-search.ts'
import { doubtsOf, faultOf, stepOf } from './max-step.ts'
import type { Threshold } from './options.ts'

const p99: Threshold = { text: 'p99>50ms', metric: 'p99', operator: '>', limit: 50_000 }

describe('a step', () => {
  it('has held when no condition is true', () => {
    expect(stepOf(produceResult(), 1_000, ['p99>50ms'])).toEqual({
      runId: '0123456789ab',
      offeredPerSec: 1_000,
      achievedPerSec: 51_276.57,
      p50Us: 1_901,
      p99Us: 5_903,
      unsent: 0,
      hasHeld: true,
      reasons: [],
    })
  })

  it('fails by a threshold, by failed records and by what is unsent, and says what else it may have been', () => {
    const { totals } = produceResult()
    const result = produceResult({
      totals: { ...totals, unsent: totals.records / 9 },
      latencyUs: { response: sampleLatency(), service: null, endToEnd: null },
      checks: [
        { name: 'p99>50ms', ok: false, expected: '<= 50000 µs', actual: 61_234.5 },
        { name: 'no-failed-records', ok: false, expected: 0, actual: 3 },
      ],
      warnings: ['generator-busy', 'acks-0', 'foreign-load'].map((code) => ({
        ...{ code, text: '', advice: '' },
      })),
    })
    const { hasHeld, reasons } = stepOf(result, 1_000, ['p99>50ms'])
    expect([hasHeld, faultOf(result, ['p99>50ms'])]).toEqual([false, null])
    expect(reasons).toEqual([
      'p99>50ms: 61.23 ms',
      'no-failed-records: 3',
      '10 % unsent',
      'generator busy',
      'other programs',
    ])
  })

  it('is not to be believed when a check fails that no rate may break', () => {
    const name = 'acked-equals-watermark-delta'
    const result = produceResult({ checks: [{ name, ok: false, expected: 10, actual: 9 }] })
    expect(faultOf(result, ['p99>50ms'])).toBe(`${name}: expected 10, actual 9`)
  })
})

describe('the steps at the rate that did not hold', () => {
  const failed = (...reasons: string[]) => ({
    ...stepOf(produceResult(), 1_000, []),
    hasHeld: false,
    reasons,
  })

  it('are in doubt when each of them may have failed by something else than the broker', () => {
    const [busy, foreign] = [failed('p99', 'generator busy'), failed('p99', 'other programs')]
    const held = stepOf(produceResult(), 1_000, [])
    expect(doubtsOf([busy, held, foreign])).toEqual(['generator busy', 'other programs'])
    expect(doubtsOf([busy, failed('p99')])).toEqual([])
    expect(doubtsOf([])).toEqual([])
  })
})

describe('a search over whole runs on virtual time', () => {
  /** Ten records in flight for 5 ms each: 2,000 a second. */
  const capacity = 2_000

  const stepAt = async (rateRecordsPerSec: number, ackDelayMs = 5) => {
    const test = benchTest()
    test.cluster.ackDelayMs = ackDelayMs
    const options = { durationMs: 400, concurrency: 10, rateRecordsPerSec, failIf: [p99] }
    const { result } = await test.finish(test.start(options))
    expect(faultOf(result, [p99.text])).toBeNull()
    return stepOf(result, rateRecordsPerSec, [p99.text])
  }

  it.each([300, 20_000])('finds what the broker can do, beginning at %d', async (firstRate) => {
    const search = new MaxSearch({ firstRate, precision: 0.05 })
    for (let rate = search.next(); rate !== null; rate = search.next()) {
      search.add(rate, (await stepAt(rate)).hasHeld)
    }
    const { sustainedRate, exceededRate, isConverged } = search.end()
    expect(isConverged).toBe(true)
    expect(sustainedRate).toBeGreaterThan(capacity * 0.95)
    expect(exceededRate).toBeLessThan(capacity * 1.07)
  })

  it('knows why a broker that is too slow at every rate holds none', async () => {
    const { hasHeld, reasons } = await stepAt(10, 60)
    expect([hasHeld, reasons]).toEqual([false, ['p99>50ms: 60.03 ms']])
  })
})

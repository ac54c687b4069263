import { describe, expect, test } from 'vitest'
import { produceResult, sampleLatency, sampleResources } from '../../test/support/sample-result.ts'
import type { RunResult } from '../results/result.ts'
import { type Comparison, compareSides } from './comparison.ts'

const options = { ignored: [], thresholds: new Map(), isStrict: false }

/** A small generator of its own, so that the false alarm rate is the same on every run of this test. */
const randomOf = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state + 0.5) / 2 ** 32
  }
}

const normalOf = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())

const runOf = (fields: {
  rate: number
  p50?: number
  p99?: number
  cpuMs?: number
  pair?: number
  side?: 'a' | 'b'
}): RunResult => {
  const base = produceResult()
  const latency = sampleLatency({ p50: fields.p50 ?? 1_900, p99: fields.p99 ?? 5_900 })
  return {
    ...base,
    totals: { ...base.totals, records: 1_000_000, recordsPerSec: fields.rate },
    latencyUs: { response: latency, service: null, endToEnd: null },
    ...(fields.cpuMs === undefined
      ? {}
      : {
          resources: {
            ...sampleResources({ cpuMs: fields.cpuMs }),
            broker: null,
          },
        }),
    ...(fields.pair === undefined
      ? {}
      : { series: { seriesId: 's', index: fields.pair, side: fields.side ?? 'a' } }),
  }
}

const compare = (baseline: RunResult[], candidate: RunResult[], more = {}): Comparison =>
  compareSides(
    { title: 'base', runs: baseline },
    { title: 'new', runs: candidate },
    { ...options, ...more },
  )

const rateOf = (comparison: Comparison) =>
  comparison.metrics.find(({ name }) => name === 'rate') as Comparison['metrics'][number]

describe('false alarms and power', () => {
  const noisyRuns = (random: () => number, count: number, mean: number, spread: number) =>
    Array.from({ length: count }, () =>
      runOf({
        rate: mean * Math.exp(spread * normalOf(random)),
        p50: 1_900 * Math.exp(2 * spread * normalOf(random)),
        p99: 5_900 * Math.exp(2 * spread * normalOf(random)),
        cpuMs: 1_000 * Math.exp((spread / 2) * normalOf(random)),
      }),
    )

  test('2,000 pairs of the same: a difference is claimed in at most 6 %', () => {
    const random = randomOf(20_251_103)
    let claims = 0
    for (let pair = 0; pair < 2_000; pair += 1) {
      const { verdict } = compare(
        noisyRuns(random, 6, 50_000, 0.1),
        noisyRuns(random, 6, 50_000, 0.1),
      )
      if (verdict === 'regression' || verdict === 'improvement') claims += 1
    }
    expect(claims / 2_000).toBeLessThanOrEqual(0.06)
    // Thresholds alone would make this zero, and zero would mean that nothing is ever found.
    expect(claims).toBeGreaterThan(0)
  })

  test.each([
    { spread: 0.02, count: 6, drop: 0.1, atLeast: 0.95 },
    { spread: 0.05, count: 10, drop: 0.1, atLeast: 0.8 },
    { spread: 0.1, count: 10, drop: 0.2, atLeast: 0.8 },
  ])('a drop of $drop under $spread of noise is found with $count runs', (it) => {
    const random = randomOf(7)
    let found = 0
    for (let pair = 0; pair < 300; pair += 1) {
      const candidate = noisyRuns(random, it.count, 50_000 * (1 - it.drop), it.spread)
      const comparison = compare(noisyRuns(random, it.count, 50_000, it.spread), candidate)
      if (rateOf(comparison).verdict === 'regression') found += 1
    }
    expect(found / 300).toBeGreaterThanOrEqual(it.atLeast)
  })
})

const steady = (rates: number[]): RunResult[] => rates.map((rate) => runOf({ rate }))
const base = [100, 101, 99, 100.5, 99.5, 100.2].map((rate) => rate * 500)

describe('verdicts', () => {
  test('slower by more than the threshold is a regression, by name', () => {
    const comparison = compare(steady(base), steady(base.map((rate) => rate * 0.9)))
    expect(comparison).toMatchObject({ verdict: 'regression', reason: 'worse: rate' })
    expect(rateOf(comparison).ratio).toBeCloseTo(0.9, 2)
  })

  test('more latency is worse, less is better', () => {
    const slow = base.map((rate, index) => runOf({ rate, p99: 9_000 + index }))
    const fast = base.map((rate, index) => runOf({ rate, p99: 5_000 + index }))
    expect(compare(fast, slow).reason).toBe('worse: p99')
    expect(compare(slow, fast).reason).toBe('better: p99')
  })

  test('the same is called equivalent only where the interval says so', () => {
    expect(compare(steady(base), steady(base)).verdict).toBe('equivalent')
    const wild = [60, 140, 80, 120, 95, 105].map((rate) => rate * 500)
    const comparison = compare(steady(wild), steady(wild))
    expect(rateOf(comparison)).toMatchObject({ verdict: 'inconclusive' })
    expect(rateOf(comparison).runsNeeded).toBeGreaterThan(100)
    expect(rateOf(comparison).flags).toEqual(['values vary by 28 %'])
  })

  test('one run a side gives figures and no verdict, three cannot decide', () => {
    const single = compare(steady([50_000]), steady([10_000]))
    expect(single).toMatchObject({ verdict: 'no verdict' })
    expect(rateOf(single)).toMatchObject({ pValue: null, verdict: 'no verdict' })
    expect(rateOf(single).ratio).toBeCloseTo(0.2, 9)
    const three = compare(steady([50_000, 50_001, 50_002]), steady([10_000, 10_001, 10_002]))
    expect(rateOf(three)).toMatchObject({ verdict: 'inconclusive', smallestDetectable: null })
  })

  test('a flagged figure decides nothing when strict', () => {
    const wild = [60, 140, 80, 120, 95, 105].map((rate) => rate * 500)
    const half = wild.map((rate) => rate / 10)
    expect(compare(steady(wild), steady(half)).verdict).toBe('regression')
    expect(compare(steady(wild), steady(half), { isStrict: true }).verdict).toBe('inconclusive')
  })

  test('pairs are used when every run has its partner, in any order', () => {
    // Far apart from pair to pair, always 10 % less within one: only pairs can see it.
    const rates = [10, 20, 40, 80, 160, 320]
    const a = rates.map((rate, pair) => runOf({ rate, pair, side: 'a' }))
    const b = rates.map((rate, pair) =>
      runOf({ rate: rate * (0.9 - pair / 1_000), pair, side: 'b' }),
    )
    const paired = compare(a, b.toReversed())
    expect(paired).toMatchObject({ isPaired: true })
    expect(rateOf(paired).pValue).toBeCloseTo(1 / 32, 9)
    const unpaired = compare(a, b.slice(1))
    expect(unpaired.isPaired).toBe(false)
    expect(rateOf(unpaired).pValue).toBeGreaterThan(0.5)
  })
})

describe('before any figure', () => {
  test('sides that did other work are not comparable, unless told', () => {
    const small = steady(base).map((run) => ({
      ...run,
      config: { ...run.config, messageSizeBytes: 100 },
    }))
    expect(compare(steady(base), small)).toMatchObject({
      verdict: 'not comparable',
      reason: 'the sides differ in messageSizeBytes',
    })
    expect(compare(steady(base), small, { ignored: ['messageSizeBytes'] })).toMatchObject({
      verdict: 'equivalent',
      differences: [{ key: 'messageSizeBytes', baseline: '256', candidate: '100' }],
    })
  })

  test('a side that mixes two kinds of run is not comparable with itself', () => {
    const mixed = steady(base).map((run, index) => ({
      ...run,
      config: { ...run.config, concurrency: index < 3 ? 64 : 128 },
    }))
    expect(compare(mixed, mixed).differences).toEqual([
      { key: 'concurrency', baseline: '128 and 64', candidate: '128 and 64', isIgnored: false },
    ])
  })

  test('topic, length and seed may differ', () => {
    const other = steady(base).map((run) => ({
      ...run,
      config: { ...run.config, topic: 'other', durationMs: 1_000 },
    }))
    expect(compare(steady(base), other).verdict).toBe('equivalent')
  })

  test('a run that lost records is not slow but wrong', () => {
    const failed = { name: 'acked-equals-watermark-delta', ok: false, expected: 2, actual: 1 }
    const runs = steady(base)
    const wrong = runs.map((run, index) => (index === 0 ? { ...run, checks: [failed] } : run))
    expect(compare(runs, wrong)).toMatchObject({
      verdict: 'invalid',
      candidate: { runs: 5 },
      invalidRuns: [{ side: 'candidate', reason: 'failed: acked-equals-watermark-delta' }],
    })
    expect(compare(wrong, runs).verdict).toBe('equivalent')
  })

  test('a missed threshold of the run is a wish about speed, no fault', () => {
    const missed = { name: 'p99>10ms', ok: false, expected: 1, actual: 2 }
    const runs = steady(base).map((run) => ({ ...run, checks: [missed] }))
    expect(compare(steady(base), runs).verdict).toBe('equivalent')
  })

  test('counts show every difference', () => {
    const runs = steady(base)
    const [first, ...rest] = runs as [RunResult, ...RunResult[]]
    const failing = { ...first, totals: { ...first.totals, failed: 1 } }
    expect(compare(runs, [failing, ...rest]).exact).toEqual([
      { name: 'failed', baseline: [0, 0, 0, 0, 0, 0], candidate: [1, 0, 0, 0, 0, 0] },
    ])
  })

  test('a percentile without enough samples is not measured', () => {
    const few = steady(base).map((run) => ({
      ...run,
      latencyUs: { ...run.latencyUs, response: sampleLatency({ count: 999 }) },
    }))
    expect(compare(few, few).metrics.map(({ name }) => name)).toEqual(['rate', 'p50', 'p90'])
  })
})

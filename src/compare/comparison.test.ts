import { describe, expect, test } from 'vitest'
import { normalOf, randomOf } from '../../test/support/noise.ts'
import { produceResult, sampleLatency, sampleResources } from '../../test/support/sample-result.ts'
import type { RunResult } from '../results/result.ts'
import { type Comparison, compareSides } from './comparison.ts'
import { runsNeeded, smallestDetectable } from './power.ts'
import { compareIndependent, comparePaired } from './rank-test.ts'

const options = { ignored: [], thresholds: new Map(), isStrict: false }

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

  test.each([6, 10])('%d pairs of the same on a machine that slows down: the same', (count) => {
    const random = randomOf(99)
    let claims = 0
    for (let round = 0; round < 500; round += 1) {
      const sideOf = (side: 'a' | 'b'): RunResult[] =>
        noisyRuns(random, count, 50_000, 0.03).map((run, index) => {
          const place = 2 * index + Number((side === 'a') === (index % 2 === 1))
          const recordsPerSec = run.totals.recordsPerSec * 0.99 ** place
          return {
            ...run,
            totals: { ...run.totals, recordsPerSec },
            series: { seriesId: 's', index, side },
          }
        })
      const { verdict } = compare(sideOf('a'), sideOf('b'))
      if (verdict === 'regression' || verdict === 'improvement') claims += 1
    }
    expect(claims / 500).toBeLessThanOrEqual(0.06)
  })

  test.each([
    { count: 6, isPaired: false },
    { count: 12, isPaired: true },
    { count: 10, isPaired: true },
  ])('the change said to be found by $count runs is found so often', ({ count, isPaired }) => {
    const random = randomOf(11)
    const noise = 0.05
    const design = { isPaired, questions: 4 }
    const change = smallestDetectable(noise * Math.SQRT2, [count, count], design) ?? Number.NaN
    expect(runsNeeded(noise * Math.SQRT2, change * 1.001, design)).toBe(count)
    const rankTest = isPaired ? comparePaired : compareIndependent
    let found = 0
    for (let round = 0; round < 1_000; round += 1) {
      const draw = (shift: number): number[] =>
        Array.from({ length: count }, () => shift + noise * normalOf(random))
      if (rankTest(draw(0), draw(Math.log1p(change))).pValue * design.questions < 0.05) found += 1
    }
    expect(found / 1_000).toBeGreaterThan(0.7)
    expect(found / 1_000).toBeLessThan(0.9)
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
    const rates = [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120]
    const a = rates.map((rate, pair) => runOf({ rate, pair, side: 'a' }))
    const b = rates.map((rate, pair) =>
      runOf({ rate: rate * (0.9 - pair / 1_000), pair, side: 'b' }),
    )
    const paired = compare(a, b.toReversed())
    expect(paired).toMatchObject({ isPaired: true, verdict: 'regression' })
    expect(rateOf(paired).pValue).toBeCloseTo(1 / 512, 9)
    const unpaired = compare(a, b.slice(1))
    expect(unpaired.isPaired).toBe(false)
    expect(rateOf(unpaired).pValue).toBeGreaterThan(0.5)
  })

  test('six pairs can decide, although their signs alone could not over three figures', () => {
    const pairs = (factor: number, side: 'a' | 'b'): RunResult[] =>
      base.map((rate, pair) => runOf({ rate: rate * factor, cpuMs: 1_000 + pair, pair, side }))
    const comparison = compare(pairs(1, 'a'), pairs(0.9, 'b'))
    expect(comparison).toMatchObject({ verdict: 'regression', reason: 'worse: rate' })
    expect(comparison.metrics.filter(({ isPrimary }) => isPrimary)).toHaveLength(4)
    expect(comparison.isPaired).toBe(false)
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

  test('runs that are on both sides are counted', () => {
    const runs = steady(base).map((run, index) => ({ ...run, runId: `${index}` }))
    expect(compare(runs, runs.slice(2)).sharedRuns).toBe(4)
    expect(compare(runs.slice(0, 2), runs.slice(2)).sharedRuns).toBe(0)
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

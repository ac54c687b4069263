import * as fc from 'fast-check'
import { build, JsHistogram } from 'hdr-histogram-js'
import { expect, test } from 'vitest'
import { LatencyHistogram } from './histogram.ts'

const of = (...values: number[]): LatencyHistogram => {
  const histogram = new LatencyHistogram()
  for (const value of values) histogram.record(value)
  return histogram
}

const latency = fc.oneof(fc.nat(5_000), fc.nat(1e9), fc.maxSafeNat())

test('agrees with hdr-histogram-js cell by cell', () => {
  fc.assert(
    fc.property(fc.array(latency, { minLength: 1, maxLength: 50 }), (values) => {
      const hdr = build({ bitBucketSize: 64, autoResize: true, numberOfSignificantValueDigits: 3 })
      for (const value of values) hdr.recordValue(value)
      if (!(hdr instanceof JsHistogram)) throw new Error('not the plain one')
      const { hdr: _text, ...ours } = of(...values).toLatency() ?? { hdr: '' }
      expect(ours).toEqual({
        count: hdr.totalCount,
        mean: hdr.mean,
        p50: hdr.getValueAtPercentile(50),
        p90: hdr.getValueAtPercentile(90),
        p95: hdr.getValueAtPercentile(95),
        p99: hdr.getValueAtPercentile(99),
        p999: hdr.getValueAtPercentile(99.9),
        max: hdr.highestEquivalentValue(hdr.maxValue),
      })
    }),
    { numRuns: 60 },
  )
})

test('every value keeps 3 significant digits, also those over a minute and over a day', () => {
  for (const value of [
    0,
    1,
    2047,
    2048,
    4095,
    4096,
    61_000_000,
    2 ** 31 - 1,
    2 ** 31,
    9e10,
    2 ** 52,
  ]) {
    const found = of(value).percentile(100)
    expect(found).toBeGreaterThanOrEqual(value)
    expect(found - value).toBeLessThanOrEqual(value / 1000)
  }
})

test('nothing is dropped or cut off when one slow answer follows many fast ones', () => {
  const histogram = of()
  histogram.recordCount(150, 1_000_000)
  histogram.record(180_000_000)
  expect(histogram.count).toBe(1_000_001)
  expect(histogram.max).toBeGreaterThanOrEqual(180_000_000)
  expect(histogram.percentile(50)).toBe(150)
  expect(histogram.toLatency()?.count).toBe(1_000_001)
})

test('encoded and decoded it says the same', () => {
  fc.assert(
    fc.property(fc.array(latency, { minLength: 1, maxLength: 50 }), (values) => {
      const ours = of(...values)
      const again = LatencyHistogram.decode(ours.encode())
      expect(again.toLatency()).toEqual(ours.toLatency())
      expect(again.count).toBe(values.length)
    }),
    { numRuns: 40 },
  )
})

test('added histograms are one', () => {
  const sum = of(1, 2, 3_000_000)
  sum.add(of(4, 90_000_000))
  expect(sum.toLatency()).toEqual(of(1, 2, 3_000_000, 4, 90_000_000).toLatency())
})

test('the parts of any samples, added in any order, are the histogram of all of them', () => {
  const addText = (sum: LatencyHistogram, part: LatencyHistogram): void =>
    sum.add(LatencyHistogram.decode(part.encode()))
  const addCells = (sum: LatencyHistogram, part: LatencyHistogram): void =>
    sum.addCells(structuredClone(part.cells()))
  const parts = fc.array(fc.array(latency, { maxLength: 30 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(parts, (lists) => {
      const [sum, other] = [new LatencyHistogram(), new LatencyHistogram()]
      for (const values of lists.toReversed()) addText(sum, of(...values))
      for (const values of lists) addCells(other, of(...values))
      const whole = of(...lists.flat()).toLatency()
      expect([sum.toLatency(), other.toLatency()]).toEqual([whole, whole])
    }),
    { numRuns: 12 },
  )
})

test('several percentiles at once are what each is alone', () => {
  const histogram = of(1, 5, 9, 70_000)
  const percents = [0, 50, 99.9, 100]
  expect(histogram.percentiles(percents)).toEqual(percents.map((one) => histogram.percentile(one)))
})

test("percentiles are HdrHistogram's", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5_000_000), { minLength: 1, maxLength: 300 }), (values) => {
      const histogram = of(...values)
      const { p50, p90, p95, p99, p999 } = histogram.toLatency() ?? {}
      expect(histogram.percentiles([50, 90, 95, 99, 99.9])).toEqual([p50, p90, p95, p99, p999])
    }),
    { numRuns: 50 },
  )
})

test('an empty one has no latency', () => {
  const histogram = of(5)
  histogram.reset()
  expect(histogram.toLatency()).toBeNull()
  expect([histogram.count, histogram.percentile(99), histogram.max, histogram.mean]).toEqual([
    0, 0, 0, 0,
  ])
})

test('negative is 0, what is no time is refused', () => {
  expect(of(-3).max).toBe(0)
  expect(of(-3).count).toBe(1)
  expect(() => of(Number.NaN)).toThrow('latency')
  expect(() => of(Number.POSITIVE_INFINITY)).toThrow('latency')
  expect(() => LatencyHistogram.decode('bm9uc2Vuc2U=')).toThrow('not')
})

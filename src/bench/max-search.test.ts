import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MaxSearch, type MaxSearchEnd } from './max-search.ts'
import { createRandom } from './random.ts'

const precision = 0.05

const search = (
  firstRate: number,
  holds: (rate: number, step: number) => boolean,
): MaxSearchEnd & { rates: number[] } => {
  const found = new MaxSearch({ firstRate, precision })
  const rates: number[] = []
  for (let rate = found.next(); rate !== null; rate = found.next()) {
    found.add(rate, holds(rate, rates.length))
    rates.push(rate)
    expect(rates.length).toBeLessThanOrEqual(60)
  }
  return { ...found.end(), rates }
}

describe('the search for the highest rate', () => {
  it.each([
    ['from below', 1_000, 310_000],
    ['from above', 1_000_000, 777],
    ['from the place itself', 51_000, 51_000],
  ])('comes within 5 %% %s', (_, firstRate, capacity) => {
    const { sustainedRate, exceededRate, isConverged, rates } = search(
      firstRate,
      (rate) => rate <= capacity,
    )
    expect(isConverged).toBe(true)
    expect(sustainedRate).toBeLessThanOrEqual(capacity)
    expect(sustainedRate).toBeGreaterThan(capacity / 1.05)
    expect(exceededRate).toBeGreaterThan(capacity)
    expect(rates.length).toBeLessThanOrEqual(20)
  })

  it('does so for every capacity and every beginning, each end seen twice', () => {
    const rate = fc.double({ min: 2, max: 1e8, noNaN: true })
    fc.assert(
      fc.property(rate, rate, (capacity, firstRate) => {
        const { sustainedRate, exceededRate, isConverged, rates } = search(
          firstRate,
          (tried) => tried <= capacity,
        )
        expect(isConverged).toBe(true)
        expect(sustainedRate).toBeLessThanOrEqual(capacity)
        expect(exceededRate).toBeGreaterThan(capacity)
        expect((exceededRate as number) / (sustainedRate as number)).toBeLessThanOrEqual(1.05)
        expect(rates.filter((tried) => tried === sustainedRate)).toHaveLength(2)
        expect(rates.filter((tried) => tried === exceededRate)).toHaveLength(2)
      }),
    )
  })

  it('is not led astray by one hiccup, wherever it comes', () => {
    for (let hiccup = 0; hiccup < 20; hiccup += 1) {
      const { sustainedRate, isConverged } = search(
        1_000,
        (rate, step) => rate <= 42_000 !== (step === hiccup),
      )
      expect(isConverged).toBe(true)
      expect(sustainedRate).toBeLessThanOrEqual(42_000)
      expect(sustainedRate).toBeGreaterThan(42_000 / 1.05)
    }
  })

  it('ends with none when every rate fails', () => {
    const { sustainedRate, exceededRate, isConverged, rates } = search(1_000, () => false)
    expect({ sustainedRate, exceededRate, isConverged }).toEqual({
      sustainedRate: null,
      exceededRate: 1,
      isConverged: true,
    })
    expect(rates).toEqual([1_000, 250, 62.5, 15.6, 3.9, 1, 1])
  })

  it('ends at the highest rate when none fails', () => {
    const { sustainedRate, exceededRate, isConverged } = search(1_000, () => true)
    expect({ sustainedRate, exceededRate, isConverged }).toEqual({
      sustainedRate: 1e9,
      exceededRate: null,
      isConverged: true,
    })
  })

  it('ends whatever the verdicts are', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const random = createRandom(seed, 0)
      search(1_000, () => random.nextFraction() < 0.5)
    }
  })

  it('gives up, and says so, when what held does not hold again', () => {
    const tried = new Set<number>()
    const { isConverged, rates } = search(1_000, (rate) => {
      const isFirst = !tried.has(rate)
      tried.add(rate)
      return isFirst && rate <= 42_000
    })
    expect([isConverged, rates.length]).toEqual([false, 60])
  })
})

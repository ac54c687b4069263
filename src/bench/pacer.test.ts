import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPacer, unpaced } from './pacer.ts'

test('a week at an odd rate does not drift', () => {
  const pacer = createPacer(33_333)
  const week = 7 * 86_400
  expect(pacer.intendedNs(33_333 * week, 0)).toBe(week * 1e9)
  expect(pacer.dueCount(week * 1e9)).toBe(33_333 * week + 1)
})

test('a record is due from its intended time on, and not before', () => {
  const rate = fc.double({ min: 0.1, max: 1e7, noNaN: true })
  fc.assert(
    fc.property(rate, fc.nat(1_000_000_000), (recordsPerSec, n) => {
      const pacer = createPacer(recordsPerSec)
      const dueNs = pacer.intendedNs(n, 0)
      expect(pacer.dueCount(dueNs)).toBe(n + 1)
      expect(pacer.dueCount(dueNs * (1 - 1e-15) - 1e-3)).toBeLessThanOrEqual(n)
    }),
    { numRuns: 2000 },
  )
})

test('nothing is due before the phase, one record at its start', () => {
  expect(createPacer(10).dueCount(-1)).toBe(0)
  expect(createPacer(10).dueCount(0)).toBe(1)
  expect(createPacer(10).dueCount(99_999_999)).toBe(1)
  expect(createPacer(10).dueCount(100_000_000)).toBe(2)
})

test('a stall does not move the intended times', () => {
  const pacer = createPacer(1000)
  expect(pacer.intendedNs(5, 60e9)).toBe(5e6)
})

test('unpaced is due now', () => {
  expect(unpaced.intendedNs(1000, 42)).toBe(42)
  expect(unpaced.dueCount(0)).toBe(Number.POSITIVE_INFINITY)
})

test('a rate of 0 is refused', () => {
  expect(() => createPacer(0)).toThrow('rate')
  expect(() => createPacer(Number.NaN)).toThrow('rate')
})

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Range, Ranges } from './ranges.ts'

const rangesOf = (set: Set<number>): Range[] => {
  const ranges: Range[] = []
  for (const value of [...set].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last?.to === value) ranges[ranges.length - 1] = { from: last.from, to: value + 1 }
    else ranges.push({ from: value, to: value + 1 })
  }
  return ranges
}

test('numbers and ranges in any order give the same set as a Set', () => {
  const value = fc.nat(40)
  const step = fc.oneof(
    value.map((from) => ({ from, to: from + 1, isOne: true })),
    fc.record({ from: value, to: value, isOne: fc.constant(false) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), value, value, (steps, from, to) => {
      const ranges = new Ranges()
      const set = new Set<number>()
      for (const one of steps) {
        const before = set.size
        for (let at = one.from; at < one.to; at += 1) set.add(at)
        const added = one.isOne ? Number(ranges.add(one.from)) : ranges.addRange(one.from, one.to)
        expect(added).toBe(set.size - before)
        const next = [...set].filter((at) => at >= one.to)
        expect(ranges.freeUntil(one.to)).toBe(Math.min(Number.POSITIVE_INFINITY, ...next))
      }
      expect(ranges.all()).toEqual(rangesOf(set))
      expect(ranges.size).toBe(set.size)
      const inside = [...set].filter((at) => at >= from && at < to)
      const outside = Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at)
      expect(ranges.countWithin(from, to)).toBe(inside.length)
      expect(ranges.within(from, to)).toEqual(rangesOf(new Set(inside)))
      expect(ranges.gaps(from, to)).toEqual(rangesOf(new Set(outside.filter((at) => !set.has(at)))))
      for (let at = 0; at < 42; at += 1) expect(ranges.has(at)).toBe(set.has(at))
    }),
    { numRuns: 3000, seed: 1 },
  )
})

test('what two sets share is counted', () => {
  const even = new Ranges()
  for (let value = 0; value < 20; value += 2) even.add(value)
  const low = new Ranges()
  low.addRange(3, 9)
  expect(low.countShared(even)).toBe(3)
  expect(even.countShared(low)).toBe(3)
})

test('offsets beyond 2^32 are whole', () => {
  const ranges = new Ranges()
  const start = 2 ** 52
  for (let value = start; value < start + 100; value += 1) ranges.add(value)
  expect(ranges.all()).toEqual([{ from: start, to: start + 100 }])
})

import { expect, test } from 'vitest'
import { highestShare, isCovered } from './percentile.ts'

test.each([
  ['p50', 20],
  ['p90', 100],
  ['p95', 200],
  ['p99', 1_000],
  ['p999', 10_000],
] as const)('%s needs %d samples', (percentile, count) => {
  expect(isCovered(count, percentile)).toBe(true)
  expect(isCovered(count - 1, percentile)).toBe(false)
})

test('the highest share that samples can speak of leaves ten of them beyond', () => {
  expect(highestShare(1_000)).toBe(0.99)
  expect(highestShare(5)).toBe(0)
})

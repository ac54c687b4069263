import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { adjustByHolm, compareIndependent, comparePaired, smallestPValue } from './rank-test.ts'

interface Case {
  baseline: number[]
  candidate: number[]
  pValue: number
}
interface WithInterval extends Case {
  shift: number
  interval: [number, number] | null
}
const reference = JSON.parse(
  readFileSync(new URL('../../test/fixtures/statistics/reference.json', import.meta.url), 'utf8'),
) as {
  independent: WithInterval[]
  independentWithTies: Case[]
  paired: WithInterval[]
  pairedWithTies: Case[]
  holm: { pValues: number[]; adjusted: number[] }[]
}

const expectSame = (
  actual: ReturnType<typeof compareIndependent>,
  { pValue, shift, interval }: WithInterval,
): void => {
  expect(actual.pValue).toBeCloseTo(pValue, 9)
  expect(actual.shift).toBeCloseTo(shift, 9)
  if (interval === null) return expect(actual.interval).toBeNull()
  expect(actual.interval?.low).toBeCloseTo(interval[0], 9)
  expect(actual.interval?.high).toBeCloseTo(interval[1], 9)
}

describe('against scipy', () => {
  test.each(reference.independent)('independent $baseline.length and $candidate.length', (it) => {
    expectSame(compareIndependent(it.baseline, it.candidate), it)
  })
  test.each(reference.independentWithTies)('independent, ties: $candidate', (it) => {
    expect(compareIndependent(it.baseline, it.candidate).pValue).toBeCloseTo(it.pValue, 9)
  })
  test.each(reference.paired)('pairs: $baseline.length', (it) => {
    expectSame(comparePaired(it.baseline, it.candidate), it)
  })
  test.each(reference.pairedWithTies)('pairs, ties: $candidate', (it) => {
    expect(comparePaired(it.baseline, it.candidate).pValue).toBeCloseTo(it.pValue, 9)
  })
  test.each(reference.holm)('Holm of $pValues', ({ pValues, adjusted }) => {
    for (const [index, pValue] of adjustByHolm(pValues).entries()) {
      expect(pValue).toBeCloseTo(adjusted[index] as number, 12)
    }
  })
})

describe('what so few runs can show', () => {
  test('three a side never reach 5 %, four do', () => {
    expect(smallestPValue(3, 3)).toBeCloseTo(0.1, 9)
    expect(smallestPValue(4, 4)).toBeCloseTo(0.0286, 4)
    expect(smallestPValue(6, 6)).toBeCloseTo(0.0022, 4)
    expect(compareIndependent([1, 2, 3], [4, 5, 6]).pValue).toBeCloseTo(smallestPValue(3, 3), 9)
  })

  test('a side without values is refused', () => {
    expect(() => compareIndependent([], [1])).toThrow(/side without values/)
    expect(() => comparePaired([1, 2], [1])).toThrow(/pairs of 2 and 1/)
  })
})

import { expect, test } from 'vitest'
import { compareMeans, studentPValue } from './student.ts'

// Two-sided points of Student's distribution, as in every table of it (Abramowitz and Stegun, table 26.10).
test.each([
  [1, 12.706, 0.05],
  [2, 4.303, 0.05],
  [3, 5.841, 0.01],
  [8, 5.041, 0.001],
  [9, 4.781, 0.001],
  [10, 2.228, 0.05],
  [28, 3.674, 0.001],
])('with %d degrees of freedom %f is passed by chance in %f', (freedom, t, pValue) => {
  expect(studentPValue(t, freedom) / pValue).toBeCloseTo(1, 2)
  expect(studentPValue(-t, freedom)).toBe(studentPValue(t, freedom))
})

test('means a known distance apart', () => {
  // Variances 1 and 1, means 2 and 5: t = 3 / sqrt(2 / 3).
  const { t, pValue } = compareMeans([1, 2, 3], [4, 5, 6])
  expect(t).toBeCloseTo(3.674235, 6)
  expect(pValue).toBeCloseTo(0.0213, 4)
  expect(compareMeans([1, 1, 1], [2, 2, 2]).pValue).toBe(0)
  expect(compareMeans([1, 1, 1], [1, 1, 1]).pValue).toBeNaN()
})

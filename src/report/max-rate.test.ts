import { expect, test } from 'vitest'
import { golden } from '../../test/support/golden.ts'
import { sampleMaxRate } from '../../test/support/sample-max-rate.ts'
import { formatMaxRate } from './max-rate.ts'

test.each([100, 60])('the curve by rate, %d wide', (width) => {
  const text = formatMaxRate(sampleMaxRate(), { width })
  expect(text).toBe(golden(`report/max-rate-${width}.txt`, text))
})

test.each([
  [{ exceededPerSec: null }, '40,000 msg/s held, the highest rate there is.'],
  [
    { isConverged: false, problem: 'Why.' },
    'At least 40,000 msg/s held; the search came to no end.',
  ],
  [{ sustainedPerSec: null, problem: 'Why.' }, 'No rate held.'],
])('%j says so', (fields, sentence) => {
  const text = formatMaxRate(sampleMaxRate(fields))
  expect(text).toContain(sentence)
  expect(text.includes('Why.')).toBe('problem' in fields)
})

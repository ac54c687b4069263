import { expect, test } from 'vitest'
import { golden } from '../../test/support/golden.ts'
import type { MaxRate, MaxRateStep } from '../results/max-rate.ts'
import { formatMaxRate } from './max-rate.ts'

const step = (offeredPerSec: number, reasons: string[] = []): MaxRateStep => ({
  runId: '0123456789ab',
  offeredPerSec,
  achievedPerSec: offeredPerSec * 0.98,
  p50Us: 310,
  p99Us: reasons.length > 0 ? 61_234 : 1_900,
  unsent: reasons.length > 1 ? 1_234 : 0,
  hasHeld: reasons.length === 0,
  reasons,
})

const found: MaxRate = {
  schemaVersion: 1,
  kind: 'max-rate',
  seriesId: '0123456789ab',
  startedAt: '2026-11-21T10:00:00.000Z',
  command: [],
  conditions: ['p99>50ms', 'more than 1 % of what was due is unsent'],
  precision: 0.05,
  sustainedPerSec: 40_000,
  exceededPerSec: 41_800,
  isConverged: true,
  problem: null,
  steps: [
    step(1_000),
    step(64_000, ['p99>50ms: 61234', '12 % unsent']),
    step(16_000),
    step(41_800, ['p99>50ms: 61234']),
    step(40_000),
  ],
}

test.each([100, 60])('the curve by rate, %d wide', (width) => {
  const text = formatMaxRate(found, { width })
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
  const text = formatMaxRate({ ...found, ...fields })
  expect(text).toContain(sentence)
  expect(text.includes('Why.')).toBe('problem' in fields)
})

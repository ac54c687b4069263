import type { MaxRate, MaxRateStep } from '../../src/results/max-rate.ts'

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

/** A search from 1,000 that ends at 40,000. */
export const sampleMaxRate = (fields: Partial<MaxRate> = {}): MaxRate => ({
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
    step(64_000, ['p99>50ms: 61.23 ms', '12 % unsent']),
    step(16_000),
    step(41_800, ['p99>50ms: 61.23 ms']),
    step(40_000),
  ],
  ...fields,
})

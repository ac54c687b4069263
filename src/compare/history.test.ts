import { describe, expect, test } from 'vitest'
import { normalOf, randomOf } from '../../test/support/noise.ts'
import { produceResult } from '../../test/support/sample-result.ts'
import type { RunResult } from '../results/result.ts'
import { findChange, historyOf } from './history.ts'

const noise = [0, 3, -2, 1, -4, 2, -1, 4, -3, 0.5, 2.5, -2.5]
const around = (mean: number, count: number): number[] =>
  Array.from(
    { length: count },
    (_, index) => mean * (1 + (noise[index % noise.length] as number) / 1_000),
  )

describe('a step', () => {
  test('is found at its place', () => {
    const change = findChange([...around(100, 8), ...around(90, 7)], 0.05)
    expect(change).toMatchObject({ at: 8 })
    expect(change?.ratio).toBeCloseTo(0.9, 2)
  })

  test('is found among ten values', () => {
    expect(findChange([...around(100, 5), ...around(90, 5)], 0.05)).toMatchObject({ at: 5 })
    expect(findChange([...around(100, 7), ...around(90, 3)], 0.05)).toMatchObject({ at: 7 })
  })

  test('is hardly ever seen where there is none', () => {
    const random = randomOf(5)
    let claims = 0
    for (let line = 0; line < 500; line += 1) {
      const values = Array.from({ length: 30 }, () => Math.exp(0.1 * normalOf(random)))
      if (findChange(values, 0.05) !== null) claims += 1
    }
    expect(claims / 500).toBeLessThanOrEqual(0.03)
  })

  test('needs ten values, a size beyond the threshold, and more than noise', () => {
    expect(findChange([...around(100, 5), ...around(50, 4)], 0.05)).toBeNull()
    expect(findChange([...around(100, 8), ...around(98, 8)], 0.05)).toBeNull()
    expect(findChange(around(100, 24), 0.0001)).toBeNull()
  })

  test('that lies further back than thirty runs is history', () => {
    expect(findChange([...around(50, 10), ...around(100, 30)], 0.05)).toBeNull()
    expect(findChange([...around(50, 10), ...around(100, 25)], 0.05)).toMatchObject({ at: 10 })
  })
})

const runOf = (day: number, fields: Partial<RunResult> = {}): RunResult =>
  produceResult({ runId: `${day}`, startedAt: `2026-11-0${day}T10:00:00.000Z`, ...fields })

describe('the lines', () => {
  test('part where the work or the place differs, and not where only bench or the broker does', () => {
    const { environment, config } = produceResult()
    const lines = historyOf([
      runOf(2),
      runOf(1, { environment: { ...environment, broker: 'older', benchVersion: '0.0.9' } }),
      runOf(3, { environment: { ...environment, cores: 64 } }),
      runOf(4, { config: { ...config, messageSizeBytes: 1 } }),
      runOf(5, { status: 'interrupted' }),
    ])
    expect(lines.map(({ runs }) => runs.map(({ runId }) => runId))).toEqual([
      ['1', '2'],
      ['3'],
      ['4'],
    ])
    expect(lines[0]?.trends.map(({ metric, values }) => [metric.name, values.length])).toEqual([
      ['rate', 2],
      ['p50', 2],
      ['p99', 2],
    ])
  })

  test('list a run that was not correct, and do not count its speed', () => {
    const lost = { name: 'acked-equals-watermark-delta', ok: false, expected: 2, actual: 1 }
    const [line] = historyOf([runOf(1), runOf(2, { checks: [lost] })])
    expect(line?.runs).toHaveLength(2)
    expect(line?.trends[0]?.values).toHaveLength(1)
  })
})

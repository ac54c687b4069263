import { describe, expect, it } from 'vitest'
import { median, medianRatio, slopeOf, spread } from '../benchmarks/figures.ts'
import { goalTable } from '../benchmarks/goals.ts'

/** What the benchmarks make of what they measure; they themselves run by hand. */

describe('figures', () => {
  it('are the middle with both ends', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(spread([9.26, 1.24, 5], 1)).toBe('5.0 (1.2–9.3)')
    expect(spread([Number.NaN])).toBe('–')
  })

  it('are compared within a round, where both have one', () => {
    expect(medianRatio([10, 40, 90], [10, 20, 30])).toBe(2)
    expect(medianRatio([10, null, 90, 80], [10, 20, null, 20])).toBe(4)
    expect(medianRatio([10], [])).toBeNaN()
  })

  it('have a slope that outliers do not move', () => {
    const points = Array.from({ length: 40 }, (_, x) => ({ x, y: 100 + 2 * x }))
    expect(slopeOf(points)).toBe(2)
    points[39] = { x: 39, y: 10_000 }
    points[3] = { x: 3, y: -10_000 }
    expect(slopeOf(points)).toBe(2)
    expect(slopeOf(points.slice(0, 1))).toBeNaN()
  })
})

describe('goals', () => {
  const goal = { what: 'rate', bound: 10, unit: 'M/s', command: 'bench' } as const
  const verdicts = (sense: 'at least' | 'at most', ...measured: number[]): string[] =>
    goalTable(measured.map((one) => ({ ...goal, sense, measured: one })))
      .split('\n')
      .slice(2)
      .map((row) => row.split(' | ')[3] ?? '')

  it('are met from their bound on', () => {
    expect(verdicts('at least', 10, 12)).toEqual(['met', 'met'])
    expect(verdicts('at most', 10, 8)).toEqual(['met', 'met'])
  })

  it('are missed by a share of it', () => {
    expect(verdicts('at least', 7.5)).toEqual(['**missed by 25 %**'])
    expect(verdicts('at most', 15)).toEqual(['**missed by 50 %**'])
  })

  it('do not count where something else is at its limit', () => {
    const limited = { ...goal, sense: 'at least', limit: 'the disk is the limit' } as const
    const rows = goalTable([7.5, 12].map((measured) => ({ ...limited, measured }))).split('\n')
    expect(rows[2]).toContain('| the disk is the limit |')
    expect(rows[3]).toContain('| met |')
  })

  it('are neither without a figure', () => {
    expect(verdicts('at least', Number.NaN)).toEqual(['not measured'])
  })
})

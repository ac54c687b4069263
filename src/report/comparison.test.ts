import { describe, expect, test } from 'vitest'
import { golden } from '../../test/support/golden.ts'
import { produceResult, sampleLatency } from '../../test/support/sample-result.ts'
import { type Comparison, compareSides } from '../compare/comparison.ts'
import type { RunResult } from '../results/result.ts'
import { formatComparison } from './comparison.ts'
import { comparisonCases, formatComparisonMarkdown } from './comparison-markdown.ts'

const runOf = (rate: number, p99: number, fields: Partial<RunResult> = {}): RunResult => {
  const run = produceResult({ runId: `${rate}`, ...fields })
  return {
    ...run,
    totals: { ...run.totals, recordsPerSec: rate },
    latencyUs: { response: sampleLatency({ p99 }), service: null, endToEnd: null },
  }
}

const noises = [0, 400, -300, 150, -250, 90]

const comparisonOf = (factor: number, fields: Partial<RunResult> = {}): Comparison =>
  compareSides(
    {
      title: 'v2.1.0',
      runs: noises.map((noise) => runOf(51_000 + noise, 5_900 + 6 * noise)),
    },
    {
      title: 'v2.2.0',
      runs: noises.map((noise) => runOf((51_000 - noise) * factor, 5_900 - 6 * noise, fields)),
    },
    { ignored: [], thresholds: new Map(), isStrict: false },
  )

const slower = comparisonOf(0.9)
const wrong = comparisonOf(1, {
  status: 'interrupted',
  config: { ...produceResult().config, compression: 'gzip' },
})

describe('the report of a comparison', () => {
  test.each([
    ['comparison-slower', slower, 100],
    ['comparison-slower-40', slower, 40],
    ['comparison-wrong', wrong, 80],
  ] as const)('%s is as expected', (name, comparison, width) => {
    const text = formatComparison(comparison, { width })
    expect(text).toBe(golden(`report/${name}.txt`, text))
    for (const row of text.trimEnd().split('\n')) expect(Array.from(row)).toHaveLength(width)
  })

  test('runs on both sides are told', () => {
    expect(formatComparison({ ...slower, sharedRuns: 1 })).toContain(
      '- on both sides, so compared with themselves: 1 run ',
    )
    expect(formatComparison(slower)).not.toContain('themselves')
  })

  test('as Markdown', () => {
    const text = formatComparisonMarkdown(slower)
    expect(text).toBe(golden('report/comparison-slower.md', text))
  })

  test('as test cases: the verdict and each figure that decides', () => {
    expect(comparisonCases(slower)).toMatchObject([
      { name: 'verdict', failure: 'REGRESSION: worse: rate' },
      { name: 'rate', failure: expect.stringContaining('Change: -10') },
      { name: 'p50', failure: null, skipped: null },
      { name: 'p99', failure: null, skipped: 'inconclusive' },
    ])
    expect(comparisonCases(wrong)).toMatchObject([
      { failure: expect.stringMatching(/^NOT COMPARABLE/) },
    ])
  })
})

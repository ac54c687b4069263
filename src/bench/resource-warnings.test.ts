import { expect, test } from 'vitest'
import { produceResult, sampleResources } from '../../test/support/sample-result.ts'
import type { RunResult } from '../results/result.ts'
import { resourceWarnings } from './resource-warnings.ts'

const codesOf = (fields: Partial<RunResult>): string[] =>
  resourceWarnings(produceResult(fields)).map(({ code }) => code)

const paced = { config: { ...produceResult().config, rateRecordsPerSec: 5_000 } }

test('a calm run, and one that was not measured, have none', () => {
  expect(codesOf({ resources: sampleResources(), ...paced })).toEqual([])
  expect(codesOf({})).toEqual([])
})

test('a generator at its limit is told where a rate was asked for, and not in a closed loop', () => {
  const resources = sampleResources({ eventLoopUtilization: 0.97, eventLoopDelayMaxMs: 120 })
  expect(codesOf({ resources, ...paced })).toEqual(['generator-busy', 'generator-stalled'])
  expect(codesOf({ resources })).toEqual([])
})

test('foreign load and steal are told always', () => {
  const resources = { ...sampleResources(), machine: { foreignCores: 0.8, steal: 0.05 } }
  expect(codesOf({ resources })).toEqual(['foreign-load', 'steal'])
})

test('a client near its ceiling is told always, one further off is not', () => {
  const near = (share: number) => ({
    resources: { ...sampleResources(), ceiling: { recordsPerSec: 50_000, share } },
  })
  expect(codesOf(near(0.8))).toEqual(['near-ceiling'])
  expect(codesOf(near(1.2))).toEqual(['near-ceiling'])
  expect(codesOf(near(1.21))).toEqual(['ceiling-outdated'])
  expect(codesOf(near(0.79))).toEqual([])
})

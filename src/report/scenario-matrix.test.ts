import { expect, test } from 'vitest'
import { falseAlarms, type ScenarioMatrix, uncaughtDefects } from '../results/scenario-matrix.ts'
import { formatMatrix, formatMatrixMarkdown } from './scenario-matrix.ts'

const passed = { status: 'passed', failedChecks: [] } as const
const caught = { status: 'failed', failedChecks: ['fair-share', 'complete'] } as const
const skipped = { status: 'skipped', failedChecks: [] } as const

const matrix: ScenarioMatrix = {
  scenarios: ['one', 'two', 'three'],
  rows: [
    { defect: null, cells: [passed, passed, skipped] },
    { defect: 'canary', cells: [caught, passed, skipped] },
    { defect: 'slow', cells: [passed, caught, skipped] },
  ],
}

test('is a grid with a column per scenario', () => {
  expect(formatMatrix(matrix)).toMatchInlineSnapshot(`
    "                  123
    (correct broker)  ..-
    canary            X.-
    slow              .X-
    X a check failed, . all held, - skipped

    1 one
    2 two
    3 three

    each of 2 defects is caught by at least one scenario
    the correct broker is blamed by none
    "
  `)
})

test('says what caught each defect in Markdown', () => {
  expect(formatMatrixMarkdown(matrix)).toContain('| `canary` | one (fair-share, complete) |')
})

test('names defects that none catches, and scenarios that blame the correct broker', () => {
  const blind: ScenarioMatrix = {
    ...matrix,
    rows: [
      { defect: null, cells: [passed, caught, skipped] },
      { defect: 'slow', cells: [passed, passed, skipped] },
    ],
  }
  expect(uncaughtDefects(blind)).toEqual(['slow'])
  expect(falseAlarms(blind)).toEqual(['two'])
  expect(formatMatrix(blind)).toContain('not caught: slow')
})

import { expect, test } from 'vitest'
import { falseAlarms, type ScenarioMatrix, uncaughtDefects } from '../results/scenario-matrix.ts'
import { formatMatrix, formatMatrixMarkdown } from './scenario-matrix.ts'

const passed = { status: 'passed', failedChecks: [] } as const
const caught = { status: 'failed', failedChecks: ['fair-share', 'complete'] } as const
const skipped = { status: 'skipped', failedChecks: [] } as const
const same = { status: 'same', failedChecks: [] } as const

const matrix: ScenarioMatrix = {
  command: 'bench scenario matrix one two three',
  startedAt: '2026-11-21T20:30:00.000Z',
  elapsedMs: 754_000,
  atOnce: 6,
  cores: 2,
  scenarios: ['one', 'two', 'three'],
  rows: [
    { defect: null, cells: [passed, passed, skipped] },
    { defect: 'canary', cells: [caught, passed, skipped] },
    { defect: 'slow', cells: [same, caught, skipped] },
  ],
}

test('is a grid with a column per scenario', () => {
  expect(formatMatrix(matrix)).toMatchInlineSnapshot(`
    "                  123
    (correct broker)  ..-
    canary            X.-
    slow              =X-
    X a check failed, . all held, - skipped, = the defect spoils what is not set: the correct broker

    1 one
    2 two
    3 three

    each of 2 defects is caught by at least one scenario
    the correct broker is blamed by none
    8 plays in 12 min 34 s, 6 at a time on 2 cores
    "
  `)
})

test('says in Markdown what caught each defect, and which run of which command found it', () => {
  const text = formatMatrixMarkdown(matrix)
  expect(text).toContain('| `canary` | one (fair-share, complete) |')
  expect(text).toContain(
    'Made on 2026-11-21 by `bench scenario matrix one two three`: 3 scenarios,',
  )
  expect(text).toContain('8 plays in 12 min 34 s, 6 at a time on 2 cores.')
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

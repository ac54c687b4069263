import { expect, test } from 'vitest'
import { assigned, lifeOf } from '../../test/support/scenario-evidence.ts'
import type { Life } from './evidence.ts'
import { groupAtRest, isStuck } from './settle.ts'

const live = (member: string, changes: Partial<Life> = {}): Life =>
  lifeOf(member, { endedAtMs: null, end: null, ...changes })
const owning = (member: string, ...partitions: number[]): Life =>
  live(member, { events: [assigned(member, 1, partitions, 100)] })

const problemOf = (lives: Life[], partitionCount = 2): string | null =>
  groupAtRest(lives, partitionCount, 5_000).problem

test.each<[string, Life[], string | null]>([
  ['all is shared out', [owning('a', 0), owning('b', 1)], null],
  ['one is still without an assignment', [owning('a', 0), live('b')], 'b has no assignment'],
  ['one has less than its share', [owning('a', 0, 1), owning('b')], 'b owns 0 of 2'],
  ['two own the same', [owning('a', 0), owning('b', 0)], 'a and b both own partition 0'],
  ['nobody is there', [], null],
])('%s', (_what, lives, problem) => {
  if (problem === null) expect(problemOf(lives)).toBeNull()
  else expect(problemOf(lives)).toContain(problem)
})

test('a partition without an owner, or owned by one that stands still', () => {
  expect(problemOf([owning('a', 0), owning('b', 1)], 3)).toBe('nobody owns partition 2')
  const still = { ...owning('c', 2), isPaused: true }
  expect(problemOf([owning('a', 0), owning('b', 1), still], 3)).toBe('nobody owns partition 2')
})

test('members beyond the partitions may be idle', () => {
  expect(problemOf([owning('a', 0), owning('b', 1), owning('c')])).toBeNull()
})

test('is quiet some time after the last event, and stuck long after it', () => {
  const lives = [owning('a', 0)]
  expect(groupAtRest(lives, 2, 500).isQuiet).toBe(false)
  expect(groupAtRest(lives, 2, 1_000).isQuiet).toBe(true)
  expect(isStuck(lives, 5_000, 0, 6_000)).toBe(false)
  expect(isStuck(lives, 7_000, 0, 6_000)).toBe(true)
  expect(isStuck(lives, 7_000, 3_000, 6_000)).toBe(false)
  expect(isStuck([...lives, live('b')], 7_000, 0, 6_000)).toBe(false)
})

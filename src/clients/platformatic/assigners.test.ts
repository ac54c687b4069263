import { expect, test } from 'vitest'
import { rangeAssigner } from './assigners.ts'

const sharesOf = (members: string[], partitionsCount: number) =>
  rangeAssigner('a', new Map(members.map((member) => [member, {}])), new Set(['t']), {
    topics: new Map([['t', { partitionsCount }]]),
  }).map(({ memberId, assignments }) => [memberId, assignments.get('t')?.partitions ?? []])

test('the first members by id get one partition more', () => {
  expect(sharesOf(['c', 'a', 'b'], 7)).toEqual([
    ['a', [0, 1, 2]],
    ['b', [3, 4]],
    ['c', [5, 6]],
  ])
})

test('members beyond the partitions get none', () => {
  expect(sharesOf(['b', 'a'], 1)).toEqual([
    ['a', [0]],
    ['b', []],
  ])
})

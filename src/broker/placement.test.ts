import { describe, expect, test } from 'vitest'
import {
  endOfEpoch,
  epochAt,
  hashOf,
  newPlacement,
  spreadReplicas,
  withLeader,
} from './placement.ts'

test('leaders go round the nodes, and followers are the next ones', () => {
  expect(spreadReplicas(3, { count: 4, factor: 2 })).toEqual([
    [1, 2],
    [2, 3],
    [3, 1],
    [1, 2],
  ])
  expect(spreadReplicas(3, { count: 4, factor: 1, seed: 1 })).toEqual([[2], [3], [1], [2]])
  // Partitions that are added go on where the first ones ended.
  expect(spreadReplicas(3, { from: 2, count: 4, factor: 2 })).toEqual([
    [3, 1],
    [1, 2],
  ])
  expect(spreadReplicas(1, { count: 2, factor: 1, seed: 7 })).toEqual([[1], [1]])
})

test('the hash is that of Java, and never negative', () => {
  expect(hashOf('')).toBe(0)
  expect(hashOf('hello')).toBe(99_162_322)
  expect(hashOf('polygenelubricants')).toBe(0)
})

describe('epochs', () => {
  const first = newPlacement([1, 2])
  const second = withLeader(first, 2, 10)
  // Nothing was written in the third epoch.
  const fourth = withLeader(withLeader(second, 1, 15), 2, 15)

  test('each leader begins one', () => {
    expect(first).toMatchObject({ leaderId: 1, leaderEpoch: 0 })
    expect(second).toMatchObject({ leaderId: 2, leaderEpoch: 1, replicas: [1, 2] })
    expect(fourth).toMatchObject({ leaderId: 2, leaderEpoch: 3 })
  })

  test('one ends where the next one with records begins, the current one at the log end', () => {
    expect(endOfEpoch(fourth, 0, 20)).toEqual({ leaderEpoch: 0, endOffset: 10 })
    expect(endOfEpoch(fourth, 1, 20)).toEqual({ leaderEpoch: 1, endOffset: 15 })
    expect(endOfEpoch(fourth, 2, 20)).toEqual({ leaderEpoch: 1, endOffset: 15 })
    expect(endOfEpoch(fourth, 3, 20)).toEqual({ leaderEpoch: 3, endOffset: 20 })
    for (const unknown of [-1, 4]) expect(endOfEpoch(fourth, unknown, 20)).toBeNull()
  })

  test('one that begins at offset 0 leaves none before it', () => {
    const moved = withLeader(first, 2, 0)
    expect(endOfEpoch(moved, 0, 5)).toEqual({ leaderEpoch: 0, endOffset: 0 })
    expect(epochAt(moved, 0)).toBe(1)
  })

  test('every offset is of one', () => {
    expect([0, 9, 10, 14, 15, 99].map((offset) => epochAt(fourth, offset))).toEqual([
      0, 0, 1, 1, 3, 3,
    ])
  })
})

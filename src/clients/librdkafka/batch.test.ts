import { expect, test } from 'vitest'
import type { BatchCursor } from '../driver.ts'
import { cursorsOf } from './batch.ts'
import type { Message } from './library.ts'

const message = (partition: number, offset: number, value: string | null = 'x'): Message => ({
  partition,
  offset,
  value: value === null ? null : Buffer.from(value),
})

const offsetsOf = (cursor: BatchCursor | undefined): number[] => {
  const offsets: number[] = []
  while (cursor?.next()) offsets.push(cursor.offset)
  return offsets
}

test('messages of several partitions become one cursor each, in order', () => {
  const messages = [message(1, 5), message(0, 2), message(1, 6), message(0, 3)]
  const cursors = cursorsOf(messages, new Map(), 42)
  expect(cursors.map((one) => [one.partition, one.fromOffset, one.toOffset])).toEqual([
    [1, 5, 7],
    [0, 2, 4],
  ])
  expect(cursors.map(offsetsOf)).toEqual([
    [5, 6],
    [2, 3],
  ])
})

test('a cursor begins at the position, so that control records leave no gap', () => {
  const [cursor] = cursorsOf([message(0, 12), message(0, 14)], new Map([[0, 10]]), 0)
  expect(cursor).toMatchObject({ fromOffset: 10, toOffset: 15 })
  expect(offsetsOf(cursor)).toEqual([12, 14])
})

test('a null value has length -1, and the bench header is found among others', () => {
  const value = Buffer.from([1])
  const headers = [{ other: Buffer.from([9]) }, { bench: value }]
  const [cursor] = cursorsOf([message(0, 0, null), { ...message(0, 1), headers }], new Map(), 0)
  cursor?.next()
  expect(cursor?.valueLength).toBe(-1)
  expect(cursor?.benchHeader()).toBeNull()
  cursor?.next()
  expect(cursor?.benchHeader()).toBe(value)
})

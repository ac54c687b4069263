import { expect, test } from 'vitest'
import type { BatchCursor } from '../driver.ts'
import { cursorOf } from './batch.ts'
import type { RecordsBatch } from './library.ts'

const batchOf = (firstOffset: number, deltas: number[], attributes = 0): RecordsBatch => ({
  firstOffset: BigInt(firstOffset),
  lastOffsetDelta: Math.max(...deltas),
  attributes,
  records: deltas.map((offsetDelta) => ({
    offsetDelta,
    value: offsetDelta === 9 ? null : Buffer.from('v'),
    headers: [
      [Buffer.from('other'), null],
      [Buffer.from('bench'), Buffer.from([offsetDelta])],
    ],
  })),
})

const offsetsOf = (cursor: BatchCursor | null): number[] => {
  const offsets: number[] = []
  while (cursor?.next()) offsets.push(cursor.offset)
  return offsets
}

test('several batches are walked as one, across holes of compaction', () => {
  const cursor = cursorOf(2, 10, [batchOf(10, [0, 1]), batchOf(15, [0, 3])], 42)
  expect(cursor).toMatchObject({ partition: 2, fromOffset: 10, toOffset: 19, receivedAtNs: 42 })
  expect(offsetsOf(cursor)).toEqual([10, 11, 15, 18])
})

test('records before the position are passed over: a fetch brings whole batches', () => {
  const cursor = cursorOf(0, 12, [batchOf(10, [0, 1, 2, 3])], 0)
  expect(cursor).toMatchObject({ fromOffset: 12, toOffset: 14 })
  expect(offsetsOf(cursor)).toEqual([12, 13])
  expect(cursorOf(0, 14, [batchOf(10, [0, 1, 2, 3])], 0)).toBeNull()
  expect(cursorOf(0, 14, [], 0)).toBeNull()
})

test('a control batch moves the position and hands out nothing', () => {
  const cursor = cursorOf(0, 0, [batchOf(0, [0]), batchOf(1, [0], 1 << 5)], 0)
  expect(cursor?.toOffset).toBe(2)
  expect(offsetsOf(cursor)).toEqual([0])
})

test('a null value has length -1, and the bench header is found among others', () => {
  const cursor = cursorOf(0, 0, [batchOf(0, [0, 9])], 0)
  cursor?.next()
  expect(cursor?.valueLength).toBe(1)
  expect(cursor?.benchHeader()).toEqual(Buffer.from([0]))
  cursor?.next()
  expect(cursor?.valueLength).toBe(-1)
  expect(cursor?.benchHeader()).toEqual(Buffer.from([9]))
})

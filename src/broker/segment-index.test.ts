import { expect, test } from 'vitest'
import { SegmentIndex } from './segment-index.ts'

test('positions by offset and by timestamp are at or before the batch, and within 4 KiB', () => {
  const index = new SegmentIndex()
  const batches: { offset: number; position: number; timestamp: number }[] = []
  for (let i = 0, position = 0; i < 300; i++) {
    const timestamp = 1_000 + ((i * 37) % 90) + i
    batches.push({ offset: i * 2, position, timestamp })
    index.add(i * 2, position, timestamp)
    position += 100 + ((i * 53) % 900)
  }
  for (const { offset, position } of batches) {
    for (const found of [index.positionBefore(offset), index.positionBefore(offset + 1)]) {
      expect(found).toBeLessThanOrEqual(position)
      expect(position - found).toBeLessThan(4_096 + 1_000)
    }
  }
  for (let timestamp = 0; timestamp < 1_500; timestamp++) {
    const first = batches.find((batch) => batch.timestamp >= timestamp)
    if (first) expect(index.positionBeforeTimestamp(timestamp)).toBeLessThanOrEqual(first.position)
  }
  const newest = batches.reduce((a, b) => (b.timestamp > a.timestamp ? b : a))
  expect(index.maxTimestamp).toBe(newest.timestamp)
  expect(index.maxTimestampPosition).toBe(newest.position)
})

test('a timestamp that an entry before has reached is found there', () => {
  const index = new SegmentIndex()
  for (const [i, timestamp] of [5, 9, 9, 9].entries()) index.add(i, i * 5_000, timestamp)
  expect([5, 6, 9, 10].map((timestamp) => index.positionBeforeTimestamp(timestamp))).toEqual([
    0, 5_000, 5_000, 15_000,
  ])
})

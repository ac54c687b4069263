import { createRequire } from 'node:module'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPlacement, murmur2, partitionOf } from './keys.ts'

const kafkajsMurmur2 = createRequire(import.meta.url)(
  'kafkajs/src/producer/partitioners/default/murmur2.js',
) as (key: Buffer) => number

test('murmur2 gives the values of the Java client', () => {
  // Source: org.apache.kafka.common.utils.UtilsTest.testMurmur2.
  const values: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ]
  for (const [text, hash] of values) expect(murmur2(Buffer.from(text))).toBe(hash)
})

test('murmur2 agrees with kafkajs on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(murmur2(bytes)).toBe(kafkajsMurmur2(Buffer.from(bytes)))
    }),
    { numRuns: 2000 },
  )
})

const take = (keyPattern: Parameters<typeof createPlacement>[0]['keyPattern'], count: number) => {
  const placement = createPlacement({ keyPattern, seed: 7, partitionCount: 3 })
  return Array.from({ length: count }, () => {
    const partition = placement.next()
    return { partition, key: placement.key?.toString() ?? null }
  })
}

test('without keys the partitions take turns from 0', () => {
  expect(take('none', 5).map(({ partition }) => partition)).toEqual([0, 1, 2, 0, 1])
  expect(take('none', 1)[0]?.key).toBeNull()
})

test('a sticky partitioner fills a batch of one partition before it chooses the next, and leaves none out', () => {
  const options = { keyPattern: 'none', seed: 7, partitionCount: 3, stickyTurns: 5 } as const
  const placement = createPlacement(options)
  const batches = Array.from({ length: 60 }, () =>
    Array.from({ length: 5 }, () => placement.next()),
  )
  for (const batch of batches) expect(new Set(batch).size).toBe(1)
  const chosen = batches.map(([partition]) => partition)
  expect(new Set(chosen)).toEqual(new Set([0, 1, 2]))
  // Any partition: neither the same one for ever nor one after the other.
  expect(chosen.some((partition, index) => index > 0 && partition === chosen[index - 1])).toBe(true)
  expect(placement.key).toBeNull()
})

test.each(['random', 'sequential', 'fixed', 'zipf'] as const)(
  '%s keys are the same for the same seed, and go where murmur2 sends them',
  (pattern) => {
    const placed = take(pattern, 200)
    expect(take(pattern, 200)).toEqual(placed)
    for (const { key, partition } of placed) {
      expect(partition).toBe(partitionOf(Buffer.from(key ?? ''), 3))
    }
  },
)

test('the patterns differ as their names say', () => {
  const distinct = (pattern: Parameters<typeof take>[0]) =>
    new Set(take(pattern, 1000).map(({ key }) => key)).size
  expect(distinct('random')).toBe(1000)
  expect(take('random', 1)[0]?.key).toMatch(/^key-\d{1,20}$/)
  expect(take('sequential', 3).map(({ key }) => key)).toEqual(['key-0', 'key-1', 'key-2'])
  expect(distinct('fixed')).toBe(1)
  const first = take('zipf', 1000).filter(({ key }) => key === 'key-0').length
  // The weight of the first of 10,000 keys with exponent 0.99 is 9.8 %.
  expect(first).toBeGreaterThan(60)
  expect(first).toBeLessThan(140)
  expect(distinct('zipf')).toBeGreaterThan(300)
})

import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'

const crcOfKafkajs = createRequire(import.meta.url)(
  'kafkajs/src/protocol/recordBatch/crc32C/index.js',
) as (bytes: Buffer) => number

test('known vectors', () => {
  expect(crc32c(Buffer.from('123456789')).toString(16)).toBe('e3069283')
  // RFC 3720, B.4
  expect(crc32c(Buffer.alloc(32)).toString(16)).toBe('8a9136aa')
  expect(crc32c(Buffer.alloc(32, 0xff)).toString(16)).toBe('62a8ab43')
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i))).toString(16)).toBe('46dd794e')
  expect(crc32c(Buffer.alloc(0))).toBe(0)
})

test('agrees with kafkajs at every length and alignment', () => {
  const bytes = randomBytes(300)
  for (let start = 0; start < 20; start++) {
    for (let end = start; end <= bytes.length; end += 1 + (start % 3)) {
      expect(crc32c(bytes, start, end)).toBe(crcOfKafkajs(bytes.subarray(start, end)) >>> 0)
    }
  }
})

test('a seed continues what came before', () => {
  const bytes = randomBytes(100)
  for (const middle of [0, 1, 15, 16, 50, 100]) {
    const first = crc32c(bytes, 0, middle)
    expect(crc32c(bytes, middle, bytes.length, first)).toBe(crc32c(bytes))
  }
})

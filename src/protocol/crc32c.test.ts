import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import {
  type Crc32c,
  crc32c,
  crc32cInScript,
  crc32cInWasm,
  readyCrc32c,
  takeNativeCrc32c,
} from './crc32c.ts'
import { distances } from './crc32c-wasm.ts'

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

/** Bit by bit, as the definition has it. */
const crc32cByBits: Crc32c = (bytes, start, end, seed) => {
  let crc = ~seed
  for (const byte of bytes.subarray(start, end)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

test('script, WebAssembly and the definition agree at every size, start and seed', () => {
  const inWasm = crc32cInWasm()
  if (inWasm === null) throw new Error('no WebAssembly')
  const bytes = randomBytes(150_000)
  const sizes = [
    0, 1, 3, 15, 16, 17, 31, 64, 305, 306, 307, 1_023, 1_024, 1_025, 65_535, 65_536, 65_537,
    131_073,
  ]
  sizes.push(149_000)
  for (const size of sizes) {
    for (const start of [0, 1, 7, 900]) {
      const seed = bytes.readUInt32LE(size)
      const expected = crc32cByBits(bytes, start, start + size, seed)
      expect(crc32cInScript(bytes, start, start + size, seed)).toBe(expected)
      expect(inWasm(bytes, start, start + size, seed)).toBe(expected)
      expect(crc32c(bytes, start, start + size, seed)).toBe(expected)
      expect(crc32c(bytes, start, start + size)).toBe(
        crcOfKafkajs(bytes.subarray(start, start + size)) >>> 0,
      )
    }
  }
})

test('a byte counts as much as the same byte at each of the distances behind it', () => {
  const sizeBytes = 1 + Math.max(...distances)
  const first = Buffer.alloc(sizeBytes)
  const behind = Buffer.alloc(sizeBytes)
  first[0] = 0x5a
  for (const distance of distances) behind[distance] = 0x5a
  expect(crc32cInScript(first, 0, sizeBytes, 0)).toBe(crc32cInScript(behind, 0, sizeBytes, 0))
})

test('WebAssembly keeps nothing of the data before', () => {
  const inWasm = crc32cInWasm()
  if (inWasm === null) throw new Error('no WebAssembly')
  const bytes = randomBytes(70_000)
  for (let round = 0; round < 200; round++) {
    const end = bytes.readUInt32LE(4 * round) % bytes.length
    expect(inWasm(bytes, 0, end, round)).toBe(crc32cInScript(bytes, 0, end, round))
  }
})

test('a native implementation is taken for large data when it is right, and only then', () => {
  const calls: number[] = []
  const native = (bytes: Uint8Array, seed: number): number => {
    calls.push(bytes.length)
    return crc32cInScript(bytes, 0, bytes.length, seed) | 0
  }
  const bytes = randomBytes(5_000)
  const expected = crc32c(bytes)
  expect(takeNativeCrc32c(() => 0)).toBe(false)
  expect(readyCrc32c()).toBe('WebAssembly')
  expect(takeNativeCrc32c(native)).toBe(true)
  expect(readyCrc32c()).toBe('a native module')
  calls.length = 0
  expect(crc32c(bytes)).toBe(expected)
  expect(crc32c(bytes, 0, 100)).toBe(crc32cInScript(bytes, 0, 100, 0))
  expect(calls).toEqual([5_000])
})

import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { VarintReader, varintSize, writeVarint } from './varint.ts'

interface KafkajsEncoder {
  writeVarLong(value: bigint): { buffer: Buffer }
}
const Encoder = createRequire(import.meta.url)('kafkajs/src/protocol/encoder.js') as {
  new (): KafkajsEncoder
}

const values = [
  0,
  1,
  -1,
  63,
  -64,
  64,
  -65,
  8191,
  8192,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 41,
  -(2 ** 41),
]

test.each(values)('%d is written as kafkajs writes it and read back', (value) => {
  const bytes = Buffer.alloc(12)
  const end = writeVarint(bytes, 0, value)
  expect(end).toBe(varintSize(value))
  expect(bytes.subarray(0, end)).toEqual(new Encoder().writeVarLong(BigInt(value)).buffer)
  const reader = new VarintReader(bytes, 0, end)
  expect(reader.next()).toBe(value)
  expect(reader.position).toBe(end)
})

const read = (bytes: number[]): number =>
  new VarintReader(Buffer.from(bytes), 0, bytes.length).next()

test('hostile varints throw', () => {
  expect(() => read([])).toThrow(RangeError)
  expect(() => read([0x80])).toThrow(RangeError)
  expect(() => read(Array(10).fill(0xff))).toThrow(RangeError)
  expect(() => read([...(Array(8).fill(0xff) as number[]), 0x7f])).toThrow(RangeError)
})

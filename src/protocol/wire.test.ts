import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Reader, WireError, Writer } from './wire.ts'

const written = (write: (writer: Writer) => void): Buffer => {
  const writer = new Writer()
  write(writer)
  const bytes = Buffer.concat(writer.finish())
  expect(writer.sizeBytes).toBe(bytes.length)
  return bytes
}

const writtenText = (text: string): Buffer =>
  written((writer) => writer.text(text, (sizeBytes) => writer.int16(sizeBytes)))

describe('Writer', () => {
  it('lays out the primitive types big-endian', () => {
    const bytes = written((writer) => {
      writer.bool(true)
      writer.int8(-2)
      writer.int16(-3)
      writer.uint16(0xfffe)
      writer.int32(-4)
      writer.uint32(0xfffffffd)
      writer.float64(1.5)
    })
    expect(bytes.toString('hex')).toBe('01fefffdfffefffffffcfffffffd3ff8000000000000')
    const reader = new Reader(bytes)
    expect(reader.bool()).toBe(true)
    expect(reader.int8()).toBe(-2)
    expect(reader.int16()).toBe(-3)
    expect(reader.uint16()).toBe(0xfffe)
    expect(reader.int32()).toBe(-4)
    expect(reader.uint32()).toBe(0xfffffffd)
    expect(reader.float64()).toBe(1.5)
    expect(reader.remaining).toBe(0)
  })

  it.each([
    ['int8', 0x80],
    ['int8', -0x81],
    ['int16', 0x8000],
    ['uint16', -1],
    ['uint16', 0x10000],
    ['int32', 2 ** 31],
    ['uint32', 2 ** 32],
    ['int64', 2 ** 53],
    ['int64', -(2 ** 53)],
    ['unsignedVarint', -1],
    ['unsignedVarint', 2 ** 32],
    ['int32', Number.NaN],
    ['int32', undefined as unknown as number],
  ] as const)('refuses %s %d', (type, value) => {
    expect(() => new Writer()[type](value)).toThrow(WireError)
  })

  it('refuses a string beyond 32767 bytes of UTF-8', () => {
    expect(writtenText('ü'.repeat(16_383)).length).toBe(2 + 32_766)
    expect(() => writtenText('ü'.repeat(16_384))).toThrow('string of 32768 bytes, at most 32767')
  })

  it('appends large bytes by reference and copies small ones', () => {
    const large = Buffer.alloc(100_000, 1)
    const small = Buffer.alloc(10, 2)
    const writer = new Writer()
    writer.int32(1)
    writer.bytes(small)
    writer.bytes(large)
    writer.int32(2)
    const parts = writer.finish()
    expect(parts.map(({ length }) => length)).toEqual([14, 100_000, 4])
    expect(parts[1]).toBe(large)
  })

  it('keeps what it wrote when a chunk is full', () => {
    const bytes = written((writer) => {
      for (let value = 0; value < 5_000; value++) writer.int32(value)
    })
    for (let value = 0; value < 5_000; value++) expect(bytes.readInt32BE(value * 4)).toBe(value)
  })
})

describe('Reader', () => {
  it('names the missing bytes and where they are missing', () => {
    const reader = new Reader(Buffer.from([0, 0, 0]))
    reader.int8()
    expect(() => reader.int32()).toThrow('2 bytes missing at byte 1')
  })

  it.each([
    ['0020000000000000', 2 ** 53],
    ['ffe0000000000000', -(2 ** 53)],
    ['7fffffffffffffff', 2 ** 63],
    ['8000000000000000', -(2 ** 63)],
  ])('refuses int64 %s, which is not exact as a number', (hex) => {
    expect(() => new Reader(Buffer.from(hex, 'hex')).int64()).toThrow(WireError)
  })

  it('takes int64 up to 2^53 - 1 either way', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = written((writer) => writer.int64(value))
        expect(bytes.readBigInt64BE()).toBe(BigInt(value))
        expect(new Reader(bytes).int64()).toBe(value)
      }),
      { examples: [[Number.MAX_SAFE_INTEGER], [Number.MIN_SAFE_INTEGER], [-1], [-(2 ** 32)]] },
    )
  })

  it.each([
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [300, 'ac02'],
    [2 ** 32 - 1, 'ffffffff0f'],
  ])('reads and writes unsigned varint %d as %s', (value, hex) => {
    expect(written((writer) => writer.unsignedVarint(value)).toString('hex')).toBe(hex)
    expect(new Reader(Buffer.from(hex, 'hex')).unsignedVarint()).toBe(value)
  })

  it.each(['ffffffff10', 'ffffffffff01', '8080808080'])('refuses varint %s', (hex) => {
    expect(() => new Reader(Buffer.from(hex, 'hex')).unsignedVarint()).toThrow(
      'unsigned varint beyond 32 bits at byte 0',
    )
  })

  it('gives bytes as a view', () => {
    const buffer = Buffer.from([1, 2, 3, 4])
    const view = new Reader(buffer, 1).bytes(2)
    buffer[1] = 9
    expect([...view]).toEqual([9, 3])
  })
})

it('refuses a uuid that is not 16 bytes', () => {
  expect(() => new Writer().uuid('AAAA')).toThrow('uuid of 3 bytes')
})

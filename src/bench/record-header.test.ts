import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createHeader,
  HeaderPatcher,
  headerSizeBytes,
  parseDetached,
  parseHeader,
  parseRecord,
  runIdOf,
  runNumberOf,
  writeHeader,
} from './record-header.ts'

const header = fc.record({
  run: fc.maxSafeNat().map((number) => number % 2 ** 48),
  producer: fc.nat(0xffff),
  sequence: fc.maxSafeNat(),
  intendedAtEpochUs: fc.maxSafeNat(),
})

const valueOf = (fields: ReturnType<typeof createHeader>, body: Uint8Array): Buffer => {
  const value = Buffer.alloc(headerSizeBytes + body.length)
  value.set(body, headerSizeBytes)
  writeHeader(value, 0, fields, crc32(body))
  return value
}

test('what was written is parsed, wherever it lies in the bytes', () => {
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 400 }), fc.nat(9), (fields, body, start) => {
      const value = valueOf(fields, body)
      const bytes = Buffer.concat([Buffer.alloc(start, 1), value, Buffer.alloc(5, 2)])
      const out = createHeader()
      expect(parseHeader(bytes, start, value.length, out)).toBe('ok')
      expect(out).toEqual(fields)
    }),
  )
})

test('the layout is the documented one', () => {
  const body = Buffer.from('body')
  const value = valueOf(
    { run: 0x0102030405ff, producer: 0xfffe, sequence: 2 ** 40 + 7, intendedAtEpochUs: 2 ** 50 },
    body,
  )
  expect(value.toString('latin1', 0, 4)).toBe('bnch')
  expect(value.toString('hex', 4, 10)).toBe('0102030405ff')
  expect(value.readUInt16BE(10)).toBe(0xfffe)
  expect(value.readBigUInt64BE(12)).toBe(2n ** 40n + 7n)
  expect(value.readBigUInt64BE(20)).toBe(2n ** 50n)
  expect(value.readUInt32BE(28)).toBe(0)
  expect(value.readUInt32BE(32)).toBe((crc32(value.subarray(0, 32)) ^ crc32(body)) >>> 0)
})

test('every single flipped bit is corrupt, or no header when it hits the magic', () => {
  for (const bodySize of [0, 3, 8, 255, 256]) {
    const value = valueOf(
      { run: 1, producer: 2, sequence: 3, intendedAtEpochUs: 4 },
      Buffer.alloc(bodySize, 7),
    )
    for (let bit = 0; bit < value.length * 8; bit += 1) {
      const damaged = Buffer.from(value)
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
      const verdict = parseHeader(damaged, 0, damaged.length, createHeader())
      expect(verdict).toBe(bit < 32 ? 'none' : 'corrupt')
    }
  }
})

test('a shortened or lengthened value is corrupt', () => {
  const value = valueOf(createHeader(), Buffer.from('some body'))
  expect(parseHeader(value, 0, value.length - 1, createHeader())).toBe('corrupt')
  const longer = Buffer.concat([value, Buffer.from('!')])
  expect(parseHeader(longer, 0, longer.length, createHeader())).toBe('corrupt')
})

test('a header beside its value covers the value', () => {
  const value = Buffer.from('small')
  const detached = Buffer.alloc(headerSizeBytes)
  const fields = { run: 9, producer: 1, sequence: 5, intendedAtEpochUs: 6 }
  writeHeader(detached, 0, fields, crc32(value))
  const out = createHeader()
  expect(parseDetached(detached, value, 0, value.length, out)).toBe('ok')
  expect(out).toEqual(fields)
  expect(parseDetached(detached, Buffer.from('smell'), 0, 5, out)).toBe('corrupt')
  expect(parseDetached(detached.subarray(0, 20), value, 0, 5, out)).toBe('corrupt')
  expect(parseDetached(Buffer.from('else'), value, 0, 5, out)).toBe('none')
  expect(parseDetached(Buffer.alloc(0), value, 0, 5, out)).toBe('none')
})

test('a cursor is asked for the record header only when the value is too small, or null', () => {
  const detached = Buffer.alloc(headerSizeBytes)
  writeHeader(detached, 0, { ...createHeader(), sequence: 8 }, crc32(Buffer.alloc(0)))
  const cursor = {
    partition: 0,
    fromOffset: 0,
    toOffset: 1,
    receivedAtNs: 0,
    offset: 0,
    bytes: Buffer.alloc(headerSizeBytes, 1),
    valueStart: 0,
    valueLength: -1,
    next: () => true,
    benchHeader: (): Uint8Array | null => detached,
  }
  const out = createHeader()
  expect(parseRecord(cursor, out)).toBe('ok')
  expect(out.sequence).toBe(8)
  cursor.valueLength = headerSizeBytes
  expect(parseRecord(cursor, out)).toBe('none')
  cursor.valueLength = 3
  cursor.benchHeader = () => null
  expect(parseRecord(cursor, out)).toBe('none')
})

test('a run id and its number are one', () => {
  expect(runIdOf(runNumberOf('00ff12345678'))).toBe('00ff12345678')
  expect(runIdOf(runNumberOf('ffffffffffff'))).toBe('ffffffffffff')
  expect(() => runNumberOf('bench')).toThrow('12 hex digits')
})

test('a patched header is the one that would have been written, whatever was patched before', () => {
  const one = fc.tuple(
    fc.oneof(fc.maxSafeNat(), fc.nat(3)),
    fc.oneof(fc.maxSafeNat(), fc.nat(3)),
    fc.integer(),
  )
  fc.assert(
    fc.property(fc.nat(2 ** 30), fc.nat(0xffff), fc.array(one), (run, producer, records) => {
      const patcher = new HeaderPatcher(run, producer)
      const patched = Buffer.alloc(headerSizeBytes)
      const view = new DataView(patched.buffer, patched.byteOffset)
      const written = Buffer.alloc(headerSizeBytes)
      writeHeader(patched, 0, { run, producer, sequence: 0, intendedAtEpochUs: 0 }, 0)
      for (const [sequence, intendedAtEpochUs, bodyChecksum] of records) {
        patcher.patch(view, 0, sequence, intendedAtEpochUs, bodyChecksum)
        writeHeader(written, 0, { run, producer, sequence, intendedAtEpochUs }, bodyChecksum)
        expect(patched.toString('hex')).toBe(written.toString('hex'))
      }
    }),
  )
})

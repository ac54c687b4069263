import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { int16At, int32At, int64At, putInt16, putInt32, putInt64 } from './big-endian.ts'

const bytes = Buffer.alloc(12)
const at = fc.constantFrom(0, 1, 3)
const int = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })

test('reads what Buffer writes, and writes what it reads', () => {
  fc.assert(
    fc.property(at, int(16), int(32), fc.maxSafeInteger(), (i, short, whole, long) => {
      bytes.writeInt16BE(short, i)
      expect(int16At(bytes, i)).toBe(short)
      bytes.writeInt32BE(whole, i)
      expect(int32At(bytes, i)).toBe(whole)
      bytes.writeBigInt64BE(BigInt(long), i)
      expect(int64At(bytes, i)).toBe(long)

      bytes.fill(0xee)
      expect(putInt16(bytes, i, short)).toBe(i + 2)
      expect(bytes.readInt16BE(i)).toBe(short)
      expect(putInt32(bytes, i, whole)).toBe(i + 4)
      expect(bytes.readInt32BE(i)).toBe(whole)
      expect(putInt64(bytes, i, long)).toBe(i + 8)
      expect(bytes.readBigInt64BE(i)).toBe(BigInt(long))
      expect(bytes.subarray(i + 8).every((byte) => byte === 0xee)).toBe(true)
    }),
  )
})

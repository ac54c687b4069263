/**
 * CRC-32C of bytes of which only some change. The register is linear: with c(D) the register that D leaves from 0 on,
 * register(s, D) = register(s, zeros of D's length) XOR c(D), and c of D is the XOR of what each of its bytes leaves.
 * So what does not change is computed once. Source: Sarwate 1988 for the tables; M. Adler, zlib's crc32_combine, for the idea.
 */
import { crc32c } from '../../protocol/crc32c.ts'

/** The register after `bytes[start, end)`, without the inversions before and after. */
export const register = (crc: number, bytes: Uint8Array, start: number, end: number): number =>
  ~crc32c(bytes, start, end, ~crc)

const zeros = new Uint8Array(4_096)

const overZeros = (crc: number, sizeBytes: number): number => {
  let value = crc
  for (let left = sizeBytes; left > 0; left -= zeros.length) {
    value = register(value, zeros, 0, Math.min(left, zeros.length))
  }
  return value
}

const tables = new Map<number, Int32Array>()

/**
 * Moves a register over `sizeBytes` zero bytes: `t[r & 255] ^ t[256 + (r >>> 8 & 255)] ^ t[512 + …] ^ t[768 + …]`. The same
 * array for the same size.
 */
export const advanceTable = (sizeBytes: number): Int32Array => {
  const known = tables.get(sizeBytes)
  if (known !== undefined) return known
  const table = new Int32Array(4 * 256)
  for (let bit = 0; bit < 32; bit++) {
    const image = overZeros(1 << bit, sizeBytes)
    const first = 256 * (bit >>> 3)
    const value = 1 << (bit & 7)
    for (let rest = 0; rest < value; rest++) {
      table[first + value + rest] = (table[first + rest] as number) ^ image
    }
  }
  tables.set(sizeBytes, table)
  return table
}

/**
 * Table k (256 entries from 256 * k on) says what a byte leaves with `sizeBytes - 1 - k` zero bytes after it: the
 * contribution of byte k of a window of `sizeBytes` to the register at the window's end.
 */
export const windowTables = (sizeBytes: number): Int32Array => {
  const table = new Int32Array(256 * sizeBytes)
  for (let place = 0; place < sizeBytes; place++) {
    const advance = sizeBytes - 1 - place
    for (let byte = 0; byte < 256; byte++) {
      table[256 * place + byte] = overZeros(register(0, Uint8Array.of(byte), 0, 1), advance)
    }
  }
  return table
}

/** CRC-32C (Castagnoli, RFC 3720 appendix B.4) in slices of 16 bytes. */

const polynomial = 0x82f63b78

// tables[256 * k + b] is the CRC of byte b followed by k zero bytes.
const tables = new Int32Array(256 * 16)
for (let b = 0; b < 256; b++) {
  let crc = b
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
  tables[b] = crc
}
for (let i = 256; i < tables.length; i++) {
  const previous = tables[i - 256] as number
  tables[i] = (previous >>> 8) ^ (tables[previous & 0xff] as number)
}

/**
 * The unsigned CRC-32C of `bytes[start, end)`. `seed` is the CRC of what came before, so that
 * `crc32c(b, 0, b.length, crc32c(a))` is the CRC of a and b together.
 */
export const crc32c = (bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number => {
  const t = tables
  let crc = ~seed
  let i = start
  for (const last = end - 16; i <= last; i += 16) {
    crc =
      t[3840 + ((crc ^ bytes[i]!) & 0xff)]! ^
      t[3584 + (((crc >>> 8) ^ bytes[i + 1]!) & 0xff)]! ^
      t[3328 + (((crc >>> 16) ^ bytes[i + 2]!) & 0xff)]! ^
      t[3072 + ((crc >>> 24) ^ bytes[i + 3]!)]! ^
      t[2816 + bytes[i + 4]!]! ^
      t[2560 + bytes[i + 5]!]! ^
      t[2304 + bytes[i + 6]!]! ^
      t[2048 + bytes[i + 7]!]! ^
      t[1792 + bytes[i + 8]!]! ^
      t[1536 + bytes[i + 9]!]! ^
      t[1280 + bytes[i + 10]!]! ^
      t[1024 + bytes[i + 11]!]! ^
      t[768 + bytes[i + 12]!]! ^
      t[512 + bytes[i + 13]!]! ^
      t[256 + bytes[i + 14]!]! ^
      t[bytes[i + 15]!]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ bytes[i]!) & 0xff]!
  return ~crc >>> 0
}

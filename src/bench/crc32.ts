/** crc32 of a few hundred bytes, without the view and the call that zlib's would cost. */

const wordBytes = 4
/** Enough to move the remainder of a byte over 20 more. */
const tableCount = 20

/** Tables of 256: table k moves a byte's remainder over k more bytes. */
const tables = new Int32Array(tableCount * 256)
for (let byte = 0; byte < 256; byte += 1) {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  tables[byte] = crc
}
for (let at = 256; at < tables.length; at += 1) {
  const crc = tables[at - 256] as number
  tables[at] = (crc >>> 8) ^ (tables[crc & 0xff] as number)
}
const tableAt = (index: number): number => tables[index] as number

/** What a big-endian word with `bytesAfter` bytes behind it, at most 16, leaves in the crc32 over them all. */
export const remainderOf = (word: number, bytesAfter: number): number => {
  const table = (bytesAfter + wordBytes - 1) << 8
  return (
    tableAt(table + (word >>> 24)) ^
    tableAt(table - 0x100 + ((word >>> 16) & 0xff)) ^
    tableAt(table - 0x200 + ((word >>> 8) & 0xff)) ^
    tableAt(table - 0x300 + (word & 0xff))
  )
}

/** As a signed word. Source: Intel's slicing-by-8. */
export const crc32Of = (bytes: Uint8Array, start: number, end: number): number => {
  let crc = -1
  let at = start
  for (; at + 8 <= end; at += 8) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    crc =
      tableAt(0x700 + (crc & 0xff)) ^
      tableAt(0x600 + ((crc >>> 8) & 0xff)) ^
      tableAt(0x500 + ((crc >>> 16) & 0xff)) ^
      tableAt(0x400 + (crc >>> 24)) ^
      tableAt(0x300 + (bytes[at + 4] as number)) ^
      tableAt(0x200 + (bytes[at + 5] as number)) ^
      tableAt(0x100 + (bytes[at + 6] as number)) ^
      tableAt(bytes[at + 7] as number)
  }
  for (; at < end; at += 1) crc = (crc >>> 8) ^ tableAt((crc ^ (bytes[at] as number)) & 0xff)
  return ~crc
}

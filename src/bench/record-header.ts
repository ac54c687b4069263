/**
 * The bench header: 36 bytes that say which run, producer and sequence a record is, and a checksum over it and the
 * rest of the value. It does not know partitions or offsets, so one template serves all of them.
 *
 * Big-endian: magic u32, run id 6 bytes, producer number u16, sequence u64, intended time u64 (µs since 1970),
 * reserved u32 (0), checksum u32 = crc32(the 32 bytes before it) XOR crc32(the rest of the value).
 */
import { crc32 } from 'node:zlib'
import type { BatchCursor } from '../clients/driver.ts'

export const headerSizeBytes = 36

const magic = 0x62_6e_63_68
const magicBytes = [0x62, 0x6e, 0x63, 0x68] as const
const sequenceAt = 12
const intendedAt = 20
const checksumAt = 32
const twoTo32 = 2 ** 32

/** What a bench header says. Parsing writes into one object that is used again for every record. */
export interface BenchHeader {
  /** The run id as a number (48 bits); see `runNumberOf`. */
  run: number
  producer: number
  /** Dense from 0 per run, producer and partition; below 2^53. */
  sequence: number
  /** Whole µs since 1970. */
  intendedAtEpochUs: number
}

/** `none`: no bench header, counted by offset only. `corrupt`: the magic is there and the checksum does not match. */
export type HeaderVerdict = 'none' | 'corrupt' | 'ok'

export const createHeader = (): BenchHeader => ({
  run: 0,
  producer: 0,
  sequence: 0,
  intendedAtEpochUs: 0,
})

/** The number of a run id of 12 hexadecimal digits. */
export const runNumberOf = (runId: string): number => {
  if (!/^[0-9a-f]{12}$/.test(runId)) throw new RangeError(`run id: not 12 hex digits: ${runId}`)
  return Number.parseInt(runId, 16)
}

export const runIdOf = (run: number): string => run.toString(16).padStart(12, '0')

/** Writes `header` at `start`; `bodyChecksum` is crc32 of the rest of the value (of all of it when detached). */
export const writeHeader = (
  target: Uint8Array,
  start: number,
  header: Readonly<BenchHeader>,
  bodyChecksum: number,
): void => {
  writeU32(target, start, magic)
  writeU32(target, start + 4, Math.floor(header.run / 0x10000))
  writeU32(target, start + 8, ((header.run % 0x10000) * 0x10000 + header.producer) >>> 0)
  writeU64(target, start + 12, header.sequence)
  writeU64(target, start + 20, header.intendedAtEpochUs)
  writeU32(target, start + 28, 0)
  writeU32(target, start + checksumAt, checksumOf(target, start) ^ bodyChecksum)
}

/** What differs between the bench headers of one run and producer: [start, end) of the header. */
export const headerWindow = { start: sequenceAt, end: headerSizeBytes } as const

/**
 * Writes the window of a header whose other bytes are there. A crc32 is linear: the checksum is that of a header of zeros,
 * XOR what each byte of sequence and intended time leaves. What was the same for the last record is not computed again.
 */
export class HeaderPatcher {
  readonly #zeroChecksum: number
  /** Sequences below and from here on have another high word. */
  #sequenceBase = Number.POSITIVE_INFINITY
  #sequenceHigh = 0
  #highChecksum = 0
  #intendedAtEpochUs = -1
  #intendedHigh = 0
  #intendedLow = 0
  #intendedChecksum = 0

  constructor(run: number, producer: number) {
    const bytes = new Uint8Array(headerSizeBytes)
    writeHeader(bytes, 0, { run, producer, sequence: 0, intendedAtEpochUs: 0 }, 0)
    this.#zeroChecksum = readU32(bytes, checksumAt)
  }

  /** `start` is where the header begins. The four reserved bytes must be 0. */
  patch(
    target: DataView,
    start: number,
    sequence: number,
    intendedAtEpochUs: number,
    bodyChecksum: number,
  ): void {
    if (intendedAtEpochUs !== this.#intendedAtEpochUs) this.#setIntended(intendedAtEpochUs)
    const above = sequence - this.#sequenceBase
    if (!(above >= 0 && above < twoTo32)) this.#setHigh(sequence)
    const low = sequence >>> 0
    target.setUint32(start + sequenceAt, this.#sequenceHigh)
    target.setUint32(start + sequenceAt + 4, low)
    target.setUint32(start + intendedAt, this.#intendedHigh)
    target.setUint32(start + intendedAt + 4, this.#intendedLow)
    const checksum =
      this.#highChecksum ^ this.#intendedChecksum ^ remainderOf(low, sequenceAt + 4) ^ bodyChecksum
    target.setUint32(start + checksumAt, checksum)
  }

  #setHigh(sequence: number): void {
    this.#sequenceHigh = Math.floor(sequence / twoTo32)
    this.#sequenceBase = this.#sequenceHigh * twoTo32
    this.#highChecksum = remainderOf(this.#sequenceHigh, sequenceAt) ^ this.#zeroChecksum
  }

  #setIntended(intendedAtEpochUs: number): void {
    this.#intendedAtEpochUs = intendedAtEpochUs
    this.#intendedHigh = Math.floor(intendedAtEpochUs / twoTo32)
    this.#intendedLow = intendedAtEpochUs >>> 0
    this.#intendedChecksum =
      remainderOf(this.#intendedHigh, intendedAt) ^ remainderOf(this.#intendedLow, intendedAt + 4)
  }
}

/** What four bytes at `at` of the header leave in the crc32 over it. */
const remainderOf = (word: number, at: number): number => {
  const table = (checksumAt - 1 - at) << 8
  return (
    tableAt(table + (word >>> 24)) ^
    tableAt(table - 0x100 + ((word >>> 16) & 0xff)) ^
    tableAt(table - 0x200 + ((word >>> 8) & 0xff)) ^
    tableAt(table - 0x300 + (word & 0xff))
  )
}

/** Parses the current record of `cursor` into `out`, wherever its header travels. */
export const parseRecord = (cursor: BatchCursor, out: BenchHeader): HeaderVerdict => {
  const { bytes, valueStart, valueLength } = cursor
  if (valueLength >= headerSizeBytes) return parseHeader(bytes, valueStart, valueLength, out)
  const header = cursor.benchHeader()
  if (header === null) return 'none'
  return parseDetached(header, bytes, valueStart, Math.max(0, valueLength), out)
}

/** Parses a value that carries its header: `length` bytes of `bytes` from `start`. `out` holds rubbish unless 'ok'. */
export const parseHeader = (
  bytes: Uint8Array,
  start: number,
  length: number,
  out: BenchHeader,
): HeaderVerdict => {
  if (length < headerSizeBytes || !hasMagic(bytes, start)) return 'none'
  const bodyStart = start + headerSizeBytes
  return read(bytes, start, bodyChecksumOf(bytes, bodyStart, start + length), out)
}

/** Parses a header that travels beside its value. */
export const parseDetached = (
  header: Uint8Array,
  bytes: Uint8Array,
  start: number,
  length: number,
  out: BenchHeader,
): HeaderVerdict => {
  if (header.length < 4 || !hasMagic(header, 0)) return 'none'
  if (header.length !== headerSizeBytes) return 'corrupt'
  return read(header, 0, bodyChecksumOf(bytes, start, start + length), out)
}

const read = (
  bytes: Uint8Array,
  start: number,
  bodyChecksum: number,
  out: BenchHeader,
): HeaderVerdict => {
  if ((checksumOf(bytes, start) ^ bodyChecksum) >>> 0 !== readU32(bytes, start + checksumAt)) {
    return 'corrupt'
  }
  const tail = readU32(bytes, start + 8)
  out.run = readU32(bytes, start + 4) * 0x10000 + (tail >>> 16)
  out.producer = tail & 0xffff
  out.sequence = readU32(bytes, start + 12) * twoTo32 + readU32(bytes, start + 16)
  out.intendedAtEpochUs = readU32(bytes, start + 20) * twoTo32 + readU32(bytes, start + 24)
  return 'ok'
}

const hasMagic = (bytes: Uint8Array, start: number): boolean =>
  bytes[start] === magicBytes[0] &&
  bytes[start + 1] === magicBytes[1] &&
  bytes[start + 2] === magicBytes[2] &&
  bytes[start + 3] === magicBytes[3]

/** Tables of 256: table k moves a byte's remainder over k more bytes. `crcOf` needs eight of them, `HeaderPatcher` all. */
const crcTables = new Int32Array((checksumAt - sequenceAt) * 256)
for (let byte = 0; byte < 256; byte += 1) {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  crcTables[byte] = crc
}
for (let at = 256; at < crcTables.length; at += 1) {
  const crc = crcTables[at - 256] as number
  crcTables[at] = (crc >>> 8) ^ (crcTables[crc & 0xff] as number)
}
const tableAt = (index: number): number => crcTables[index] as number

/**
 * crc32 without a view or a call into zlib, which costs more for a few hundred bytes. Source: Intel's slicing-by-8.
 */
const crcOf = (bytes: Uint8Array, start: number, end: number): number => {
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

const checksumOf = (bytes: Uint8Array, start: number): number =>
  crcOf(bytes, start, start + checksumAt)

const bodyChecksumOf = (bytes: Uint8Array, start: number, end: number): number =>
  end - start < 256 ? crcOf(bytes, start, end) : crc32(bytes.subarray(start, end))

const readU32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0

const writeU32 = (target: Uint8Array, at: number, value: number): void => {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
}

const writeU64 = (target: Uint8Array, at: number, value: number): void => {
  writeU32(target, at, Math.floor(value / twoTo32))
  writeU32(target, at + 4, value >>> 0)
}

/**
 * The bench header: 36 bytes that say which run, producer and sequence a record is, and a checksum over it and the
 * rest of the value. It does not know partitions or offsets, so one template serves all of them.
 *
 * Big-endian: magic u32, run id 6 bytes, producer number u16, sequence u64, intended time u64 (µs since 1970),
 * reserved u32 (0), checksum u32 = crc32(the 32 bytes before it) XOR crc32(the rest of the value).
 */
import type { BatchCursor, ValuePlaces } from '../clients/driver.ts'
import { crc32Of, remainderOf } from './crc32.ts'
import { ByteView } from './known-bodies.ts'

export const headerSizeBytes = 36

const magic = 0x62_6e_63_68
export const sequenceAt = 12
const intendedAt = 20
const reservedAt = 28
export const checksumAt = 32
const twoTo32 = 2 ** 32
/** Bytes under the checksum behind the first word of each. */
const afterSequence = checksumAt - sequenceAt - 4
const afterIntended = checksumAt - intendedAt - 4

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
  writeU32(target, start + checksumAt, crc32Of(target, start, start + checksumAt) ^ bodyChecksum)
}

/** What differs between the bench headers of one run and producer: [start, end) of the header. */
export const headerWindow = { start: sequenceAt, end: headerSizeBytes } as const

interface AlikeRecords {
  readonly from: number
  readonly to: number
  /** Of record 0. */
  readonly firstSequence: number
  readonly intendedAtEpochUs: number
}

const noBodies = new Uint32Array(0)
/** What the lowest byte of a sequence leaves in the checksum. */
export const lowByteRemainders = Int32Array.from({ length: 256 }, (_, byte) =>
  remainderOf(byte, afterSequence - 4),
)

/**
 * Writes the window of a header whose other bytes are there. A crc32 is linear: the checksum is that of a header of zeros,
 * XOR what each byte of sequence and intended time leaves. What was the same for the last record is not computed again.
 */
export class HeaderPatcher {
  readonly #zeroChecksum: number
  readonly #bodyChecksums: Uint32Array
  /** Sequences below and from here on have another high word. */
  #sequenceBase = Number.POSITIVE_INFINITY
  #sequenceHigh = 0
  #highChecksum = 0
  #intendedAtEpochUs = -1
  #intendedHigh = 0
  #intendedLow = 0
  #intendedChecksum = 0
  #contributions: Int32Array = new Int32Array(0)
  /** By the lowest byte of a sequence: its own contribution, and that of what it leaves in the checksum. */
  readonly #lowByteContributions = new Int32Array(256)
  /** By body, of its checksum. */
  readonly #bodyContributions: Int32Array

  /** `bodyChecksums` are those of the bodies that `patchAlike` counts on. */
  constructor(run: number, producer: number, bodyChecksums: Uint32Array = noBodies) {
    this.#bodyChecksums = bodyChecksums
    this.#bodyContributions = new Int32Array(bodyChecksums.length)
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
      this.#highChecksum ^
      this.#intendedChecksum ^
      remainderOf(low, afterSequence - 4) ^
      bodyChecksum
    target.setUint32(start + checksumAt, checksum)
  }

  /** Patches the records [from, to) of a run, all due at one time, and sets what their windows contribute. */
  patchAlike(
    { target, starts, contributions, sums }: ValuePlaces,
    at: number,
    { from, to, firstSequence, intendedAtEpochUs }: AlikeRecords,
  ): void {
    if (contributions !== this.#contributions) this.#setContributions(contributions)
    if (intendedAtEpochUs !== this.#intendedAtEpochUs) this.#setIntended(intendedAtEpochUs)
    for (let next = from; next < to; ) {
      const sequence = firstSequence + next
      const above = sequence - this.#sequenceBase
      if (!(above >= 0 && above < twoTo32)) this.#setHigh(sequence)
      const low = sequence >>> 0
      const end = Math.min(to, next + 256 - (low & 0xff))
      this.#patchAlikeTo(target, at, starts, { next, end, low }, sums)
      next = end
    }
  }

  /** As `patchAlike`, of records whose sequences differ in the lowest byte only. */
  #patchAlikeTo(
    target: DataView,
    at: number,
    starts: Int32Array,
    { next, end, low }: { next: number; end: number; low: number },
    sums: Int32Array,
  ): void {
    const [high, intendedHigh, intendedLow] = [
      this.#sequenceHigh,
      this.#intendedHigh,
      this.#intendedLow,
    ]
    const upper = low & ~0xff
    const checksums = this.#bodyChecksums
    const bodies = this.#bodyContributions
    const lowBytes = this.#lowByteContributions
    const commonChecksum =
      this.#highChecksum ^ this.#intendedChecksum ^ remainderOf(upper, afterSequence - 4)
    const common =
      this.#contributionOf(high, sequenceAt) ^
      this.#contributionOf(upper, sequenceAt + 4) ^
      this.#contributionOf(intendedHigh, intendedAt) ^
      this.#contributionOf(intendedLow, intendedAt + 4) ^
      this.#contributionOf(commonChecksum, checksumAt)
    for (let index = next, byte = low & 0xff; index < end; index++, byte++) {
      const body = index < checksums.length ? index : index % checksums.length
      const start = at + (starts[index] as number)
      target.setInt32(start + sequenceAt, high)
      target.setInt32(start + sequenceAt + 4, upper | byte)
      target.setInt32(start + intendedAt, intendedHigh)
      target.setInt32(start + intendedAt + 4, intendedLow)
      const checksum =
        commonChecksum ^ (lowByteRemainders[byte] as number) ^ (checksums[body] as number)
      target.setInt32(start + checksumAt, checksum)
      sums[index] = common ^ (lowBytes[byte] as number) ^ (bodies[body] as number)
    }
  }

  #setContributions(contributions: Int32Array): void {
    this.#contributions = contributions
    for (const [byte, remainder] of lowByteRemainders.entries()) {
      this.#lowByteContributions[byte] =
        this.#contributionOf(byte, sequenceAt + 4) ^ this.#contributionOf(remainder, checksumAt)
    }
    for (const [body, checksum] of this.#bodyChecksums.entries()) {
      this.#bodyContributions[body] = this.#contributionOf(checksum, checksumAt)
    }
  }

  /** Of a word of the header, all of it within the window. */
  #contributionOf(word: number, wordAt: number): number {
    const contributions = this.#contributions
    const table = (wordAt - headerWindow.start) << 8
    return (
      (contributions[table + (word >>> 24)] as number) ^
      (contributions[table + 0x100 + ((word >>> 16) & 0xff)] as number) ^
      (contributions[table + 0x200 + ((word >>> 8) & 0xff)] as number) ^
      (contributions[table + 0x300 + (word & 0xff)] as number)
    )
  }

  #setHigh(sequence: number): void {
    this.#sequenceHigh = Math.floor(sequence / twoTo32)
    this.#sequenceBase = this.#sequenceHigh * twoTo32
    this.#highChecksum = remainderOf(this.#sequenceHigh, afterSequence) ^ this.#zeroChecksum
  }

  #setIntended(intendedAtEpochUs: number): void {
    this.#intendedAtEpochUs = intendedAtEpochUs
    this.#intendedHigh = Math.floor(intendedAtEpochUs / twoTo32)
    this.#intendedLow = intendedAtEpochUs >>> 0
    this.#intendedChecksum =
      remainderOf(this.#intendedHigh, afterIntended) ^
      remainderOf(this.#intendedLow, afterIntended - 4)
  }
}

/** Parses the current record of `cursor` into `out`, wherever its header travels. */
export const parseRecord = (
  cursor: Pick<BatchCursor, 'bytes' | 'valueStart' | 'valueLength' | 'benchHeader'>,
  out: BenchHeader,
): HeaderVerdict => {
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
  shown.show(bytes)
  if (length < headerSizeBytes || shown.view.getInt32(shown.origin + start) !== magic) return 'none'
  const bodyChecksum = headerReader.read(shown.view, shown.origin + start, out)
  const isRight = shown.bodies.matches(shown, start + headerSizeBytes, start + length, bodyChecksum)
  return isRight ? 'ok' : 'corrupt'
}

/** Parses a header that travels beside its value. */
export const parseDetached = (
  header: Uint8Array,
  bytes: Uint8Array,
  start: number,
  length: number,
  out: BenchHeader,
): HeaderVerdict => {
  if (header.length < 4 || readU32(header, 0) !== magic) return 'none'
  if (header.length !== headerSizeBytes) return 'corrupt'
  shown.show(header)
  const bodyChecksum = headerReader.read(shown.view, shown.origin, out)
  shown.show(bytes)
  return shown.bodies.matches(shown, start, start + length, bodyChecksum) ? 'ok' : 'corrupt'
}

/**
 * Reads headers, and remembers what it computed for the one before: of most headers only the sequence is new. Words are
 * signed here: those have a fast form of their own.
 */
class HeaderReader {
  readonly #fixed = Buffer.alloc(checksumAt)
  #runHigh = 0
  #runLow = 0
  #reserved = 0
  #run = 0
  #producer = 0
  #fixedChecksum = 0
  #intendedHigh = 0
  #intendedLow = 0
  #intendedAtEpochUs = 0
  #intendedChecksum = 0

  constructor() {
    this.#setFixed(0, 0, 0)
  }

  /** Of the header at `at`. Returns the crc32, a signed word, that the rest of the value must have. */
  read(view: DataView, at: number, out: BenchHeader): number {
    const runHigh = view.getInt32(at + 4)
    const runLow = view.getInt32(at + 8)
    const reserved = view.getInt32(at + reservedAt)
    if (runHigh !== this.#runHigh || runLow !== this.#runLow || reserved !== this.#reserved) {
      this.#setFixed(runHigh, runLow, reserved)
    }
    const sequenceHigh = view.getInt32(at + sequenceAt)
    const sequenceLow = view.getInt32(at + sequenceAt + 4)
    const intendedHigh = view.getInt32(at + intendedAt)
    const intendedLow = view.getInt32(at + intendedAt + 4)
    if (intendedLow !== this.#intendedLow || intendedHigh !== this.#intendedHigh) {
      this.#setIntended(intendedHigh, intendedLow)
    }
    out.run = this.#run
    out.producer = this.#producer
    out.sequence = unsignedOf(sequenceHigh, sequenceLow)
    out.intendedAtEpochUs = this.#intendedAtEpochUs
    return (
      view.getInt32(at + checksumAt) ^
      this.#fixedChecksum ^
      this.#intendedChecksum ^
      (sequenceHigh === 0 ? 0 : remainderOf(sequenceHigh, afterSequence)) ^
      remainderOf(sequenceLow, afterSequence - 4)
    )
  }

  /** The checksum is that of a header with zeros for sequence and intended time. */
  #setFixed(runHigh: number, runLow: number, reserved: number): void {
    this.#runHigh = runHigh
    this.#runLow = runLow
    this.#reserved = reserved
    this.#run = (runHigh >>> 0) * 0x10000 + (runLow >>> 16)
    this.#producer = runLow & 0xffff
    const fixed = this.#fixed
    writeU32(fixed, 0, magic)
    writeU32(fixed, 4, runHigh)
    writeU32(fixed, 8, runLow)
    writeU32(fixed, reservedAt, reserved)
    this.#fixedChecksum = crc32Of(fixed, 0, checksumAt)
  }

  #setIntended(high: number, low: number): void {
    this.#intendedHigh = high
    this.#intendedLow = low
    this.#intendedAtEpochUs = unsignedOf(high, low)
    this.#intendedChecksum = remainderOf(high, afterIntended) ^ remainderOf(low, afterIntended - 4)
  }
}

const unsignedOf = (high: number, low: number): number => (high >>> 0) * twoTo32 + (low >>> 0)

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

export const headerReader = new HeaderReader()
const shown = new ByteView()

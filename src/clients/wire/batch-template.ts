/**
 * A record batch, made once and patched for every batch: without keys and headers, values of one size that differ
 * in a window. The CRC is carried along over the windows alone.
 */
import { headerBytes } from '../../protocol/record-batch.ts'
import { varintSize, writeVarint } from '../../protocol/varint.ts'
import type { RecordRun, ValueTemplate } from '../driver.ts'
import { advanceTable, register, windowTables } from './crc32c-advance.ts'
import type { ProducerId } from './produce-frame.ts'

/** A template that would be larger costs more in cache than it saves. */
const largestTemplateBytes = 4 * 1024 * 1024
const firstRecords = 64
const twoTo32 = 2 ** 32
/** What the CRC covers begins behind it. */
const crcAt = 17
const coveredFrom = 21

/** Who the batch is from; id, epoch and sequence are -1 for a producer that is not idempotent. */
export interface BatchIdentity {
  readonly producer: ProducerId
  readonly sequence: number
}

export class BatchTemplate {
  readonly #values: ValueTemplate
  readonly #window: Int32Array
  /** By word of the window: what it was last, and what that leaves in the register. Most words seldom change. */
  readonly #lastWords: Int32Array
  readonly #lastRegisters: Int32Array
  /** Over what comes after a record's window. */
  readonly #tailTable: Int32Array
  #bytes: Buffer = Buffer.alloc(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  /** Records that are laid out. */
  #count = 0
  /** By record: where its value begins; end of the record; the register that its constant bytes leave. */
  #valueStarts = new Int32Array(0)
  #ends = new Int32Array(0)
  #gapRegisters = new Int32Array(0)
  #tailRegisters = new Int32Array(0)

  constructor(values: ValueTemplate) {
    this.#values = values
    const windowBytes = values.windowEnd - values.windowStart
    this.#window = windowTables(windowBytes)
    this.#lastWords = new Int32Array(windowBytes / 4)
    this.#lastRegisters = new Int32Array(windowBytes / 4)
    this.#tailTable = advanceTable(values.valueSizeBytes - values.windowEnd + 1)
  }

  /** Whether `count` records fit; what does not has to be encoded record by record. */
  canHold(count: number): boolean {
    return count <= this.#mostRecords
  }

  get #mostRecords(): number {
    return Math.floor(largestTemplateBytes / (this.#values.valueSizeBytes + 16))
  }

  /** The bytes of a batch of `count` records; `canHold` must be true. */
  sizeOf(count: number): number {
    if (count > this.#count) {
      this.#layOut(Math.min(Math.max(count, 2 * this.#count, firstRecords), this.#mostRecords))
    }
    return this.#ends[count - 1] as number
  }

  /** Writes the batch of `run` to `target` at `at`, where `sizeOf(run.count)` bytes are free, and returns its end. */
  write(
    target: Buffer,
    at: number,
    run: RecordRun,
    { producer, sequence }: BatchIdentity,
    timestampMs: number,
  ): number {
    const sizeBytes = this.sizeOf(run.count)
    const view = this.#view
    view.setInt32(8, sizeBytes - 12)
    view.setInt32(23, run.count - 1)
    setInt64(view, 27, timestampMs)
    setInt64(view, 35, timestampMs)
    setInt64(view, 43, producer.id)
    view.setInt16(51, producer.epoch)
    view.setInt32(53, sequence)
    view.setInt32(57, run.count)
    const head = register(-1, this.#bytes, coveredFrom, headerBytes)
    view.setInt32(crcAt, ~this.#patch(run, head))
    this.#bytes.copy(target, at, 0, sizeBytes)
    return at + sizeBytes
  }

  #patch(run: RecordRun, before: number): number {
    const view = this.#view
    const values = this.#values
    const { windowStart, windowEnd } = values
    const starts = this.#valueStarts
    const gaps = this.#gapRegisters
    let crc = before
    let from = headerBytes
    let gapBytes = -1
    let advance = this.#tailTable
    for (let index = 0; index < run.count; index++) {
      const start = starts[index] as number
      values.patch(view, start, index, run, index)
      const end = start + windowEnd
      if (end - from !== gapBytes) {
        gapBytes = end - from
        advance = advanceTable(gapBytes)
      }
      crc =
        (advance[crc & 0xff] as number) ^
        (advance[256 + ((crc >>> 8) & 0xff)] as number) ^
        (advance[512 + ((crc >>> 16) & 0xff)] as number) ^
        (advance[768 + (crc >>> 24)] as number) ^
        (gaps[index] as number) ^
        this.#windowRegister(start + windowStart)
      from = end
    }
    return this.#overTail(crc, run.count - 1)
  }

  #windowRegister(from: number): number {
    const view = this.#view
    const words = this.#lastWords
    const registers = this.#lastRegisters
    let sum = 0
    for (let index = 0, at = from; index < words.length; index++, at += 4) {
      const word = view.getInt32(at)
      if (word !== words[index]) {
        words[index] = word
        registers[index] = this.#wordRegister(word, index << 10)
      }
      sum ^= registers[index] as number
    }
    return sum
  }

  #wordRegister(word: number, table: number): number {
    const window = this.#window
    return (
      (window[table + (word >>> 24)] as number) ^
      (window[table + 256 + ((word >>> 16) & 0xff)] as number) ^
      (window[table + 512 + ((word >>> 8) & 0xff)] as number) ^
      (window[table + 768 + (word & 0xff)] as number)
    )
  }

  #overTail(crc: number, index: number): number {
    const advance = this.#tailTable
    return (
      (advance[crc & 0xff] as number) ^
      (advance[256 + ((crc >>> 8) & 0xff)] as number) ^
      (advance[512 + ((crc >>> 16) & 0xff)] as number) ^
      (advance[768 + (crc >>> 24)] as number) ^
      (this.#tailRegisters[index] as number)
    )
  }

  /** Lays out `count` records: all but the windows is as it will be sent. */
  #layOut(count: number): void {
    const { valueSizeBytes, windowEnd } = this.#values
    this.#bytes = Buffer.allocUnsafeSlow(headerBytes + count * (valueSizeBytes + 24))
    this.#valueStarts = new Int32Array(count)
    this.#ends = new Int32Array(count)
    this.#gapRegisters = new Int32Array(count)
    this.#tailRegisters = new Int32Array(count)
    const bytes = this.#bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#layOutHead()
    let gapStart = headerBytes
    let at = headerBytes
    for (let index = 0; index < count; index++) {
      const start = this.#layOutRecord(at, index)
      at = start + valueSizeBytes + 1
      this.#valueStarts[index] = start
      this.#ends[index] = at
      this.#gapRegisters[index] = register(0, bytes, gapStart, start + windowEnd)
      this.#tailRegisters[index] = register(0, bytes, start + windowEnd, at)
      gapStart = start + windowEnd
    }
    this.#count = count
  }

  /** Offset 0, magic 2, no attributes: what no batch of a client has otherwise. */
  #layOutHead(): void {
    this.#bytes.fill(0, 0, headerBytes)
    this.#view.setInt32(12, -1)
    this.#view.setInt8(16, 2)
  }

  /** Returns where the value begins. */
  #layOutRecord(from: number, index: number): number {
    const { valueSizeBytes } = this.#values
    const bodyBytes = 4 + varintSize(index) + varintSize(valueSizeBytes) + valueSizeBytes
    let at = writeVarint(this.#bytes, from, bodyBytes)
    // Attributes and timestamp delta are 0: a batch is of one moment.
    this.#bytes[at++] = 0
    this.#bytes[at++] = 0
    at = writeVarint(this.#bytes, at, index)
    at = writeVarint(this.#bytes, at, -1)
    at = writeVarint(this.#bytes, at, valueSizeBytes)
    this.#values.fill(this.#bytes, at, index)
    // No headers.
    this.#bytes[at + valueSizeBytes] = 0
    return at
  }
}

const setInt64 = (view: DataView, at: number, value: number): void => {
  view.setInt32(at, Math.floor(value / twoTo32))
  view.setUint32(at + 4, value >>> 0)
}

/**
 * A record batch, made once, copied to where it is sent from, and patched there: without keys and headers, values of one
 * size that differ in a window. The CRC is carried along over the windows alone.
 */
import { headerBytes } from '../../protocol/record-batch.ts'
import { varintSize, writeVarint } from '../../protocol/varint.ts'
import type { RecordRun, ValuePlaces, ValueTemplate } from '../driver.ts'
import { advanceTable, register, windowTables } from './crc32c-advance.ts'
import type { ProducerId } from './produce-frame.ts'
import type { Memory } from './send-ring.ts'

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
  /** Where each value begins in the batch, and what its window leaves in the register. */
  #places: ValuePlaces
  /** Over what comes after a record's window. */
  readonly #tailTable: Int32Array
  #bytes: Buffer = Buffer.alloc(0)
  /** Records that are laid out. */
  #count = 0
  /** By record: its end; over the bytes since the window before; what these leave. */
  #ends = new Int32Array(0)
  #advances: Int32Array[] = []
  #gapRegisters = new Int32Array(0)
  #tailRegisters = new Int32Array(0)
  /** What the header of the last batch was made of, and the register behind it. */
  #headCount = 0
  #headTimestampMs = Number.NaN
  #headRegister = 0

  constructor(values: ValueTemplate) {
    this.#values = values
    this.#places = placesOf(0, windowTables(values.windowEnd - values.windowStart))
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

  /** Writes the `sizeOf(count)` bytes of any batch of `count` records to `at`. */
  layOut({ bytes, view }: Memory, at: number, count: number): void {
    const sizeBytes = this.sizeOf(count)
    bytes.set(this.#bytes.subarray(0, sizeBytes), at)
    view.setInt32(at + 8, sizeBytes - 12)
    view.setInt32(at + 23, count - 1)
    view.setInt32(at + 57, count)
  }

  /** Makes the batch at `at`, laid out with `run.count` records, that of `run`. */
  patch(
    memory: Memory,
    at: number,
    run: RecordRun,
    { producer, sequence }: BatchIdentity,
    timestampMs: number,
  ): void {
    const { view } = memory
    setInt64(view, at + 27, timestampMs)
    setInt64(view, at + 35, timestampMs)
    setInt64(view, at + 43, producer.id)
    view.setInt16(at + 51, producer.epoch)
    view.setInt32(at + 53, sequence)
    if (sequence >= 0 || run.count !== this.#headCount || timestampMs !== this.#headTimestampMs) {
      this.#headRegister = register(-1, memory.bytes, at + coveredFrom, at + headerBytes)
      this.#headCount = sequence >= 0 ? 0 : run.count
      this.#headTimestampMs = timestampMs
    }
    view.setInt32(at + crcAt, ~this.#patchRecords(view, at, run, this.#headRegister))
  }

  #patchRecords(view: DataView, batchAt: number, run: RecordRun, before: number): number {
    const places = this.#places
    places.target = view
    this.#values.patchAll(places, batchAt, run)
    const advances = this.#advances
    const gaps = this.#gapRegisters
    const { sums } = places
    let crc = before
    for (let index = 0; index < run.count; index++) {
      const advance = advances[index] as Int32Array
      crc =
        (advance[crc & 0xff] as number) ^
        (advance[256 + ((crc >>> 8) & 0xff)] as number) ^
        (advance[512 + ((crc >>> 16) & 0xff)] as number) ^
        (advance[768 + (crc >>> 24)] as number) ^
        (gaps[index] as number) ^
        (sums[index] as number)
    }
    return this.#overTail(crc, run.count - 1)
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
    this.#places = placesOf(count, this.#places.contributions)
    this.#ends = new Int32Array(count)
    this.#gapRegisters = new Int32Array(count)
    this.#tailRegisters = new Int32Array(count)
    const bytes = this.#bytes
    // Offset 0, magic 2, no attributes: what no batch of a client has otherwise.
    bytes.fill(0, 0, headerBytes)
    bytes.writeInt32BE(-1, 12)
    bytes[16] = 2
    this.#advances = []
    let gapStart = headerBytes
    let at = headerBytes
    for (let index = 0; index < count; index++) {
      const start = this.#layOutRecord(at, index)
      at = start + valueSizeBytes + 1
      this.#places.starts[index] = start
      this.#ends[index] = at
      this.#advances.push(advanceTable(start + windowEnd - gapStart))
      this.#gapRegisters[index] = register(0, bytes, gapStart, start + windowEnd)
      this.#tailRegisters[index] = register(0, bytes, start + windowEnd, at)
      gapStart = start + windowEnd
    }
    this.#count = count
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

const placesOf = (count: number, contributions: Int32Array): ValuePlaces => ({
  target: new DataView(new ArrayBuffer(0)),
  starts: new Int32Array(count),
  contributions,
  sums: new Int32Array(count),
})

const setInt64 = (view: DataView, at: number, value: number): void => {
  view.setInt32(at, Math.floor(value / twoTo32))
  view.setUint32(at + 4, value >>> 0)
}

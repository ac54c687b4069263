/**
 * Walks the records of one partition as a Fetch brought them: batch after batch, in place, without allocation. Records
 * outside the range that was asked for, control batches and those of aborted transactions are passed over.
 */
import { type Codec, decompress } from '../../protocol/compression.ts'
import {
  baseOffsetOf,
  codecOf,
  hasValidCrc,
  headerBytes,
  isControl,
  isTransactional,
  nextOffsetOf,
  producerIdOf,
  recordCountOf,
  sizeOf,
  wholeBatchSize,
} from '../../protocol/record-batch.ts'
import { type BatchCursor, benchHeaderName } from '../driver.ts'

/** What a batch may become when it is decompressed. */
const mostBytes = 256 * 2 ** 20
const noBytes = Buffer.alloc(0)
const noView = new DataView(new ArrayBuffer(0))
const benchName = Buffer.from(benchHeaderName)
const endedEarly = 'a record runs past its batch'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** Records of one partition, of whole batches; a batch that was cut off at the end is not in it. */
export interface FetchedRecords {
  readonly partition: number
  /** Record batches, one after the other. */
  readonly records: Buffer
  /** What the Fetch asked for. */
  readonly fromOffset: number
  readonly receivedAtNs: number
  /** Of a read-committed Fetch, by first offset. */
  readonly aborted: readonly AbortedTransaction[]
}

/** Bytes of whole batches, and the offset after them. */
export interface Extent {
  readonly sizeBytes: number
  /** `fromOffset` when there is no whole batch. */
  readonly toOffset: number
}

/** Hops from batch to batch. Throws a RangeError for what is no batch, or one that is not whole and alone. */
export const extentOf = (records: Buffer, fromOffset: number): Extent => {
  let sizeBytes = 0
  let toOffset = fromOffset
  while (sizeBytes < records.length) {
    const size = wholeBatchSize(records, sizeBytes)
    if (size === 'torn') break
    if (size === 'corrupt') throw new RangeError('what was fetched is no batch of format 2')
    toOffset = Math.max(toOffset, nextOffsetOf(records, sizeBytes))
    sizeBytes += size
  }
  if (sizeBytes === 0 && records.length > 0) {
    throw new RangeError('a batch is larger than what may be fetched')
  }
  return { sizeBytes, toOffset }
}

/** An abort marker's key is a version and type 0 (KIP-98). */
const isAbortMarker = (batch: Buffer, start: number): boolean => {
  // Length, attributes, timestamp delta, offset delta and key length of one record take a byte each.
  const keyAt = start + headerBytes + 5
  return recordCountOf(batch, start) > 0 && batch.readInt16BE(keyAt + 2) === 0
}

export class RecordCursor implements BatchCursor {
  readonly partition: number
  readonly fromOffset: number
  readonly toOffset: number
  readonly receivedAtNs: number
  offset = -1
  bytes: Uint8Array = noBytes
  valueStart = 0
  valueLength = -1
  readonly #records: Buffer
  readonly #checksCrc: boolean
  readonly #aborted: readonly AbortedTransaction[]
  #nextAborted = 0
  readonly #abortedProducers = new Set<number>()
  /** Where the next batch begins. */
  #batchAt = 0
  readonly #end: number
  /** Records left in the batch. */
  #left = 0
  #baseOffset = 0
  /** Where the next record begins in `bytes`, and where the batch ends. */
  #at = 0
  #bodyEnd = 0
  /** Where the current record begins, and where its headers do. */
  #recordAt = 0
  #headersAt = 0
  /** What `#view` shows. */
  #viewed: Uint8Array = noBytes
  #view: DataView = noView

  constructor(fetched: FetchedRecords, { sizeBytes, toOffset }: Extent, checksCrc: boolean) {
    this.partition = fetched.partition
    this.fromOffset = fetched.fromOffset
    this.toOffset = toOffset
    this.receivedAtNs = fetched.receivedAtNs
    this.#records = fetched.records
    this.#end = sizeBytes
    this.#aborted = fetched.aborted
    this.#checksCrc = checksCrc
  }

  /** Throws a RangeError or WireError when the bytes are damaged. */
  next(): boolean {
    do {
      while (this.#left === 0) if (!this.#openBatch()) return false
      this.#left -= 1
      this.#readRecord()
    } while (this.offset < this.fromOffset)
    return true
  }

  benchHeader(): Uint8Array | null {
    const { bytes } = this
    let at = afterVarint(bytes, this.#headersAt)
    for (let count = varintAt(bytes, this.#headersAt); count > 0; count--) {
      const nameBytes = varintAt(bytes, at)
      const nameAt = afterVarint(bytes, at)
      const nameEnd = nameAt + nameBytes
      const valueBytes = varintAt(bytes, nameEnd)
      const valueAt = afterVarint(bytes, nameEnd)
      at = valueAt + Math.max(0, valueBytes)
      // The next record begins where this one ends.
      if (nameBytes < 0 || at > this.#at) throw new RangeError(endedEarly)
      const isBench = valueBytes >= 0 && benchName.equals(bytes.subarray(nameAt, nameEnd))
      if (isBench) return bytes.subarray(valueAt, at)
    }
    return null
  }

  get strideBytes(): number {
    return this.#at - this.#recordAt
  }

  get mostAlike(): number {
    return Math.min(this.#left, Math.floor((this.#bodyEnd - this.#at) / this.strideBytes))
  }

  countAlike(most: number): number {
    const { bytes } = this
    const first = this.#recordAt
    const deltaAt = afterVarint(bytes, afterVarint(bytes, first) + 1) - first
    const deltaEnd = afterVarint(bytes, first + deltaAt) - first
    const endBytes = this.valueStart - first
    // What is around the delta must fit in a word on either side, and a record end with a count of no headers.
    const isShort = deltaAt <= 4 && endBytes - deltaEnd <= 4 && endBytes >= 4
    const hasNoHeaders = this.#at - this.#headersAt === 1
    if (!isShort || !hasNoHeaders || this.valueLength < 0) return 0
    const view = this.#viewOf(bytes)
    const headMask = -1 << (8 * (4 - deltaAt))
    const tailMask = -1 >>> (8 * (4 - endBytes + deltaEnd))
    const head = view.getInt32(first)
    const tail = view.getInt32(first + endBytes - 4)
    const { strideBytes } = this
    const limit = Math.min(most, this.mostAlike)
    let delta = varintAt(bytes, first + deltaAt)
    let count = 0
    for (let at = this.#at; count < limit; at += strideBytes, count += 1) {
      delta += 1
      const difference =
        ((view.getInt32(at) ^ head) & headMask) |
        ((view.getInt32(at + endBytes - 4) ^ tail) & tailMask) |
        (varintAt(bytes, at + deltaAt) ^ delta) |
        (bytes[at + strideBytes - 1] as number)
      if (difference !== 0) break
    }
    return count
  }

  pass(count: number): void {
    const passedBytes = count * this.strideBytes
    this.#left -= count
    this.#recordAt += passedBytes
    this.#headersAt += passedBytes
    this.#at += passedBytes
    this.valueStart += passedBytes
    this.offset += count
  }

  #viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.#viewed) {
      this.#viewed = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    return this.#view
  }

  /** False when there is none. What is passed over has no records left. */
  #openBatch(): boolean {
    const start = this.#batchAt
    if (start >= this.#end) return false
    const records = this.#records
    const size = sizeOf(records, start)
    this.#batchAt = start + size
    if (this.#checksCrc && !hasValidCrc(records, start, size)) {
      throw new RangeError(`the batch at offset ${baseOffsetOf(records, start)} has a wrong CRC`)
    }
    if (this.#passesOver(start)) return true
    this.#baseOffset = baseOffsetOf(records, start)
    this.#left = recordCountOf(records, start)
    const codec = codecOf(records, start)
    if (codec === 0) {
      this.bytes = records
      this.#at = start + headerBytes
      this.#bodyEnd = start + size
      return true
    }
    if (codec > 4) throw new RangeError(`codec ${codec} is unknown`)
    const packed = records.subarray(start + headerBytes, start + size)
    const body = decompress(codec as Codec, packed, mostBytes)
    this.bytes = body
    this.#at = 0
    this.#bodyEnd = body.length
    return true
  }

  /** Source: Kafka, CompletedFetch. */
  #passesOver(start: number): boolean {
    const records = this.#records
    const aborted = this.#aborted
    if (aborted.length === 0) return isControl(records, start)
    const lastOffset = nextOffsetOf(records, start) - 1
    for (;;) {
      const next = aborted[this.#nextAborted]
      if (next === undefined || next.firstOffset > lastOffset) break
      this.#abortedProducers.add(next.producerId)
      this.#nextAborted += 1
    }
    const producerId = producerIdOf(records, start)
    if (!isControl(records, start)) {
      return isTransactional(records, start) && this.#abortedProducers.has(producerId)
    }
    if (isAbortMarker(records, start)) this.#abortedProducers.delete(producerId)
    return true
  }

  #readRecord(): void {
    const { bytes } = this
    this.#recordAt = this.#at
    const start = afterVarint(bytes, this.#at)
    const end = start + varintAt(bytes, this.#at)
    if (end <= start || end > this.#bodyEnd) throw new RangeError(endedEarly)
    // Attributes, and the timestamp, which nobody reads.
    const offsetAt = afterVarint(bytes, start + 1)
    this.offset = this.#baseOffset + varintAt(bytes, offsetAt)
    const keyAt = afterVarint(bytes, offsetAt)
    const valueAt = afterVarint(bytes, keyAt) + Math.max(0, varintAt(bytes, keyAt))
    const valueLength = varintAt(bytes, valueAt)
    const valueStart = afterVarint(bytes, valueAt)
    const headersAt = valueStart + Math.max(0, valueLength)
    if (headersAt > end) throw new RangeError(endedEarly)
    this.valueStart = valueStart
    this.valueLength = valueLength < 0 ? -1 : valueLength
    this.#headersAt = headersAt
    this.#at = end
  }
}

// These two read bytes past the end as 0. To read a varint twice is faster than to keep in a field where it ended.

const afterVarint = (bytes: Uint8Array, start: number): number => {
  let at = start
  while ((bytes[at++] as number) >= 0x80);
  return at
}

/** Of at most 32 bits, zigzag. */
const varintAt = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at] as number
  if (first < 0x80) return (first >>> 1) ^ -(first & 1)
  const second = bytes[at + 1] as number
  if (second < 0x80) return (((first & 0x7f) | (second << 7)) >>> 1) ^ -(first & 1)
  return longVarintAt(bytes, at)
}

const longVarintAt = (bytes: Uint8Array, start: number): number => {
  let value = 0
  for (let at = start, shift = 0; ; at += 1, shift += 7) {
    if (shift > 28) throw new RangeError('a varint is too long')
    const byte = bytes[at] as number
    value |= (byte & 0x7f) << shift
    if (!(byte >= 0x80)) return (value >>> 1) ^ -(value & 1)
  }
}

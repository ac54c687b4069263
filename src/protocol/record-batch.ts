import { int16At, int32At, int64At, putInt32, putInt64 } from './big-endian.ts'
import { crc32c } from './crc32c.ts'
import { VarintReader, varintSize, writeVarint } from './varint.ts'

/** Record batches of format v2 (KIP-98): views of the header, patches in place, encoding and decoding of records. */

const at = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const

/** Bytes before the records. */
export const headerBytes = 61
/** Bytes before those that the batch length counts. */
export const logOverheadBytes = 12

// Each of these reads one header field of the batch that begins at `start`; the caller has checked that it is there.
/** int64 fields become doubles: exact to 2^53, rounded beyond. */
export const baseOffsetOf = (bytes: Buffer, start = 0): number => int64At(bytes, start)
/** Bytes of the whole batch, its first 12 included. */
export const sizeOf = (bytes: Buffer, start = 0): number =>
  int32At(bytes, start + at.batchLength) + logOverheadBytes
export const partitionLeaderEpochOf = (bytes: Buffer, start = 0): number =>
  int32At(bytes, start + at.partitionLeaderEpoch)
const magicOf = (bytes: Buffer, start = 0): number => bytes[start + at.magic] as number
const attributesOf = (bytes: Buffer, start = 0): number => int16At(bytes, start + at.attributes)
/** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd; 5 to 7 mean nothing. */
export const codecOf = (bytes: Buffer, start = 0): number => attributesOf(bytes, start) & 0x07
export const isLogAppendTime = (bytes: Buffer, start = 0): boolean =>
  (attributesOf(bytes, start) & 0x08) !== 0
export const isTransactional = (bytes: Buffer, start = 0): boolean =>
  (attributesOf(bytes, start) & 0x10) !== 0
export const isControl = (bytes: Buffer, start = 0): boolean =>
  (attributesOf(bytes, start) & 0x20) !== 0
export const lastOffsetDeltaOf = (bytes: Buffer, start = 0): number =>
  int32At(bytes, start + at.lastOffsetDelta)
/** One past the offset of the batch's last record. */
export const nextOffsetOf = (bytes: Buffer, start = 0): number =>
  baseOffsetOf(bytes, start) + lastOffsetDeltaOf(bytes, start) + 1
const baseTimestampOf = (bytes: Buffer, start = 0): number =>
  int64At(bytes, start + at.baseTimestamp)
export const maxTimestampOf = (bytes: Buffer, start = 0): number =>
  int64At(bytes, start + at.maxTimestamp)
export const producerIdOf = (bytes: Buffer, start = 0): number =>
  int64At(bytes, start + at.producerId)
/** Whether the batch is an idempotent producer's: its id is not negative. */
export const hasProducerId = (bytes: Buffer, start = 0): boolean =>
  (bytes[start + at.producerId] as number) < 0x80
export const producerEpochOf = (bytes: Buffer, start = 0): number =>
  int16At(bytes, start + at.producerEpoch)
export const baseSequenceOf = (bytes: Buffer, start = 0): number =>
  int32At(bytes, start + at.baseSequence)
export const recordCountOf = (bytes: Buffer, start = 0): number =>
  int32At(bytes, start + at.recordCount)

/** Whether the batch of `size` bytes at `start` has the CRC that its header states. */
export const hasValidCrc = (bytes: Buffer, start = 0, size = sizeOf(bytes, start)): boolean =>
  int32At(bytes, start + at.crc) >>> 0 === crc32c(bytes, start + at.attributes, start + size)

/** Sets what a broker assigns; neither field is covered by the CRC. */
export const assignOffset = (bytes: Buffer, baseOffset: number, partitionLeaderEpoch = 0): void => {
  putInt64(bytes, at.baseOffset, baseOffset)
  putInt32(bytes, at.partitionLeaderEpoch, partitionLeaderEpoch)
}

/** Turns the batch to LogAppendTime, as a topic with `message.timestamp.type=LogAppendTime` stores it. */
export const assignAppendTime = (bytes: Buffer, appendTimeMs: number): void => {
  bytes.writeInt16BE(attributesOf(bytes) | 0x08, at.attributes)
  putInt64(bytes, at.maxTimestamp, appendTimeMs)
  bytes.writeUInt32BE(crc32c(bytes, at.attributes, bytes.length), at.crc)
}

/**
 * The size of the batch at `start` when it is whole and plausible: magic 2 and at least a header long.
 * 'torn' when `bytes` ends before the batch does, 'corrupt' when it is no batch.
 */
export const wholeBatchSize = (
  bytes: Buffer,
  start: number,
  end = bytes.length,
): number | 'torn' | 'corrupt' => {
  if (end - start < headerBytes) return 'torn'
  const size = sizeOf(bytes, start)
  if (size < headerBytes || magicOf(bytes, start) !== 2) return 'corrupt'
  return size > end - start ? 'torn' : size
}

export interface RecordInput {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly (readonly [string, Uint8Array | null])[]
  /** ms; that of the first record is the batch's base timestamp. */
  readonly timestampMs: number
}

export interface BatchOptions {
  readonly baseOffset?: number
  readonly attributes?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  /** Compresses the encoded records; the codec's number belongs into `attributes`. */
  readonly compress?: (records: Buffer) => Uint8Array
}

const sized = (bytes: Uint8Array | null): number =>
  bytes === null ? varintSize(-1) : varintSize(bytes.length) + bytes.length

const encodeRecord = (record: RecordInput, timestampDelta: number, offsetDelta: number): Buffer => {
  const headers = (record.headers ?? []).map(([name, value]) => [Buffer.from(name), value] as const)
  let length = 1 + varintSize(timestampDelta) + varintSize(offsetDelta)
  length += sized(record.key) + sized(record.value) + varintSize(headers.length)
  for (const [name, value] of headers) length += sized(name) + sized(value)

  const bytes = Buffer.alloc(varintSize(length) + length)
  let position = writeVarint(bytes, 0, length) + 1
  const put = (data: Uint8Array | null): void => {
    position = writeVarint(bytes, position, data?.length ?? -1)
    if (data !== null) bytes.set(data, position)
    position += data?.length ?? 0
  }
  position = writeVarint(bytes, position, timestampDelta)
  position = writeVarint(bytes, position, offsetDelta)
  put(record.key)
  put(record.value)
  position = writeVarint(bytes, position, headers.length)
  for (const [name, value] of headers) {
    put(name)
    put(value)
  }
  return bytes
}

/** One batch of `records`, at least one. */
export const encodeBatch = (
  records: readonly RecordInput[],
  { compress, ...options }: BatchOptions = {},
): Buffer => {
  const baseTimestampMs = records[0]?.timestampMs ?? 0
  const encoded = Buffer.concat(
    records.map((record, i) => encodeRecord(record, record.timestampMs - baseTimestampMs, i)),
  )
  return wrapRecords(compress ? compress(encoded) : encoded, {
    ...options,
    count: records.length,
    baseTimestampMs,
    maxTimestampMs: Math.max(...records.map((record) => record.timestampMs)),
  })
}

/** A batch around records that are encoded, and compressed when `attributes` say so. */
export const wrapRecords = (
  body: Uint8Array,
  {
    count,
    baseTimestampMs,
    maxTimestampMs,
    ...options
  }: Omit<BatchOptions, 'compress'> & {
    readonly count: number
    readonly baseTimestampMs: number
    readonly maxTimestampMs: number
  },
): Buffer => {
  const bytes = Buffer.alloc(headerBytes + body.length)
  bytes.set(body, headerBytes)
  putInt64(bytes, at.baseOffset, options.baseOffset ?? 0)
  bytes.writeInt32BE(bytes.length - logOverheadBytes, at.batchLength)
  bytes.writeInt32BE(-1, at.partitionLeaderEpoch)
  bytes.writeInt8(2, at.magic)
  bytes.writeInt16BE(options.attributes ?? 0, at.attributes)
  bytes.writeInt32BE(count - 1, at.lastOffsetDelta)
  putInt64(bytes, at.baseTimestamp, baseTimestampMs)
  putInt64(bytes, at.maxTimestamp, maxTimestampMs)
  putInt64(bytes, at.producerId, options.producerId ?? -1)
  bytes.writeInt16BE(options.producerEpoch ?? -1, at.producerEpoch)
  bytes.writeInt32BE(options.baseSequence ?? -1, at.baseSequence)
  bytes.writeInt32BE(count, at.recordCount)
  bytes.writeUInt32BE(crc32c(bytes, at.attributes), at.crc)
  return bytes
}

/** One record of a batch. Key and value are views of the bytes that were decoded. */
export interface DecodedRecord {
  offset: number
  timestampMs: number
  key: Buffer | null
  value: Buffer | null
  headers: [string, Buffer | null][]
}

const readBytes = (reader: VarintReader, bytes: Buffer): Buffer | null => {
  const length = reader.next()
  if (length < 0) return null
  const start = reader.position
  if (length > reader.end - start) throw new RangeError('a record runs past its end')
  reader.position += length
  return bytes.subarray(start, start + length)
}

const readRecord = (batch: Buffer, bytes: Buffer, reader: VarintReader): DecodedRecord => {
  const length = reader.next()
  if (length < 1 || length > reader.end - reader.position) {
    throw new RangeError('a record runs past its batch')
  }
  const inner = new VarintReader(bytes, reader.position + 1, reader.position + length)
  reader.position += length
  const timestampDelta = inner.next()
  const record: DecodedRecord = {
    timestampMs: isLogAppendTime(batch)
      ? maxTimestampOf(batch)
      : baseTimestampOf(batch) + timestampDelta,
    offset: baseOffsetOf(batch) + inner.next(),
    key: readBytes(inner, bytes),
    value: readBytes(inner, bytes),
    headers: [],
  }
  for (let count = inner.next(); count > 0; count--) {
    record.headers.push([readBytes(inner, bytes)?.toString() ?? '', readBytes(inner, bytes)])
  }
  return record
}

/**
 * The records of one whole batch. A compressed batch needs `decompress`.
 * Throws a RangeError when lengths lie; the CRC is the caller's to check.
 */
export function* decodeBatch(
  batch: Buffer,
  decompress?: (codec: number, data: Buffer) => Buffer,
): Generator<DecodedRecord> {
  const codec = codecOf(batch)
  const body = batch.subarray(headerBytes, sizeOf(batch))
  if (codec !== 0 && !decompress) throw new RangeError(`the batch is compressed by codec ${codec}`)
  const bytes = codec === 0 || !decompress ? body : decompress(codec, body)
  const reader = new VarintReader(bytes, 0, bytes.length)
  for (let count = recordCountOf(batch); count > 0; count--) yield readRecord(batch, bytes, reader)
}

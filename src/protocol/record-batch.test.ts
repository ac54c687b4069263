import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { compress, decompress, readyCompression } from './compression.ts'
import {
  assignAppendTime,
  assignOffset,
  baseOffsetOf,
  baseSequenceOf,
  codecOf,
  decodeBatch,
  encodeBatch,
  hasValidCrc,
  headerBytes,
  isControl,
  isLogAppendTime,
  isTransactional,
  maxTimestampOf,
  nextOffsetOf,
  partitionLeaderEpochOf,
  producerEpochOf,
  producerIdOf,
  type RecordInput,
  recordCountOf,
  sizeOf,
  wholeBatchSize,
} from './record-batch.ts'

const require = createRequire(import.meta.url)
type Value = Buffer | null
interface KafkajsRecord {
  offset: string
  timestamp: string
  key: Value
  value: Value
  headers: Record<string, Buffer>
}
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch: (this: void, options: object) => Promise<{ buffer: Buffer }>
}
const Record = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (
  options: object,
) => unknown
const Decoder = require('kafkajs/src/protocol/decoder.js') as { new (bytes: Buffer): object }
const decodeByKafkajs = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (
  decoder: object,
) => Promise<{ records: KafkajsRecord[]; firstOffset: string; producerId: string }>

const encodeByKafkajs = async (records: readonly RecordInput[]): Promise<Buffer> => {
  const first = records[0]?.timestampMs ?? 0
  const encoded = await RecordBatch({
    compression: 0,
    firstTimestamp: first,
    maxTimestamp: Math.max(...records.map((record) => record.timestampMs)),
    producerId: 77,
    producerEpoch: 3,
    firstSequence: 12,
    lastOffsetDelta: records.length - 1,
    transactional: false,
    records: records.map((record, i) =>
      Record({
        offsetDelta: i,
        timestampDelta: record.timestampMs - first,
        key: record.key,
        value: record.value,
        headers: Object.fromEntries(record.headers ?? []),
      }),
    ),
  })
  return encoded.buffer
}

const records: RecordInput[] = [
  { key: null, value: Buffer.from('one'), timestampMs: 1_700_000_000_123 },
  { key: Buffer.from('k'), value: null, timestampMs: 1_700_000_000_100 },
  {
    key: Buffer.from('key'),
    value: Buffer.alloc(300, 7),
    headers: [
      ['a', Buffer.from('x')],
      ['name', Buffer.alloc(70)],
    ],
    timestampMs: 1_700_000_900_000,
  },
]
const asKafkajs = { producerId: 77, producerEpoch: 3, baseSequence: 12 }

test('encodes byte for byte what kafkajs encodes', async () => {
  const theirs = await encodeByKafkajs(records)
  const ours = encodeBatch(records, asKafkajs)
  // They differ in the partition leader epoch alone, which brokers assign.
  assignOffset(ours, 0)
  assignOffset(theirs, 0)
  expect(ours.toString('hex')).toBe(theirs.toString('hex'))
})

test('decodes what kafkajs encodes', async () => {
  const batch = await encodeByKafkajs(records)
  expect(hasValidCrc(batch)).toBe(true)
  expect(producerIdOf(batch)).toBe(77)
  expect(producerEpochOf(batch)).toBe(3)
  expect(baseSequenceOf(batch)).toBe(12)
  expect(recordCountOf(batch)).toBe(3)
  expect(maxTimestampOf(batch)).toBe(1_700_000_900_000)
  assignOffset(batch, 1_000)
  const decoded = [...decodeBatch(batch)]
  expect(decoded.map((record) => record.offset)).toEqual([1_000, 1_001, 1_002])
  for (const [i, record] of decoded.entries()) {
    const given = records[i] as RecordInput
    expect(record.timestampMs).toBe(given.timestampMs)
    expect(record.key).toEqual(given.key)
    expect(record.value).toEqual(given.value)
    expect(record.headers).toEqual(given.headers ?? [])
  }
})

test('kafkajs decodes what we encode, also at a large offset', async () => {
  const batch = encodeBatch(records, asKafkajs)
  assignOffset(batch, 2 ** 40 + 5)
  const theirs = await decodeByKafkajs(new Decoder(batch))
  expect(theirs.firstOffset).toBe(String(2 ** 40 + 5))
  expect(theirs.producerId).toBe('77')
  expect(theirs.records.map((record) => record.value)).toEqual(records.map(({ value }) => value))
  expect(theirs.records.map((record) => Number(record.timestamp))).toEqual(
    records.map(({ timestampMs }) => timestampMs),
  )
})

test('the offset is assigned without touching what the CRC covers', () => {
  const batch = encodeBatch(records)
  const before = Buffer.from(batch)
  expect(partitionLeaderEpochOf(batch)).toBe(-1)
  assignOffset(batch, 2 ** 33 + 1, 0)
  expect(baseOffsetOf(batch)).toBe(2 ** 33 + 1)
  expect(nextOffsetOf(batch)).toBe(2 ** 33 + 4)
  expect(partitionLeaderEpochOf(batch)).toBe(0)
  expect(hasValidCrc(batch)).toBe(true)
  expect(batch.subarray(16)).toEqual(before.subarray(16))
})

test('append time is set on batch and records', () => {
  const batch = encodeBatch(records)
  assignAppendTime(batch, 1_800_000_000_000)
  expect(isLogAppendTime(batch)).toBe(true)
  expect(hasValidCrc(batch)).toBe(true)
  expect([...decodeBatch(batch)].map((record) => record.timestampMs)).toEqual(
    Array(3).fill(1_800_000_000_000),
  )
})

test('attributes', () => {
  const batch = encodeBatch(records, { attributes: 0x32 })
  expect([codecOf(batch), isTransactional(batch), isControl(batch)]).toEqual([2, true, true])
})

test('compressed records are decoded by the given function', async () => {
  await readyCompression(3)
  const batch = encodeBatch(records, { attributes: 3, compress: (data) => compress(3, data) })
  expect(() => [...decodeBatch(batch)]).toThrow('codec 3')
  const decoded = [...decodeBatch(batch, (_codec, data) => decompress(3, data, 10_000))]
  expect(decoded.map((record) => record.value)).toEqual(records.map(({ value }) => value))
})

test('any flipped bit from the attributes on breaks the CRC', () => {
  const batch = encodeBatch(records)
  for (let i = 21; i < batch.length; i++) {
    const damaged = Buffer.from(batch)
    damaged[i] = (damaged[i] as number) ^ 0x10
    expect(hasValidCrc(damaged)).toBe(false)
  }
})

test('the size of a batch is believed only when it is whole and plausible', () => {
  const batch = encodeBatch(records)
  const two = Buffer.concat([batch, batch])
  expect(wholeBatchSize(batch, 0)).toBe(batch.length)
  expect(sizeOf(two, batch.length)).toBe(batch.length)
  expect(wholeBatchSize(two, batch.length)).toBe(batch.length)
  expect(wholeBatchSize(batch.subarray(0, batch.length - 1), 0)).toBe('torn')
  expect(wholeBatchSize(batch.subarray(0, headerBytes - 1), 0)).toBe('torn')
  expect(wholeBatchSize(Buffer.alloc(100), 0)).toBe('corrupt')
  for (const length of [-1, 0, 48, -(2 ** 31)]) {
    const damaged = Buffer.from(batch)
    damaged.writeInt32BE(length, 8)
    expect(wholeBatchSize(damaged, 0)).toBe('corrupt')
  }
})

test('lengths that lie end in a RangeError, never in endless or foreign reads', () => {
  const batch = encodeBatch(records)
  for (let i = headerBytes; i < batch.length; i++) {
    for (const byte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
      const damaged = Buffer.from(batch)
      damaged[i] = byte
      try {
        expect([...decodeBatch(damaged)]).toHaveLength(3)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }
  }
  const many = Buffer.from(batch)
  many.writeInt32BE(2 ** 31 - 1, 57)
  expect(() => [...decodeBatch(many)]).toThrow(RangeError)
})

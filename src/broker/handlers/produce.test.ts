import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { batchOf } from '../../../test/support/batches.ts'
import { callOf, dataContext } from '../../../test/support/broker-context.ts'
import { crc32c } from '../../protocol/crc32c.ts'
import type { ProduceResponse } from '../../protocol/messages/produce.ts'
import { decodeBatch } from '../../protocol/record-batch.ts'
import { type BrokerContext, CloseConnection } from '../context.ts'
import { StorageError } from '../store/store.ts'
import { handleProduce } from './produce.ts'

const produce = (
  broker: BrokerContext,
  records: Buffer | null,
  given: {
    acks?: number
    version?: number
    name?: string
    index?: number
    transactionalId?: string
  } = {},
): ProduceResponse | null => {
  const { acks = -1, version = 9, name = 't', index = 0, transactionalId = null } = given
  const topicData = [{ name, partitionData: [{ index, records }] }]
  const request = { transactionalId, acks, timeoutMs: 1_000, topicData }
  return handleProduce(request, callOf(version), broker) as ProduceResponse | null
}

const first = (response: ProduceResponse | null) => response?.responses[0]?.partitionResponses[0]

const context = (settings: Record<string, string> = {}) => {
  const given = dataContext({ settings })
  given.broker.topics.create('t', 2)
  return given
}

/** A batch with one field changed and its CRC made right again. */
const changed = (change: (batch: Buffer) => void, batch = batchOf(3)): Buffer => {
  change(batch)
  batch.writeUInt32BE(crc32c(batch, 21), 17)
  return batch
}
const withBody = (attributes: number, body: Buffer): Buffer =>
  batchOf(1, { attributes, compress: () => body })

test('success gives the base offset, and the log the bytes', () => {
  const { broker } = context()
  const batch = batchOf(3)
  const copy = Buffer.from(batch)
  expect(first(produce(broker, batch))).toEqual({
    index: 0,
    errorCode: 0,
    baseOffset: 0,
    logAppendTimeMs: -1,
    logStartOffset: 0,
  })
  expect(first(produce(broker, batchOf(2)))?.baseOffset).toBe(3)
  const log = broker.topics.partition('t', 0)
  expect(log?.logEndOffset).toBe(5)
  const stored = log?.read(0, 1, true) as Buffer
  expect(stored.subarray(16).equals(copy.subarray(16))).toBe(true)
})

describe('errors of BROKER 3.1', () => {
  const hourMs = 3_600_000
  const now = 1_700_000_000_000
  test.each<[number, string, () => Buffer | null, Parameters<typeof produce>[2]?]>([
    [3, 'an unknown topic', () => batchOf(1), { name: 'unknown' }],
    [3, 'an unknown partition', () => batchOf(1), { index: 2 }],
    [3, 'a negative partition', () => batchOf(1), { index: -1 }],
    [21, 'acks 2', () => batchOf(1), { acks: 2 }],
    [21, 'acks -2', () => batchOf(1), { acks: -2 }],
    [10, 'a batch over max.message.bytes', () => batchOf(1, { valueBytes: 1_048_588 })],
    [2, 'a bad CRC', () => batchOf(3).fill(1, 70, 71)],
    [2, 'a batch length of -1', () => changed((batch) => batch.writeInt32BE(-1, 8))],
    [2, 'a batch length of 13', () => changed((batch) => batch.writeInt32BE(13, 8))],
    [2, 'a batch length of 48', () => changed((batch) => batch.writeInt32BE(48, 8))],
    [2, 'garbage', () => Buffer.alloc(100, 0x41).fill(0, 8, 11)],
    [2, 'magic 9', () => changed((batch) => batch.writeInt8(9, 16))],
    [87, 'magic 1', () => changed((batch) => batch.writeInt8(1, 16))],
    [87, 'two batches', () => Buffer.concat([batchOf(1), batchOf(1)])],
    [87, 'empty records', () => Buffer.alloc(0)],
    [87, 'null records', () => null],
    [87, 'a cut batch', () => batchOf(3).subarray(0, 80)],
    [87, 'a length beyond the buffer', () => changed((batch) => batch.writeInt32BE(10_000, 8))],
    [87, 'a record count of -1', () => changed((batch) => batch.writeInt32BE(-1, 57))],
    [87, 'a record count of 2 of 3', () => changed((batch) => batch.writeInt32BE(2, 57))],
    [87, 'no records', () => changed((batch) => batch.writeInt32BE(-1, 23).toString())],
    [87, 'a last offset delta of 9', () => changed((batch) => batch.writeInt32BE(9, 23))],
    [87, 'a control batch', () => batchOf(1, { attributes: 0x20 })],
    [87, 'a producer id without sequence', () => batchOf(1, { producerId: 1, producerEpoch: 0 })],
    [-1, 'codec 7', () => batchOf(1, { attributes: 7 })],
    [-1, 'a gzip that is none', () => withBody(1, Buffer.from('no gzip at all'))],
    [76, 'zstd before v7', () => batchOf(1, { attributes: 4 }), { version: 6 }],
    [32, 'an hour and 1 ms ahead', () => batchOf(1, { timestampMs: now + hourMs + 1 })],
    [53, 'transactional, without an id', () => batchOf(1, { attributes: 0x10 })],
    [48, 'transactional', () => batchOf(1, { attributes: 0x10 }), { transactionalId: 'x' }],
  ])('%i: %s', (errorCode, _name, records, given) => {
    const { broker } = context()
    const response = first(produce(broker, records(), given))
    expect(response).toMatchObject({ errorCode, baseOffset: -1 })
    expect(response?.errorMessage).toBeTruthy()
    expect(broker.topics.partition('t', 0)?.logEndOffset).toBe(0)
    if (given?.acks === undefined) {
      expect(() => produce(broker, records(), { ...given, acks: 0 })).toThrow(CloseConnection)
    }
  })

  test.each<[string, Buffer, number]>([
    ['an hour ahead', batchOf(1, { timestampMs: now + hourMs }), 9],
    ['zstd from v7 on', batchOf(1, { attributes: 4 }), 7],
    ['a gzip', withBody(1, gzipSync('records')), 9],
    ['a gzip that becomes large', withBody(1, gzipSync(Buffer.alloc(20_000_000))), 9],
  ])('none: %s', (_name, batch, version) => {
    expect(first(produce(context().broker, batch, { version }))?.errorCode).toBe(0)
  })
})

test('one refused partition leaves the others alone', () => {
  const { broker } = context()
  const partitionData = [
    { index: 0, records: batchOf(1) },
    { index: 5, records: batchOf(1) },
    { index: 1, records: batchOf(2) },
  ]
  const request = {
    transactionalId: null,
    acks: 1,
    timeoutMs: 0,
    topicData: [{ name: 't', partitionData }],
  }
  const response = handleProduce(request, callOf(7), broker) as ProduceResponse
  expect(response.responses[0]?.partitionResponses.map((one) => one.errorCode)).toEqual([0, 3, 0])
  expect(broker.topics.partition('t', 1)?.logEndOffset).toBe(2)
})

test('acks=0 is not answered', () => {
  const { broker } = context()
  expect(produce(broker, batchOf(1), { acks: 0 })).toBeNull()
  expect(broker.topics.partition('t', 0)?.logEndOffset).toBe(1)
})

const idempotent = () => batchOf(2, { producerId: 1, producerEpoch: 0, baseSequence: 0 })

test('a duplicate is answered with its first offset and not appended', () => {
  const { broker } = context()
  produce(broker, batchOf(5))
  expect(first(produce(broker, idempotent()))?.baseOffset).toBe(5)
  expect(first(produce(broker, idempotent()))).toMatchObject({ errorCode: 0, baseOffset: 5 })
  expect(broker.topics.partition('t', 0)?.logEndOffset).toBe(7)
  const gap = batchOf(2, { producerId: 1, producerEpoch: 0, baseSequence: 4 })
  expect(first(produce(broker, gap))?.errorCode).toBe(45)
})

test('configs of the topic count: size and LogAppendTime', () => {
  const { broker, clock } = context()
  broker.topics.setConfigs('t', {
    'max.message.bytes': '100',
    'message.timestamp.type': 'LogAppendTime',
  })
  expect(first(produce(broker, batchOf(9)))?.errorCode).toBe(10)
  const response = first(produce(broker, batchOf(1, { timestampMs: 5 })))
  expect(response).toMatchObject({ errorCode: 0, logAppendTimeMs: clock.epochMs() })
  const [record] = decodeBatch(broker.topics.partition('t', 0)?.read(0, 1, true) as Buffer)
  expect(record?.timestampMs).toBe(clock.epochMs())
})

test('a full store is error 56 with its reason, logged at most once a second, and data stay readable', () => {
  const { broker, clock, lines } = context({ 'store.max.bytes': '1048576' })
  const log = broker.topics.partition('t', 0)
  if (log) {
    log.append = () => {
      throw new StorageError('the store is full')
    }
  }
  for (let i = 0; i < 3; i++) {
    expect(first(produce(broker, batchOf(1)))).toMatchObject({
      errorCode: 56,
      baseOffset: -1,
      errorMessage: 'the store is full',
    })
  }
  expect(lines).toEqual(['storage error: the store is full'])
  clock.advance(1_000)
  expect(() => produce(broker, batchOf(1), { acks: 0 })).toThrow(CloseConnection)
  expect(lines).toHaveLength(2)
})

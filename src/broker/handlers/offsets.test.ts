import { describe, expect, test } from 'vitest'
import { batchOf } from '../../../test/support/batches.ts'
import { callOf, dataContext } from '../../../test/support/broker-context.ts'
import { type Codec, compress, readyCompression } from '../../protocol/compression.ts'
import type { ListOffsetsResponse } from '../../protocol/messages/list-offsets.ts'
import { handleDeleteRecords } from './delete-records.ts'
import { handleInitProducerId } from './init-producer-id.ts'
import { handleListOffsets } from './list-offsets.ts'
import { handleOffsetForLeaderEpoch } from './offset-for-leader-epoch.ts'

const context = () => {
  const given = dataContext()
  given.broker.topics.create('t', 1)
  const log = given.broker.topics.partition('t', 0)
  if (!log) throw new Error('no log')
  return { ...given, log }
}

const list = async (
  { broker }: Pick<ReturnType<typeof context>, 'broker'>,
  timestamp: number,
  given: { version?: number; name?: string; partitionIndex?: number; epoch?: number } = {},
) => {
  const { version = 11, name = 't', partitionIndex = 0, epoch = -1 } = given
  const partitions = [{ partitionIndex, currentLeaderEpoch: epoch, timestamp }]
  const request = {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name, partitions }],
    timeoutMs: 0,
  }
  const response = await handleListOffsets(request, callOf(version), broker)
  return (response as ListOffsetsResponse).topics[0]?.partitions[0]
}

describe('ListOffsets', () => {
  test('the ends', async () => {
    const given = context()
    for (let i = 0; i < 3; i++) given.log.append(batchOf(2), 0)
    given.broker.topics.deleteRecords('t', 0, 3)
    expect(await list(given, -1)).toEqual({
      partitionIndex: 0,
      errorCode: 0,
      timestamp: -1,
      offset: 6,
      leaderEpoch: 0,
    })
    expect(await list(given, -2)).toMatchObject({ offset: 3, timestamp: -1 })
    expect(await list(given, -4)).toMatchObject({ offset: 3 })
    expect(await list(given, -5)).toEqual({ partitionIndex: 0, errorCode: 0 })
  })

  test.each<Codec>([0, 1, 2, 3, 4])('timestamps, in batches of codec %i', async (codec) => {
    await readyCompression(codec)
    const given = context()
    for (const timestampMs of [100, 200, 150]) {
      const encode = (data: Buffer) => compress(codec, data)
      given.log.append(batchOf(5, { timestampMs, attributes: codec, compress: encode }), 0)
    }
    expect(await list(given, 0)).toMatchObject({ offset: 0, timestamp: 100 })
    expect(await list(given, 103)).toMatchObject({ offset: 3, timestamp: 103 })
    expect(await list(given, 105)).toMatchObject({ offset: 5, timestamp: 200 })
    expect(await list(given, 204)).toMatchObject({ offset: 9, timestamp: 204 })
    expect(await list(given, 205)).toEqual({ partitionIndex: 0, errorCode: 0 })
    expect(await list(given, -3)).toMatchObject({ offset: 9, timestamp: 204 })
    given.broker.topics.deleteRecords('t', 0, 2)
    expect(await list(given, 100)).toMatchObject({ offset: 2, timestamp: 102 })
    given.broker.topics.deleteRecords('t', 0, 10)
    expect(await list(given, 100)).toMatchObject({ offset: 10, timestamp: 150 })
  })

  test('errors', async () => {
    const given = context()
    expect(await list(given, -3)).toEqual({ partitionIndex: 0, errorCode: 0 })
    expect(await list(given, -1, { name: 'unknown' })).toMatchObject({ errorCode: 3 })
    expect(await list(given, -1, { partitionIndex: 1 })).toMatchObject({ errorCode: 3 })
    expect(await list(given, -1, { epoch: 3 })).toMatchObject({ errorCode: 75 })
    expect(await list(given, -1, { epoch: 0 })).toMatchObject({ errorCode: 0 })
    expect(await list(given, -3, { version: 6 })).toMatchObject({ errorCode: 35 })
    expect(await list(given, -4, { version: 7 })).toMatchObject({ errorCode: 35 })
    expect(await list(given, -7)).toMatchObject({ errorCode: 35 })
    given.log.append(batchOf(1, { attributes: 3, compress: () => Buffer.from('nonsense') }), 0)
    expect(await list(given, 0)).toMatchObject({ errorCode: -1 })
  })
})

const answer = (partition: object) => ({ topics: [{ topic: 't', partitions: [partition] }] })

test('OffsetForLeaderEpoch knows one epoch', () => {
  const { broker, log } = context()
  log.append(batchOf(4), 0)
  const ask = (leaderEpoch: number, currentLeaderEpoch = -1, topic = 't') =>
    handleOffsetForLeaderEpoch(
      {
        replicaId: -1,
        topics: [{ topic, partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch }] }],
      },
      callOf(4),
      broker,
    )
  const found = { partition: 0, errorCode: 0, leaderEpoch: 0, endOffset: 4 }
  expect(ask(0)).toEqual(answer(found))
  expect(ask(0, 0)).toEqual(answer(found))
  expect(ask(1)).toEqual(answer({ partition: 0, errorCode: 0 }))
  expect(ask(0, 1)).toEqual(answer({ partition: 0, errorCode: 75 }))
  expect(ask(0, 0, 'unknown')).toMatchObject({ topics: [{ partitions: [{ errorCode: 3 }] }] })
})

test('InitProducerId gives new ids and refuses transactions', () => {
  const { broker } = context()
  const init = (transactionalId: string | null, transactionTimeoutMs = 60_000) =>
    handleInitProducerId(
      { transactionalId, transactionTimeoutMs, producerId: -1, producerEpoch: -1 },
      callOf(4),
      broker,
    )
  expect(init(null)).toEqual({ errorCode: 0, producerId: 0, producerEpoch: 0 })
  expect(init(null, 0)).toEqual({ errorCode: 0, producerId: 1, producerEpoch: 0 })
  expect(init('')).toEqual({ errorCode: 42, producerEpoch: -1 })
  expect(init('x', 0)).toMatchObject({ errorCode: 50 })
  expect(init('x', 900_001)).toMatchObject({ errorCode: 50 })
  expect(init('x')).toMatchObject({ errorCode: 53 })
})

const deleted = (lowWatermark: number, errorCode = 0, partitionIndex = 0) => ({
  topics: [{ name: 't', partitions: [{ partitionIndex, lowWatermark, errorCode }] }],
})

test('DeleteRecords moves the log start', () => {
  const { broker, log } = context()
  for (let i = 0; i < 5; i++) log.append(batchOf(2), 0)
  const remove = (offset: number, partitionIndex = 0) =>
    handleDeleteRecords(
      { topics: [{ name: 't', partitions: [{ partitionIndex, offset }] }], timeoutMs: 0 },
      callOf(2),
      broker,
    )
  expect(remove(3)).toEqual(deleted(3))
  expect(remove(1)).toEqual(deleted(3))
  expect(remove(11)).toEqual(deleted(-1, 1))
  expect(remove(-2)).toEqual(deleted(-1, 1))
  expect(remove(0, 7)).toEqual(deleted(-1, 3, 7))
  expect(remove(-1)).toEqual(deleted(10))
  expect([log.logStartOffset, log.logEndOffset]).toEqual([10, 10])
})

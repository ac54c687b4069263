import { afterEach, expect, test } from 'vitest'
import {
  collectingProducerSink,
  connectionTo,
  type Ended,
  runOf,
} from '../../../test/support/client-options.ts'
import {
  type ProducedPartition,
  type StubOptions,
  startStubBroker,
} from '../../../test/support/stub-broker.ts'
import { systemClock } from '../../clock.ts'
import type { ProducerOptions } from '../driver.ts'
import { createProducer } from './producer.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A producer to a stub broker whose topic has three partitions; `seen` has the Produce requests that arrived. */
const setUp = async (
  onProduce: NonNullable<StubOptions['onProduce']>,
  changes: Partial<ProducerOptions> = {},
  given: { properties?: Record<string, string>; stub?: Partial<StubOptions> } = {},
) => {
  const seen: ProducedPartition[][] = []
  const broker = await startStubBroker({
    ...given.stub,
    onProduce: (partitions, attempt) => {
      seen.push(partitions)
      return onProduce(partitions, attempt)
    },
  })
  closing.push(() => broker.close())
  const collected = collectingProducerSink()
  const properties = { 'retry.backoff.ms': '1', retries: '2', ...given.properties }
  const producer = await createProducer(
    connectionTo(broker.address, { properties }),
    {
      topic: 'stub',
      acks: 1,
      compression: 'none',
      isIdempotent: false,
      messageTimeoutMs: 10_000,
      ...changes,
    },
    collected.sink,
    systemClock,
  )
  closing.push(() => producer.close())
  return { broker, producer, seen, ...collected }
}

const byPartition = (ended: Ended[]) =>
  ended
    .map(({ run, baseOffset, failure }) => ({
      partition: run.partition,
      baseOffset,
      isUnknown: failure?.isUnknown,
    }))
    .toSorted((a, b) => a.partition - b.partition)

const idempotent = { isIdempotent: true, acks: -1 } as const
const sequences = (seen: ProducedPartition[][]) => seen.flat().map(({ sequence }) => sequence)

test('runs of one call travel in one request and are acked one by one', async () => {
  const { producer, ended, seen, requests } = await setUp(() => ({}))
  producer.send([runOf(0, 2), runOf(1, 1), runOf(2, 3)])
  expect(byPartition(await ended(3))).toEqual([
    { partition: 0, baseOffset: 100, isUnknown: undefined },
    { partition: 1, baseOffset: 200, isUnknown: undefined },
    { partition: 2, baseOffset: 300, isUnknown: undefined },
  ])
  expect(seen.map((partitions) => partitions.map((p) => p.partition))).toEqual([[0, 1, 2]])
  expect(requests()).toBe(1)
})

test('requests do not wait for one another', async () => {
  const { producer, ended, all, seen, requests } = await setUp((_, attempt) =>
    attempt < 2 ? 'silence' : { correlationOffset: -2 },
  )
  for (let count = 0; count < 3; count++) producer.send([runOf(0, 1)])
  expect(requests()).toBe(3)
  await ended(1)
  expect(seen).toHaveLength(3)
  // The first answer is that of the first request.
  expect(all[0]?.failure).toBeNull()
})

test('a run that is larger than a request may be goes alone', async () => {
  const { producer, ended, seen } = await setUp(
    () => ({}),
    {},
    {
      properties: { 'max.request.size': '300' },
    },
  )
  producer.send([runOf(0, 4), runOf(1, 1), runOf(2, 100)])
  await ended(3)
  expect(seen.map((partitions) => partitions.map((p) => p.partition))).toEqual([[0, 1], [2]])
})

test.each([
  ['MESSAGE_TOO_LARGE', 10],
  ['UNKNOWN_TOPIC_OR_PARTITION', 3],
  ['INVALID_RECORD', 87],
])('%s fails its own run for certain, at once, and no other', async (name, code) => {
  const { producer, ended, all, seen } = await setUp(() => ({ errorCodes: { 1: code } }))
  producer.send([runOf(0, 1), runOf(1, 1)])
  expect(byPartition(await ended(2))).toEqual([
    { partition: 0, baseOffset: 100, isUnknown: undefined },
    { partition: 1, baseOffset: null, isUnknown: false },
  ])
  expect(all.find(({ failure }) => failure)?.failure).toMatchObject({
    message: name,
    kafkaCode: code,
  })
  expect(seen).toHaveLength(1)
})

test('a run whose leader moved is sent again, the acked ones are not', async () => {
  const { producer, ended, seen } = await setUp((_, attempt) =>
    attempt === 0 ? { errorCodes: { 1: 6 } } : {},
  )
  producer.send([runOf(0, 1), runOf(1, 1)])
  expect(byPartition(await ended(2))).toEqual([
    { partition: 0, baseOffset: 100, isUnknown: undefined },
    { partition: 1, baseOffset: 200, isUnknown: undefined },
  ])
  expect(seen.map((partitions) => partitions.length)).toEqual([2, 1])
})

test('a run goes to its own leader, and to the next one after it has moved', async () => {
  const moved = { leader: 1 }
  const second = await startStubBroker({
    onProduce: (partitions) => toSecond.push(partitions) && {},
  })
  closing.push(() => second.close())
  const toSecond: ProducedPartition[][] = []
  const { producer, ended, seen } = await setUp(
    (_, attempt) => {
      if (attempt > 0) return {}
      moved.leader = 2
      return { errorCodes: { 1: 6 } }
    },
    {},
    {
      stub: {
        cluster: (ownPort) => ({
          brokers: [
            { nodeId: 1, port: ownPort },
            { nodeId: 2, port: second.port },
          ],
          leaderOf: (partition) => (partition === 0 ? 2 : moved.leader),
        }),
      },
    },
  )
  producer.send([runOf(0, 1), runOf(1, 1)])
  const all = await ended(2)
  expect(all.every(({ failure }) => failure === null)).toBe(true)
  expect(seen.map((partitions) => partitions.map((p) => p.partition))).toEqual([[1]])
  expect(toSecond.map((partitions) => partitions.map((p) => p.partition))).toEqual([[0], [1]])
})

test('a leader that stays away is a certain failure after the last retry', async () => {
  const { producer, ended, seen } = await setUp(() => ({ errorCodes: { 0: 6 } }))
  producer.send([runOf(0, 1)])
  expect(byPartition(await ended(1))).toEqual([
    { partition: 0, baseOffset: null, isUnknown: false },
  ])
  expect(seen).toHaveLength(3)
})

test("a broker's time-out is unknown: the records may be in the log", async () => {
  const { producer, ended, seen } = await setUp(() => ({ errorCodes: { 0: 7 } }))
  producer.send([runOf(0, 1)])
  expect(byPartition(await ended(1))).toEqual([{ partition: 0, baseOffset: null, isUnknown: true }])
  expect(seen).toHaveLength(1)
})

test('a connection lost after the request is unknown and not sent again', async () => {
  const { producer, ended, all, seen } = await setUp(() => 'hang-up')
  producer.send([runOf(0, 1), runOf(1, 1)])
  await ended(2)
  expect(all.map(({ failure }) => failure)).toMatchObject([
    { isUnknown: true, isConnectionLost: true, message: expect.stringContaining('127.0.0.1:') },
    { isUnknown: true, isConnectionLost: true },
  ])
  expect(seen).toHaveLength(1)
})

test('after a lost connection the next run goes over a new one', async () => {
  const { producer, ended, all } = await setUp((_, attempt) => (attempt === 0 ? 'hang-up' : {}))
  producer.send([runOf(0, 1)])
  await ended(1)
  producer.send([runOf(0, 1)])
  await ended(2)
  expect(all.map(({ failure }) => failure === null)).toEqual([false, true])
})

test('an answer to another request ends the connection: its runs are unknown, none is acked', async () => {
  const { producer, ended, all } = await setUp(() => ({ correlationOffset: 1 }))
  producer.send([runOf(0, 1)])
  producer.send([runOf(0, 1)])
  await ended(2)
  expect(all.map(({ failure }) => failure?.isUnknown)).toEqual([true, true])
  expect(all[0]?.failure?.message).toMatch(/correlation id \d+, \d+ is next/)
  expect(all[0]?.failure?.isConnectionLost).toBe(false)
})

test('a broker that is gone is told as a lost connection, and what was never sent as failed', async () => {
  const { broker, producer, ended, all } = await setUp(() => ({}))
  producer.send([runOf(0, 1)])
  await ended(1)
  await broker.close()
  await new Promise(setImmediate)
  producer.send([runOf(0, 1)])
  await ended(2)
  expect(all[1]?.failure).toMatchObject({ isConnectionLost: true })
})

test('no answer within the message time-out is unknown', async () => {
  const { producer, ended, all } = await setUp(() => 'silence', { messageTimeoutMs: 50 })
  producer.send([runOf(0, 1)])
  await ended(1)
  expect(all[0]?.failure).toEqual({
    isUnknown: true,
    isConnectionLost: false,
    kafkaCode: null,
    message: 'no ack within 50 ms',
  })
})

test('no answer within the request time-out ends the connection, and the next run is sent on a new one', async () => {
  const { producer, ended, all } = await setUp(
    (_, attempt) => (attempt === 0 ? 'silence' : {}),
    {},
    { properties: { 'request.timeout.ms': '50' } },
  )
  producer.send([runOf(0, 1)])
  await ended(1)
  producer.send([runOf(0, 1)])
  await ended(2)
  expect(all[0]?.failure).toMatchObject({ isUnknown: true, isConnectionLost: false })
  expect(all[1]?.failure).toBeNull()
})

test('close ends what is in flight as unknown, and later sends as certain failures', async () => {
  const { producer, ended, all } = await setUp(() => 'silence')
  producer.send([runOf(0, 1)])
  await new Promise(setImmediate)
  await producer.close()
  producer.send([runOf(1, 1)])
  await ended(2)
  expect(all.map(({ failure }) => failure?.isUnknown)).toEqual([true, false])
})

test('acks=0 is acked without an offset when written', async () => {
  const { producer, ended, seen } = await setUp(() => 'silence', { acks: 0 })
  producer.send([runOf(0, 1), runOf(2, 1)])
  expect(byPartition(await ended(2))).toEqual([
    { partition: 0, baseOffset: -1, isUnknown: undefined },
    { partition: 2, baseOffset: -1, isUnknown: undefined },
  ])
  while (seen.length === 0) await new Promise(setImmediate)
})

test('an idempotent producer has at most five requests in flight', async () => {
  const { producer, ended, seen, requests } = await setUp(
    (_, attempt) => (attempt < 5 ? 'silence' : {}),
    { ...idempotent, messageTimeoutMs: 300 },
  )
  for (let count = 0; count < 8; count++) producer.send([runOf(0, 1)])
  await new Promise(setImmediate)
  expect(requests()).toBe(5)
  await ended(8)
  expect(sequences(seen.slice(0, 5))).toEqual([0, 1, 2, 3, 4])
})

test('idempotent runs keep their sequences and their order over a lost connection', async () => {
  const { producer, ended, seen } = await setUp(
    (_, attempt) => (attempt === 1 ? 'hang-up' : {}),
    idempotent,
  )
  producer.send([runOf(0, 3)])
  producer.send([runOf(0, 2)])
  producer.send([runOf(0, 1)])
  const all = await ended(3)
  expect(all.every(({ failure }) => failure === null)).toBe(true)
  expect(new Set(seen.flat().map(({ producerId }) => producerId))).toEqual(new Set([4711]))
  // What came after the one that was lost comes after it again.
  expect(sequences(seen).filter((sequence) => sequence === 3).length).toBe(2)
  expect(sequences(seen).slice(-2)).toEqual([3, 5])
  expect(sequences(seen).slice(0, 2)).toEqual([0, 3])
})

test('idempotent runs behind one that has to be sent again wait for it, out of order as they are', async () => {
  const { producer, ended, seen } = await setUp((_, attempt) => {
    if (attempt === 0) return { errorCodes: { 0: 6 } }
    return attempt < 3 ? { errorCodes: { 0: 45 } } : {}
  }, idempotent)
  producer.send([runOf(0, 3)])
  producer.send([runOf(0, 2)])
  producer.send([runOf(0, 1)])
  const all = await ended(3)
  expect(all.map(({ run, failure }) => [run.count, failure])).toEqual([
    [3, null],
    [2, null],
    [1, null],
  ])
  expect(sequences(seen)).toEqual([0, 3, 5, 0, 3, 5])
})

test('after a run that failed for certain an idempotent producer begins again with a new id', async () => {
  const { producer, ended, seen, all } = await setUp((_, attempt) => {
    if (attempt === 0) return { errorCodes: { 0: 10 } }
    return attempt === 1 ? { errorCodes: { 0: 45 } } : {}
  }, idempotent)
  producer.send([runOf(0, 3)])
  producer.send([runOf(0, 2)])
  await ended(2)
  expect(all.map(({ run, failure }) => [run.count, failure?.isUnknown])).toEqual([
    [3, false],
    [2, undefined],
  ])
  // The second was refused since it came after the first, and is the first of the new id.
  expect(sequences(seen)).toEqual([0, 3, 0])
})

test('one leader that is not there keeps nobody from producing to the others', async () => {
  const { producer, ended, all } = await setUp(
    () => ({}),
    {},
    {
      stub: {
        cluster: (ownPort) => ({
          brokers: [
            { nodeId: 1, port: ownPort },
            { nodeId: 2, port: 1 },
          ],
          leaderOf: (partition) => (partition === 1 ? 2 : 1),
        }),
      },
    },
  )
  producer.send([runOf(0, 1), runOf(1, 1), runOf(2, 1)])
  await ended(3)
  expect(byPartition(all)).toEqual([
    { partition: 0, baseOffset: 100, isUnknown: undefined },
    { partition: 1, baseOffset: null, isUnknown: false },
    { partition: 2, baseOffset: 300, isUnknown: undefined },
  ])
  expect(all.find(({ failure }) => failure)?.failure?.isConnectionLost).toBe(true)
})

test('a cluster none of whose leaders is there is refused at the start', async () => {
  const opening = setUp(
    () => ({}),
    {},
    {
      stub: { cluster: () => ({ brokers: [{ nodeId: 2, port: 1 }], leaderOf: () => 2 }) },
    },
  )
  await expect(opening).rejects.toThrow('connect ECONNREFUSED 127.0.0.1:1')
})

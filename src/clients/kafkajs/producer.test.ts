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
) => {
  const seen: ProducedPartition[][] = []
  const broker = await startStubBroker({
    onProduce: (partitions, attempt) => {
      seen.push(partitions)
      return onProduce(partitions, attempt)
    },
  })
  closing.push(() => broker.close())
  const collected = collectingProducerSink()
  const properties = { 'retry.backoff.ms': '1', retries: '2' }
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
  expect(all.find(({ failure }) => failure)?.failure?.message).toContain(name)
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

test('a broker that is gone is told as a lost connection', async () => {
  const { broker, producer, ended, all } = await setUp(() => ({}))
  producer.send([runOf(0, 1)])
  await ended(1)
  await broker.close()
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

test('close ends what is in flight as unknown, and later sends as certain failures', async () => {
  const { producer, ended, all, requests } = await setUp(() => 'silence')
  producer.send([runOf(0, 1)])
  while (requests() === 0) await new Promise(setImmediate)
  await producer.close()
  producer.send([runOf(1, 1)])
  await ended(2)
  expect(all.map(({ failure }) => failure?.isUnknown)).toEqual([true, false])
})

test('acks=0 is acked without an offset when written', async () => {
  const { producer, ended } = await setUp(() => 'silence', { acks: 0 })
  producer.send([runOf(0, 1), runOf(2, 1)])
  expect(byPartition(await ended(2))).toEqual([
    { partition: 0, baseOffset: -1, isUnknown: undefined },
    { partition: 2, baseOffset: -1, isUnknown: undefined },
  ])
})

test('an idempotent run keeps its sequence over a lost connection', async () => {
  const { producer, ended, seen } = await setUp((_, attempt) => (attempt === 1 ? 'hang-up' : {}), {
    isIdempotent: true,
    acks: -1,
  })
  producer.send([runOf(0, 3)])
  producer.send([runOf(0, 2)])
  producer.send([runOf(0, 1)])
  const all = await ended(3)
  expect(all.every(({ failure }) => failure === null)).toBe(true)
  expect(seen.flat()).toEqual([
    { partition: 0, sequence: 0, producerId: 4711 },
    { partition: 0, sequence: 3, producerId: 4711 },
    { partition: 0, sequence: 3, producerId: 4711 },
    { partition: 0, sequence: 5, producerId: 4711 },
  ])
})

test('a refused idempotent run gives its sequence back, the acked beside it does not', async () => {
  const { producer, ended, seen } = await setUp(
    (_, attempt) => (attempt === 0 ? { errorCodes: { 0: 10 } } : {}),
    { isIdempotent: true, acks: -1 },
  )
  producer.send([runOf(0, 3), runOf(1, 3)])
  producer.send([runOf(0, 1), runOf(1, 1)])
  await ended(4)
  expect(seen[1]).toEqual([
    { partition: 0, sequence: 0, producerId: 4711 },
    { partition: 1, sequence: 3, producerId: 4711 },
  ])
})

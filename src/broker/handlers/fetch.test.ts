import { describe, expect, test } from 'vitest'
import { batchOf } from '../../../test/support/batches.ts'
import { callOf, dataContext } from '../../../test/support/broker-context.ts'
import { settled } from '../../../test/support/manual-clock.ts'
import type { FetchRequest, FetchResponse } from '../../protocol/messages/fetch.ts'
import { baseOffsetOf } from '../../protocol/record-batch.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { BrokerContext } from '../context.ts'
import { StorageError } from '../store/store.ts'
import { handleFetch } from './fetch.ts'

interface Wanted {
  topic?: string
  topicId?: string
  partition?: number
  fetchOffset?: number
  partitionMaxBytes?: number
  currentLeaderEpoch?: number
}

const requestOf = (wanted: Wanted[], given: Partial<FetchRequest> = {}): FetchRequest => ({
  clusterId: null,
  replicaId: -1,
  replicaState: { replicaId: -1, replicaEpoch: -1 },
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 50_000_000,
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  topics: wanted.map(({ topic = 't', topicId = zeroUuid, partition = 0, ...rest }) => ({
    topic,
    topicId,
    partitions: [
      {
        partition,
        currentLeaderEpoch: rest.currentLeaderEpoch ?? -1,
        fetchOffset: rest.fetchOffset ?? 0,
        lastFetchedEpoch: -1,
        logStartOffset: -1,
        partitionMaxBytes: rest.partitionMaxBytes ?? 1_048_576,
        replicaDirectoryId: zeroUuid,
      },
    ],
  })),
  forgottenTopicsData: [],
  rackId: '',
  ...given,
})

const context = (settings: Record<string, string> = {}) => {
  const given = dataContext({ settings })
  given.broker.topics.create('t', 3)
  return given
}
const append = (broker: BrokerContext, partition: number, batch: Buffer): void =>
  void broker.topics.partition('t', partition)?.append(batch, 0)

const fetchNow = (broker: BrokerContext, wanted: Wanted[], given: Partial<FetchRequest> = {}) =>
  handleFetch(requestOf(wanted, given), callOf(11), broker) as FetchResponse
const parts = (response: FetchResponse) => response.responses.flatMap((topic) => topic.partitions)
const sizes = (response: FetchResponse) => parts(response).map((part) => part.records?.length)

describe('an answer at once', () => {
  test('has records, high watermark, last stable offset and log start', () => {
    const { broker } = context()
    append(broker, 0, batchOf(3))
    append(broker, 0, batchOf(2))
    broker.topics.deleteRecords('t', 0, 1)
    const [part] = parts(fetchNow(broker, [{ fetchOffset: 4 }]))
    expect(part).toMatchObject({
      partitionIndex: 0,
      errorCode: 0,
      highWatermark: 5,
      lastStableOffset: 5,
      logStartOffset: 1,
      abortedTransactions: null,
    })
    expect(baseOffsetOf(part?.records as Buffer)).toBe(3)
  })

  test('read_committed has an empty list of aborted transactions', () => {
    const { broker } = context()
    append(broker, 0, batchOf(3))
    const [part] = parts(fetchNow(broker, [{}], { isolationLevel: 1 }))
    expect(part).toMatchObject({ abortedTransactions: [], lastStableOffset: 3 })
  })

  test.each<[number, string, Wanted]>([
    [3, 'an unknown topic', { topic: 'unknown' }],
    [3, 'an unknown partition', { partition: 3 }],
    [1, 'an offset past the end', { fetchOffset: 4 }],
    [1, 'an offset before the start', { fetchOffset: 0 }],
    [1, 'a negative offset', { fetchOffset: -1 }],
    [75, 'a leader epoch to come', { fetchOffset: 3, currentLeaderEpoch: 1 }],
  ])('error %i for %s, without waiting', (errorCode, _name, wanted) => {
    const { broker } = context()
    append(broker, 0, batchOf(3))
    broker.topics.deleteRecords('t', 0, 2)
    const response = fetchNow(broker, [wanted, { partition: 1 }], { maxWaitMs: 1_000 })
    expect(parts(response)[0]).toMatchObject({ errorCode, highWatermark: -1 })
    expect(parts(response)[0]?.records).toHaveLength(0)
    expect(parts(response)[1]).toMatchObject({ errorCode: 0, highWatermark: 0 })
  })

  test('a storage error is 56', () => {
    const { broker, lines } = context()
    append(broker, 0, batchOf(3))
    const log = broker.topics.partition('t', 0)
    if (log) {
      log.read = () => {
        throw new StorageError('damaged')
      }
    }
    expect(parts(fetchNow(broker, [{}]))[0]).toMatchObject({ errorCode: 56, highWatermark: -1 })
    expect(lines).toEqual(['storage error: damaged'])
  })

  test('at least one batch whatever the limits, then within the budget', () => {
    const { broker } = context({ 'fetch.max.bytes': '1024' })
    const size = batchOf(1, { valueBytes: 400 }).length
    for (const partition of [0, 1, 2]) {
      for (let i = 0; i < 4; i++) append(broker, partition, batchOf(1, { valueBytes: 400 }))
    }
    const all = [{ partition: 0 }, { partition: 1 }, { partition: 2 }]
    expect(sizes(fetchNow(broker, all))).toEqual([2 * size, 0, 0])
    expect(sizes(fetchNow(broker, all, { maxBytes: 1 }))).toEqual([size, 0, 0])
    expect(sizes(fetchNow(broker, [{ partitionMaxBytes: 1 }]))).toEqual([size])
    expect(
      sizes(
        fetchNow(broker, [{ partitionMaxBytes: size }, { partition: 1, partitionMaxBytes: 1 }]),
      ),
    ).toEqual([size, 0])
    expect(
      sizes(fetchNow(broker, [{ fetchOffset: 4 }, { partition: 1, partitionMaxBytes: 1 }])),
    ).toEqual([0, size])
  })
})

describe('topics by id, from version 13 on', () => {
  const byId = (broker: BrokerContext, topicId: string, given: Partial<FetchRequest> = {}) =>
    handleFetch(requestOf([{ topic: '', topicId }], given), callOf(13), broker)

  test('a known id is answered with its records and itself', () => {
    const { broker } = context()
    append(broker, 0, batchOf(3))
    const topicId = broker.topics.get('t')?.id as string
    const response = byId(broker, topicId) as FetchResponse
    expect(response.responses[0]?.topicId).toBe(topicId)
    expect(parts(response)[0]).toMatchObject({ errorCode: 0, highWatermark: 3 })
    expect(sizes(response)).toEqual([batchOf(3).length])
  })

  test.each([
    ['no id', zeroUuid],
    ['an unknown id', Buffer.alloc(16, 1).toString('base64url')],
  ])('%s is error 100, without waiting', (_name, topicId) => {
    const { broker } = context()
    const response = byId(broker, topicId, { maxWaitMs: 1_000 }) as FetchResponse
    expect(response.responses[0]?.topicId).toBe(topicId)
    expect(parts(response)[0]).toMatchObject({
      errorCode: 100,
      highWatermark: -1,
      abortedTransactions: [],
    })
  })

  test('an append ends the wait, and a deletion with error 100', async () => {
    const { broker } = context()
    const topicId = broker.topics.get('t')?.id as string
    const first = byId(broker, topicId, { maxWaitMs: 500 })
    append(broker, 0, batchOf(1))
    expect(sizes((await first) as FetchResponse)).toEqual([batchOf(1).length])
    const second = byId(broker, topicId, { maxWaitMs: 500, minBytes: 1_000_000 })
    broker.topics.delete('t')
    expect(parts((await second) as FetchResponse)[0]).toMatchObject({ errorCode: 100 })
  })
})

test.each<[number, number, number]>([
  [0, 0, 0],
  [0, -1, 0],
  [7, -1, 0],
  [7, 0, 0],
  [7, 1, 70],
  [0, 5, 70],
])('session (%i, %i) is answered with error %i and no session', (sessionId, sessionEpoch, code) => {
  const { broker } = context()
  const response = fetchNow(broker, [{}], { sessionId, sessionEpoch })
  expect(response).toMatchObject({ errorCode: code, sessionId: 0 })
  expect(response.responses).toHaveLength(code === 0 ? 1 : 0)
})

const poll = (
  broker: BrokerContext,
  wanted: Wanted[],
  given: Partial<FetchRequest> = {},
  closed?: AbortSignal,
) => {
  const answers: (FetchResponse | null)[] = []
  const request = requestOf(wanted, { maxWaitMs: 500, ...given })
  void Promise.resolve(handleFetch(request, callOf(11, closed), broker)).then((answer) =>
    answers.push(answer),
  )
  return answers
}

describe('a long poll', () => {
  test('ends with the append', async () => {
    const { broker, clock } = context()
    const timersBefore = clock.timerCount
    const answers = poll(broker, [{ partition: 1 }, { partition: 0 }])
    await clock.advanceAsync(499)
    expect(answers).toEqual([])
    append(broker, 2, batchOf(1))
    await settled()
    expect(answers).toEqual([])
    append(broker, 0, batchOf(2))
    await settled()
    expect(answers).toHaveLength(1)
    expect(parts(answers[0] as FetchResponse)[1]).toMatchObject({ highWatermark: 2 })
    expect(sizes(answers[0] as FetchResponse)).toEqual([0, batchOf(2).length])
    expect(clock.timerCount).toBe(timersBefore)
  })

  test('ends after maxWaitMs, with the watermarks', async () => {
    const { broker, clock } = context()
    append(broker, 0, batchOf(2))
    const answers = poll(broker, [{ fetchOffset: 2 }])
    await clock.advanceAsync(499)
    expect(answers).toEqual([])
    await clock.advanceAsync(1)
    expect(parts(answers[0] as FetchResponse)[0]).toMatchObject({ errorCode: 0, highWatermark: 2 })
  })

  test('waits for minBytes', async () => {
    const { broker, clock } = context()
    const size = batchOf(1).length
    append(broker, 0, batchOf(1))
    const answers = poll(broker, [{ partition: 0 }, { partition: 1 }], { minBytes: 3 * size })
    append(broker, 1, batchOf(1))
    await clock.advanceAsync(10)
    expect(answers).toEqual([])
    append(broker, 0, batchOf(1))
    await settled()
    expect(sizes(answers[0] as FetchResponse)).toEqual([2 * size, size])
  })

  test('minBytes above maxBytes waits for maxBytes only', () => {
    const { broker } = context()
    append(broker, 0, batchOf(1))
    const response = fetchNow(broker, [{}], { maxWaitMs: 500, minBytes: 1_000, maxBytes: 50 })
    expect(sizes(response)).toEqual([batchOf(1).length])
  })

  test('ends when the topic is deleted, with error 3', async () => {
    const { broker, clock } = context()
    const timersBefore = clock.timerCount
    const answers = poll(broker, [{}])
    broker.topics.delete('t')
    await settled()
    expect(parts(answers[0] as FetchResponse)[0]).toMatchObject({ errorCode: 3, highWatermark: -1 })
    expect(clock.timerCount).toBe(timersBefore)
  })

  test('ends without an answer when the client has gone', async () => {
    const { broker, clock } = context()
    const timersBefore = clock.timerCount
    const closed = new AbortController()
    const answers = poll(broker, [{}], {}, closed.signal)
    closed.abort()
    await settled()
    expect(answers).toEqual([null])
    expect(clock.timerCount).toBe(timersBefore)
    append(broker, 0, batchOf(1))
    await clock.advanceAsync(1_000)
    expect(answers).toEqual([null])
  })

  test('nothing to wait for is answered at once', () => {
    const { broker } = context()
    expect(fetchNow(broker, [], { maxWaitMs: 500 }).responses).toEqual([])
    expect(sizes(fetchNow(broker, [{}], { maxWaitMs: 500, minBytes: 0 }))).toEqual([0])
  })
})

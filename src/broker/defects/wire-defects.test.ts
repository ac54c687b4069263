import { describe, expect, test } from 'vitest'
import { batchOf } from '../../../test/support/batches.ts'
import { type WireBroker, wireBroker } from '../../../test/support/wire-broker.ts'
import { decodeRequest } from '../../protocol/api.ts'
import { encodeSubscription } from '../../protocol/consumer-protocol.ts'
import { hasValidCrc, recordCountOf, wholeBatchSize } from '../../protocol/record-batch.ts'
import type { BrokerContext } from '../context.ts'
import { type BrokerParts, kafkaParts } from '../parts.ts'
import { defectNames, withDefect } from './index.ts'

// Each defect of messages, handlers and data, by what a client reads out of the bytes; and without it nothing of the kind.

const brokerWith = (defect: string | null): WireBroker => {
  const broker = wireBroker(defect === null ? kafkaParts : withDefect(kafkaParts, defect))
  broker.context.topics.create('t', 3)
  return broker
}

const protocols = [
  { name: 'range', metadata: encodeSubscription(0, { topics: ['t'], userData: null }) },
]
const joining = {
  ...{ groupId: 'g', groupInstanceId: null, memberId: '', protocolType: 'consumer' },
  ...{ sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, protocols, reason: null },
}
const identity = { groupId: 'g', groupInstanceId: null, generationId: 1 }

/** A member of generation 1, alone and assigned; answers its id and its assignment. */
const joinAlone = async ({ ask, clock }: WireBroker, groupInstanceId: string | null = null) => {
  const joined = ask('JoinGroup', 5, { ...joining, groupInstanceId, memberId: '' })
  await clock.advanceAsync(500)
  let { memberId, errorCode } = await joined
  if (errorCode === 79) {
    const again = ask('JoinGroup', 5, { ...joining, groupInstanceId, memberId })
    await clock.advanceAsync(500)
    ;({ memberId, errorCode } = await again)
  }
  expect(errorCode).toBe(0)
  const synced = await ask('SyncGroup', 3, {
    ...{ ...identity, groupInstanceId, memberId },
    assignments: [{ memberId, assignment: Buffer.from('share') }],
  })
  return { memberId, assignment: synced.assignment.toString() }
}

const commitAt = ({ ask }: WireBroker, offset: number, version = 7) =>
  ask('OffsetCommit', version, {
    ...{ groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null },
    topics: [
      {
        name: 't',
        partitions: [0, 1, 2].map((partitionIndex) => ({
          ...{ partitionIndex, committedOffset: offset, committedLeaderEpoch: -1 },
          committedMetadata: '',
        })),
      },
    ],
  })

type AskedTopics = { name: string; partitionIndexes: number[] }[] | null
const threeAsked: AskedTopics = [{ name: 't', partitionIndexes: [0, 1, 2] }]

/** Committed offsets by partition. */
const committed = async ({ ask }: WireBroker, version: number, topics: AskedTopics) => {
  const group = { groupId: 'g', memberId: null, memberEpoch: -1, topics }
  const answer =
    version < 8
      ? await ask('OffsetFetch', version, { groupId: 'g', topics, requireStable: false })
      : await ask('OffsetFetch', version, { groups: [group], requireStable: false })
  const found = version < 8 ? answer.topics : (answer.groups[0]?.topics ?? [])
  return found.flatMap(({ partitions }) =>
    partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]),
  )
}

const produce = ({ ask }: WireBroker, records: Buffer, acks = 1) =>
  ask('Produce', 8, {
    ...{ transactionalId: null, acks, timeoutMs: 1_000 },
    topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
  })

const fetch = async ({ ask }: WireBroker, fetchOffset = 0) => {
  const wanted = {
    ...{ partition: 0, currentLeaderEpoch: -1, fetchOffset, lastFetchedEpoch: -1 },
    ...{ logStartOffset: -1, partitionMaxBytes: 2 ** 20 },
  }
  const answer = await ask('Fetch', 11, {
    ...{ replicaId: -1, maxWaitMs: 0, minBytes: 0, maxBytes: 2 ** 20, isolationLevel: 0 },
    ...{ sessionId: 0, sessionEpoch: -1, forgottenTopicsData: [], rackId: '' },
    topics: [{ topic: 't', partitions: [wanted] } as never],
  })
  const partition = answer.responses[0]?.partitions[0]
  const records = partition?.records ?? Buffer.alloc(0)
  const batches: Buffer[] = []
  for (let start = 0; start < records.length; ) {
    const size = wholeBatchSize(records, start) as number
    batches.push(records.subarray(start, start + size))
    start += size
  }
  return { highWatermark: partition?.highWatermark, batches }
}

const logEndOf = ({ context }: WireBroker): number | undefined =>
  context.topics.partition('t', 0)?.logEndOffset

const pair = (defect: string): readonly [null, string] => [null, defect]

describe('groups', () => {
  test('canary: every share is empty', async () => {
    const [correct, broken] = pair('canary').map(brokerWith)
    expect((await joinAlone(correct as WireBroker)).assignment).toBe('share')
    expect((await joinAlone(broken as WireBroker)).assignment).toBe('')
  })

  test('join-v5-no-instance-id: the leader runs out of bytes in v5, and in v5 only', async () => {
    const { ask, clock } = brokerWith('join-v5-no-instance-id')
    const { memberId } = await ask('JoinGroup', 4, joining)
    const joined = ask('JoinGroup', 4, { ...joining, memberId })
    await clock.advanceAsync(500)
    expect((await joined).members).toHaveLength(1)
    expect((await ask('JoinGroup', 6, { ...joining, memberId })).members).toHaveLength(1)
    await expect(ask('JoinGroup', 5, { ...joining, memberId })).rejects.toThrow(/JoinGroup v5/)
    await expect(joinAlone(brokerWith(null))).resolves.toBeDefined()
  })

  test('static-id-ignored: a static member that comes back is a newcomer', async () => {
    for (const [defect, answer] of [
      [null, { errorCode: 0, generationId: 1 }],
      ['static-id-ignored', { errorCode: 79 }],
    ] as const) {
      const broker = brokerWith(defect)
      await joinAlone(broker, 'one')
      const again = await broker.ask('JoinGroup', 5, { ...joining, groupInstanceId: 'one' })
      expect(again).toMatchObject(answer)
    }
  })
})

describe('committed offsets', () => {
  test('offset-fetch-v8-partition-zero: v8 answers for partition 0 only, v7 for all', async () => {
    for (const [defect, found] of [
      [null, [0, 1, 2]],
      ['offset-fetch-v8-partition-zero', [0]],
    ] as const) {
      const broker = brokerWith(defect)
      await commitAt(broker, 5)
      const partitionsIn = async (version: number) =>
        (await committed(broker, version, threeAsked)).map(([partition]) => partition)
      expect(await partitionsIn(7)).toEqual([0, 1, 2])
      expect(await partitionsIn(8)).toEqual(found)
    }
  })

  test('offset-fetch-all-means-zero: all is answered with partition 0 only', async () => {
    for (const [defect, found] of [
      [null, [0, 1, 2]],
      ['offset-fetch-all-means-zero', [0]],
    ] as const) {
      const broker = brokerWith(defect)
      await commitAt(broker, 5)
      for (const version of [2, 7, 8]) {
        expect(await committed(broker, version, threeAsked)).toHaveLength(3)
        const all = await committed(broker, version, null)
        expect(all.map(([partition]) => partition)).toEqual(found)
      }
    }
  })

  test('offset-commit-v8-underflow: the answer to v8 ends early, although the offsets are kept', async () => {
    await expect(commitAt(brokerWith(null), 5, 8)).resolves.toBeDefined()
    const broker = brokerWith('offset-commit-v8-underflow')
    await expect(commitAt(broker, 5, 7)).resolves.toBeDefined()
    await expect(commitAt(broker, 6, 8)).rejects.toThrow('1 byte missing')
    expect(await committed(broker, 7, [{ name: 't', partitionIndexes: [0] }])).toEqual([[0, 6]])
  })

  test('commit-lost: what was acknowledged is not there', async () => {
    for (const [defect, offset] of [
      [null, 5],
      ['commit-lost', -1],
    ] as const) {
      const broker = brokerWith(defect)
      const answer = await commitAt(broker, 5)
      expect(answer.topics[0]?.partitions.map(({ errorCode }) => errorCode)).toEqual([0, 0, 0])
      expect(await committed(broker, 7, threeAsked)).toContainEqual([0, offset])
    }
  })

  test('duplicate-delivery: the first answer after a rebalance is too low, the next is right', async () => {
    for (const [defect, first] of [
      [null, 100],
      ['duplicate-delivery', 90],
    ] as const) {
      const broker = brokerWith(defect)
      await commitAt(broker, 100)
      const { memberId } = await joinAlone(broker)
      expect(await committed(broker, 7, threeAsked)).toContainEqual([1, 100])
      // A leader that joins again begins a generation.
      await broker.ask('JoinGroup', 5, { ...joining, memberId })
      expect(await committed(broker, 7, threeAsked)).toContainEqual([1, first])
      expect(await committed(broker, 7, threeAsked)).toContainEqual([1, 100])
    }
  })
})

describe('records', () => {
  test('list-offsets-v0-as-v1: v0 is told, and its second partition read from where it is not', () => {
    const { ListOffsets } = withDefect(kafkaParts, 'list-offsets-v0-as-v1').messages
    const partition = (index: number): string => `0000000${index} ffffffffffffffff 00000001`
    const request = Buffer.from(
      `ffffffff 00000001 0001 74 00000002 ${partition(0)} ${partition(1)}`.replaceAll(' ', ''),
      'hex',
    )
    expect(ListOffsets.advertisedMinVersion).toBe(0)
    expect(decodeRequest(ListOffsets, 0, request)).toMatchObject({
      topics: [{ partitions: [{ timestamp: -1 }, { timestamp: 0x1_ffff_ffff }] }],
    })
    expect(kafkaParts.messages.ListOffsets.advertisedMinVersion).toBe(1)
  })

  test('reencoded-batches: the CRC is no longer that of the bytes', async () => {
    for (const [defect, isRight] of [
      [null, true],
      ['reencoded-batches', false],
    ] as const) {
      const broker = brokerWith(defect)
      await produce(broker, batchOf(3))
      const { batches } = await fetch(broker)
      expect(batches.map((batch) => recordCountOf(batch))).toEqual([3])
      expect(batches.map((batch) => hasValidCrc(batch))).toEqual([isRight])
    }
  })

  test('high-watermark-missing: -1 and no error', async () => {
    for (const [defect, highWatermark] of [
      [null, 3],
      ['high-watermark-missing', -1],
    ] as const) {
      const broker = brokerWith(defect)
      await produce(broker, batchOf(3))
      expect((await fetch(broker)).highWatermark).toBe(highWatermark)
    }
  })

  test('record-lost: more is acknowledged than the watermark moves by', async () => {
    for (const [defect, kept] of [
      [null, 30],
      ['record-lost', 24],
    ] as const) {
      const broker = brokerWith(defect)
      let acked = 0
      for (let n = 0; n < 10; n++) {
        const answer = await produce(broker, batchOf(3))
        if (answer.responses[0]?.partitionResponses[0]?.errorCode === 0) acked += 3
      }
      expect(acked).toBe(30)
      expect(logEndOf(broker)).toBe(kept)
    }
  })

  test('delivery-skipped: a reader jumps over records that are in the log', async () => {
    for (const [defect, counts] of [
      [null, [3, 3, 3, 3, 3]],
      ['delivery-skipped', [3, 3, 3, 3, 2]],
    ] as const) {
      const broker = brokerWith(defect)
      for (let n = 0; n < 3; n++) await produce(broker, batchOf(1))
      const read: number[] = []
      for (let n = 0; n < 5; n++) read.push((await fetch(broker)).batches.length)
      expect(read).toEqual(counts)
      expect(logEndOf(broker)).toBe(3)
    }
  })

  test('slow: a client that waits for each answer gets a tenth fewer of them', () => {
    /** Answers in 4 s, when client and broker take `cycleMs` for one; looking at the clock takes 0.1 ms. */
    const answersIn = (defect: string | null, cycleMs: number): number => {
      let nowMs = 0
      const clock = { nowNs: () => (nowMs += 0.1) * 1e6 }
      const broker = { clock } as unknown as BrokerContext
      const answering: BrokerParts = {
        ...kafkaParts,
        handlers: { ...kafkaParts.handlers, Produce: () => null },
      }
      const { Produce } = (defect === null ? answering : withDefect(answering, defect)).handlers
      let answers = 0
      for (; nowMs < 4_000; answers++) {
        void Produce({} as never, {} as never, broker)
        nowMs += cycleMs
      }
      return answers
    }
    for (const cycleMs of [10, 40]) {
      const share = answersIn('slow', cycleMs) / answersIn(null, cycleMs)
      expect(share).toBeGreaterThan(0.88)
      expect(share).toBeLessThan(0.92)
    }
  })

  test('slow: on a clock that stands still it does nothing', async () => {
    const broker = brokerWith('slow')
    await produce(broker, batchOf(1))
    await broker.clock.advanceAsync(60_000)
    await produce(broker, batchOf(1))
    expect(logEndOf(broker)).toBe(2)
  })
})

describe('the list', () => {
  test('names each defect once, and helps with a mistyped one', () => {
    expect(new Set(defectNames).size).toBe(defectNames.length)
    expect(() => withDefect(kafkaParts, 'recordlost')).toThrow(
      /^defect 'recordlost': allowed are canary, .*; did you mean 'record-lost'\?$/,
    )
    expect(() => withDefect(kafkaParts, '')).toThrow(/^defect '': allowed are canary/)
  })

  test('several by commas are all there', async () => {
    const broker = brokerWith('canary,commit-lost')
    await commitAt(broker, 5)
    expect(await committed(broker, 7, threeAsked)).toContainEqual([0, -1])
    expect((await joinAlone(broker)).assignment).toBe('')
  })

  test('leave what they were given as it was', () => {
    const before = { ...kafkaParts, handlers: { ...kafkaParts.handlers } }
    for (const name of defectNames) expect(withDefect(kafkaParts, name)).not.toEqual(kafkaParts)
    expect(kafkaParts).toEqual(before)
  })
})

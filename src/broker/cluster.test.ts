import { expect, test } from 'vitest'
import { batchOf } from '../../test/support/batches.ts'
import { callOf, dataContext, nodesOf } from '../../test/support/broker-context.ts'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { tempFolder } from '../../test/support/temp-folder.ts'
import type { FetchResponse } from '../protocol/messages/fetch.ts'
import type { MetadataResponse } from '../protocol/messages/metadata.ts'
import type { ProduceResponse } from '../protocol/messages/produce.ts'
import { decodeBatch, partitionLeaderEpochOf } from '../protocol/record-batch.ts'
import { zeroUuid } from '../protocol/schema.ts'
import { Cluster } from './cluster.ts'
import type { BrokerContext } from './context.ts'
import { handleAlterPartitionReassignments } from './handlers/alter-partition-reassignments.ts'
import { handleCreatePartitions } from './handlers/create-partitions.ts'
import { handleCreateTopics } from './handlers/create-topics.ts'
import { handleDeleteRecords } from './handlers/delete-records.ts'
import { handleElectLeaders } from './handlers/elect-leaders.ts'
import { handleFetch } from './handlers/fetch.ts'
import { handleListOffsets } from './handlers/list-offsets.ts'
import { handleMetadata } from './handlers/metadata.ts'
import { handleOffsetForLeaderEpoch } from './handlers/offset-for-leader-epoch.ts'
import { handleProduce } from './handlers/produce.ts'
import { parseSettings } from './settings.ts'
import { diskStore } from './store/disk.ts'
import { Topics } from './topics.ts'

// Three nodes: topic `t` has partitions 0 to 2 on nodes 1 to 3 alone, and `r` one on nodes 1 and 2, led by 1.

const notLeader = 6
const fenced = 74
const unknownEpoch = 75

const open = () => {
  const given = dataContext({ brokers: 3 })
  const { topics } = given.broker
  topics.create('t', 3, {}, [[1], [2], [3]])
  topics.create('r', 1, {}, [[1, 2]])
  return { ...given, at: (nodeId: number): BrokerContext => ({ ...given.broker, nodeId }) }
}

const produce = (broker: BrokerContext, name: string, index: number, version = 9) => {
  const topicData = [{ name, partitionData: [{ index, records: batchOf(2) }] }]
  const request = { transactionalId: null, acks: -1, timeoutMs: 1_000, topicData }
  const response = handleProduce(request, callOf(version), broker) as ProduceResponse
  return { ...response.responses[0]?.partitionResponses[0], endpoints: response.nodeEndpoints }
}

const fetchRequest = (topic: string, partition: number, wanted: object = {}) => ({
  clusterId: null,
  replicaId: -1,
  replicaState: { replicaId: -1, replicaEpoch: -1 },
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 1e6,
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  forgottenTopicsData: [],
  rackId: '',
  topics: [
    {
      topic,
      topicId: zeroUuid,
      partitions: [
        {
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: 0,
          lastFetchedEpoch: -1,
          logStartOffset: -1,
          partitionMaxBytes: 1e6,
          replicaDirectoryId: zeroUuid,
          ...wanted,
        },
      ],
    },
  ],
})

const fetch = (
  broker: BrokerContext,
  topic: string,
  partition: number,
  { version = 10, ...wanted }: { version?: number; [field: string]: unknown } = {},
) => {
  const request = fetchRequest(topic, partition, wanted)
  const [one] = request.topics
  if (one !== undefined) one.topicId = broker.topics.get(topic)?.id ?? zeroUuid
  const response = handleFetch(request, callOf(version), broker) as FetchResponse
  return { ...response.responses[0]?.partitions[0], endpoints: response.nodeEndpoints }
}

const listOffsets = async (broker: BrokerContext, name: string, timestamp: number, epoch = -1) => {
  const wanted = { partitionIndex: 0, currentLeaderEpoch: epoch, timestamp }
  const topics = [{ name, partitions: [wanted] }]
  const request = { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 0 }
  const response = await handleListOffsets(request, callOf(8), broker)
  return response?.topics[0]?.partitions[0]
}

const epochEnd = (broker: BrokerContext, topic: string, leaderEpoch: number, current = -1) => {
  const wanted = { partition: 0, currentLeaderEpoch: current, leaderEpoch }
  const request = { replicaId: -2, topics: [{ topic, partitions: [wanted] }] }
  const response = handleOffsetForLeaderEpoch(request, callOf(4), broker)
  return (response as Awaited<typeof response>)?.topics[0]?.partitions[0]
}

const alter = (
  broker: BrokerContext,
  name: string,
  replicas: number[] | null,
  more: { partitionIndex?: number; allowReplicationFactorChange?: boolean } = {},
) => {
  const { partitionIndex = 0, allowReplicationFactorChange = true } = more
  const topics = [{ name, partitions: [{ partitionIndex, replicas }] }]
  const request = { timeoutMs: 0, allowReplicationFactorChange, topics }
  const response = handleAlterPartitionReassignments(request, callOf(1), broker)
  return (response as Awaited<typeof response>)?.responses[0]?.partitions[0]?.errorCode
}

test('a node takes and gives records of its own partitions only', async () => {
  const { at } = open()
  for (const nodeId of [1, 2, 3]) {
    for (const index of [0, 1, 2]) {
      const expected = index === nodeId - 1 ? 0 : notLeader
      expect(produce(at(nodeId), 't', index).errorCode).toBe(expected)
      expect(fetch(at(nodeId), 't', index).errorCode).toBe(expected)
      const topics = [{ name: 't', partitions: [{ partitionIndex: index, offset: 1 }] }]
      const deleted = await handleDeleteRecords({ topics, timeoutMs: 0 }, callOf(2), at(nodeId))
      expect(deleted?.topics[0]?.partitions[0]?.errorCode).toBe(expected)
    }
    const expected = nodeId === 1 ? 0 : notLeader
    expect((await listOffsets(at(nodeId), 't', -1))?.errorCode).toBe(expected)
    expect(epochEnd(at(nodeId), 't', 0)?.errorCode).toBe(expected)
  }
  expect(produce(at(2), 'none', 0).errorCode).toBe(3)
  expect(fetch(at(2), 't', 3).errorCode).toBe(3)
})

test('Produce from v10 and Fetch from v16 on say who leads, and where it is', () => {
  const { at } = open()
  const elsewhere = {
    errorCode: notLeader,
    currentLeader: { leaderId: 3, leaderEpoch: 0 },
    endpoints: [{ nodeId: 3, host: '127.0.0.1', port: 9094 }],
  }
  expect(produce(at(1), 't', 2, 10)).toMatchObject(elsewhere)
  expect(fetch(at(1), 't', 2, { version: 16 })).toMatchObject(elsewhere)
  for (const older of [produce(at(1), 't', 2, 9), fetch(at(1), 't', 2, { version: 15 })]) {
    expect(older).toMatchObject({ errorCode: notLeader, endpoints: [] })
    expect(older.currentLeader).toBeUndefined()
  }
})

test('a replica that does not lead gives records from Fetch v11 on, and takes none', async () => {
  const { at } = open()
  produce(at(1), 'r', 0)
  expect(fetch(at(2), 'r', 0, { version: 11 })).toMatchObject({ errorCode: 0, highWatermark: 2 })
  expect(fetch(at(2), 'r', 0, { version: 10 }).errorCode).toBe(notLeader)
  expect(fetch(at(3), 'r', 0, { version: 11 }).errorCode).toBe(notLeader)
  expect(produce(at(2), 'r', 0).errorCode).toBe(notLeader)
  expect((await listOffsets(at(2), 'r', -1))?.errorCode).toBe(notLeader)
})

test('a move makes the epoch rise, and who believes in another one is told', async () => {
  const { broker, at } = open()
  produce(at(1), 'r', 0)
  broker.cluster.reassign('r', 0, [2, 3])
  expect(broker.topics.placement('r', 0)).toMatchObject({ leaderId: 2, leaderEpoch: 1 })
  expect(produce(at(1), 'r', 0).errorCode).toBe(notLeader)
  expect(produce(at(2), 'r', 0).baseOffset).toBe(2)
  const { records } = fetch(at(2), 'r', 0, { fetchOffset: 2 })
  expect(partitionLeaderEpochOf(records as Buffer)).toBe(1)
  expect([...decodeBatch(records as Buffer)]).toHaveLength(2)

  for (const [epoch, code] of [
    [-1, 0],
    [0, fenced],
    [1, 0],
    [2, unknownEpoch],
  ] as const) {
    expect(fetch(at(2), 'r', 0, { currentLeaderEpoch: epoch }).errorCode).toBe(code)
    expect((await listOffsets(at(2), 'r', -1, epoch))?.errorCode).toBe(code)
    expect(epochEnd(at(2), 'r', 0, epoch)?.errorCode).toBe(code)
  }
  // The epoch is looked at before the leader.
  const atFollower = { version: 16, currentLeaderEpoch: 0 }
  expect(fetch(at(3), 'r', 0, atFollower)).toMatchObject({
    errorCode: fenced,
    currentLeader: { leaderId: 2, leaderEpoch: 1 },
  })
  expect(epochEnd(at(2), 'r', 0)).toMatchObject({ leaderEpoch: 0, endOffset: 2 })
  expect(epochEnd(at(2), 'r', 1)).toMatchObject({ leaderEpoch: 1, endOffset: 4 })
  expect(await listOffsets(at(2), 'r', -1)).toMatchObject({ offset: 4, leaderEpoch: 1 })
  expect(await listOffsets(at(2), 'r', -2)).toMatchObject({ offset: 0, leaderEpoch: 0 })
})

test('a reader that is beyond the end of its epoch is told where that ended', () => {
  const { broker, at } = open()
  produce(at(1), 'r', 0)
  broker.cluster.reassign('r', 0, [2, 1])
  broker.cluster.reassign('r', 0, [2, 1], 2)
  produce(at(2), 'r', 0)
  const read = (fetchOffset: number, lastFetchedEpoch: number) =>
    fetch(at(2), 'r', 0, { version: 12, fetchOffset, lastFetchedEpoch })
  expect(read(2, 0)).toMatchObject({ errorCode: 0, highWatermark: 4 })
  expect(read(2, 0).divergingEpoch).toBeUndefined()
  expect(read(3, 0).divergingEpoch).toEqual({ epoch: 0, endOffset: 2 })
  expect(read(3, 0).records).toHaveLength(0)
  expect(read(4, 1).divergingEpoch).toBeUndefined()
  expect(read(4, 2).errorCode).toBe(1)
})

test('a parked fetch is answered at once when its partition moves, and not when another does', async () => {
  const { broker, at, clock } = open()
  const request = { ...fetchRequest('t', 0), maxWaitMs: 10_000 }
  let answer: FetchResponse | null = null
  void Promise.resolve(handleFetch(request, callOf(10), at(1))).then((response) => {
    answer = response
  })
  broker.cluster.reassign('t', 1, [3])
  await clock.advanceAsync(100)
  expect(answer).toBeNull()
  broker.cluster.reassign('t', 0, [2])
  await clock.advanceAsync(0)
  expect(answer).toMatchObject({ responses: [{ partitions: [{ errorCode: notLeader }] }] })
  expect(clock.elapsedMs).toBe(100)
})

test('Metadata tells all nodes, and of each partition its leader, epoch and replicas', () => {
  const { broker, at } = open()
  broker.cluster.reassign('t', 0, [3, 1])
  broker.cluster.reassign('t', 0, [3, 1], 3)
  const request = {
    topics: [{ name: 't', topicId: zeroUuid }],
    allowAutoTopicCreation: true,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
  const [first, ...others] = [1, 2, 3].map(
    (nodeId) => handleMetadata(request, callOf(12), at(nodeId)) as MetadataResponse,
  )
  expect(first?.brokers).toEqual(nodesOf(3))
  expect(first?.topics[0]?.partitions).toMatchObject([
    { leaderId: 3, leaderEpoch: 1, replicaNodes: [3, 1], isrNodes: [3, 1] },
    { leaderId: 2, leaderEpoch: 0, replicaNodes: [2] },
    { leaderId: 3, leaderEpoch: 0, replicaNodes: [3] },
  ])
  for (const other of others) expect(other).toEqual(first)
})

const creation = (name: string, change: object = {}) => ({
  topics: [
    { name, numPartitions: 6, replicationFactor: 1, assignments: [], configs: [], ...change },
  ],
  timeoutMs: 0,
  validateOnly: false,
})
const assigned = (...replicas: number[][]) => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
})

test('a new topic is spread over the nodes, with as many replicas as there are nodes at most', async () => {
  const { broker } = open()
  const create = async (name: string, change: object = {}) =>
    (await handleCreateTopics(creation(name, change), callOf(7), broker))?.topics[0]
  const placements = (name: string) =>
    Array.from({ length: broker.topics.get(name)?.partitionCount ?? 0 }, (_, index) =>
      broker.topics.placement(name, index),
    )
  await create('one')
  expect(
    placements('one')
      .map(({ leaderId }) => leaderId)
      .toSorted((a, b) => a - b),
  ).toEqual([1, 1, 2, 2, 3, 3])
  expect(await create('three', { replicationFactor: 3 })).toMatchObject({ replicationFactor: 3 })
  for (const { replicas, leaderId } of placements('three')) {
    expect(new Set(replicas)).toEqual(new Set([1, 2, 3]))
    expect(replicas[0]).toBe(leaderId)
  }
  expect((await create('four', { replicationFactor: 4 }))?.errorCode).toBe(38)
  const byHand = assigned([3, 1], [1, 2])
  expect(await create('hand', byHand)).toMatchObject({ numPartitions: 2, replicationFactor: 2 })
  expect(placements('hand').map(({ replicas }) => replicas)).toEqual([
    [3, 1],
    [1, 2],
  ])
  for (const wrong of [assigned([4]), assigned([1, 1]), assigned([1, 2], [3]), assigned([])]) {
    expect((await create('wrong', wrong))?.errorCode).toBe(39)
  }
})

test('new partitions are spread on, or lie as assigned', async () => {
  const { broker } = open()
  broker.topics.create('p', 2, {}, broker.cluster.replicasFor('p', 2, 2))
  const grow = async (count: number, assignments: { brokerIds: number[] }[] | null) => {
    const request = { topics: [{ name: 'p', count, assignments }], timeoutMs: 0 }
    const response = await handleCreatePartitions(
      { ...request, validateOnly: false },
      callOf(3),
      broker,
    )
    return response?.results[0]?.errorCode
  }
  expect(await grow(6, null)).toBe(0)
  const all = Array.from({ length: 6 }, (_, index) => broker.topics.placement('p', index).replicas)
  expect(all).toEqual(broker.cluster.replicasFor('p', 6, 2))
  expect(await grow(7, [{ brokerIds: [3, 1] }])).toBe(0)
  expect(broker.topics.placement('p', 6)).toMatchObject({ leaderId: 3, replicas: [3, 1] })
  // Another number of replicas than the topic has, and too few assignments.
  expect(await grow(8, [{ brokerIds: [3] }])).toBe(39)
  expect(await grow(9, [{ brokerIds: [3, 1] }])).toBe(39)
})

test('a partition is moved on request: a leader stays while it is a replica, until one is elected', () => {
  const { broker } = open()
  const placed = () => broker.topics.placement('r', 0)
  expect(alter(broker, 'r', [3, 1])).toBe(0)
  expect(placed()).toMatchObject({ leaderId: 1, leaderEpoch: 0, replicas: [3, 1] })
  const elect = (topics: { topic: string; partitions: number[] }[] | null, electionType = 0) => {
    const request = { electionType, topicPartitions: topics, timeoutMs: 0 }
    const response = handleElectLeaders(request, callOf(2), broker)
    return (response as Awaited<typeof response>)?.replicaElectionResults.map(
      ({ topic, partitionResult }) => [topic, partitionResult.map(({ errorCode }) => errorCode)],
    )
  }
  expect(elect([{ topic: 'r', partitions: [0] }], 1)).toEqual([['r', [84]]])
  expect(elect(null)).toEqual([
    ['t', []],
    ['r', [0]],
  ])
  expect(placed()).toMatchObject({ leaderId: 3, leaderEpoch: 1 })
  expect(elect([{ topic: 'r', partitions: [0, 1] }])).toEqual([['r', [84, 3]]])
  expect(alter(broker, 'r', [2])).toBe(0)
  expect(placed()).toMatchObject({ leaderId: 2, leaderEpoch: 2, replicas: [2] })

  expect(alter(broker, 'r', [4])).toBe(39)
  expect(alter(broker, 'r', [])).toBe(39)
  expect(alter(broker, 'r', [1, 1])).toBe(39)
  expect(alter(broker, 'r', null)).toBe(85)
  expect(alter(broker, 'r', [1], { partitionIndex: 1 })).toBe(3)
  expect(alter(broker, 'none', [1])).toBe(3)
  expect(alter(broker, 'r', [1, 2], { allowReplicationFactorChange: false })).toBe(38)
  expect(placed()).toMatchObject({ leaderId: 2, leaderEpoch: 2, replicas: [2] })
})

test('placements and epochs are found again, and nodes that are no more give up what they had', () => {
  const folder = tempFolder()
  const settings = parseSettings()
  const session = (count: number) => {
    const log = (): void => {}
    const store = diskStore({ folder, segmentBytes: 1_000, log })
    const topics = new Topics({ store, settings, clock: new ManualClock(), log })
    const cluster = new Cluster({ nodes: nodesOf(count), topics, groups: { handOver: log } })
    const end = (): void => {
      topics.close()
      store.close()
    }
    return { topics, cluster, end }
  }
  const first = session(3)
  first.topics.create('t', 4, {}, [[1, 2], [2, 3], [3], [1]])
  first.topics.partition('t', 2)?.append(batchOf(5), 0)
  first.cluster.reassign('t', 0, [2, 3])
  first.end()

  const again = session(3)
  expect(again.topics.placement('t', 0)).toMatchObject({ leaderId: 2, leaderEpoch: 1 })
  expect(again.topics.placement('t', 2)).toMatchObject({ leaderId: 3, leaderEpoch: 0 })
  again.end()

  const smaller = session(2)
  const rows = [0, 1, 2, 3].map((index) => smaller.topics.placement('t', index))
  expect(rows[0]).toMatchObject({ leaderId: 2, leaderEpoch: 1, replicas: [2] })
  expect(rows[1]).toMatchObject({ leaderId: 2, leaderEpoch: 0, replicas: [2] })
  expect(rows[2]).toMatchObject({ leaderEpoch: 1, epochs: [{}, { epoch: 1, startOffset: 5 }] })
  expect(rows[2]?.leaderId).toBeLessThan(3)
  expect(rows[3]).toMatchObject({ leaderId: 1, leaderEpoch: 0 })
  smaller.end()
})

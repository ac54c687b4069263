import { afterEach, beforeEach, expect, it } from 'vitest'
import { batchOf } from '../../../test/support/batches.ts'
import { callOf, dataContext } from '../../../test/support/broker-context.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { BrokerContext } from '../context.ts'
import { GroupCoordinator } from '../group/coordinator.ts'
import { memoryJournal } from '../store/journal.ts'
import { handleCreatePartitions } from './create-partitions.ts'
import { handleDeleteTopics } from './delete-topics.ts'
import { handleDescribeCluster } from './describe-cluster.ts'
import { handleDescribeConfigs } from './describe-configs.ts'
import { handleDescribeGroups } from './describe-groups.ts'
import { handleFetch } from './fetch.ts'
import { handleIncrementalAlterConfigs } from './incremental-alter-configs.ts'
import { handleInitProducerId } from './init-producer-id.ts'
import { handleListOffsets } from './list-offsets.ts'
import { handleMetadata } from './metadata.ts'
import { handleOffsetCommit } from './offset-commit.ts'
import { handleOffsetDelete } from './offset-delete.ts'
import { handleProduce } from './produce.ts'

/** Odd requests, answered as Apache Kafka 4.3 was seen to answer them (test/conformance). */

let broker: BrokerContext

beforeEach(() => {
  const { broker: context, clock } = dataContext({ settings: { 'log.retention.ms': '5000' } })
  const groups = new GroupCoordinator({
    settings: context.settings,
    clock,
    journal: memoryJournal(),
    log: () => {},
  })
  broker = { ...context, groups }
  broker.topics.create('a', 2)
})

afterEach(() => broker.groups.close())

it('an endpoint type that is refused is not repeated', async () => {
  const request = {
    endpointType: 2,
    includeClusterAuthorizedOperations: false,
    includeFencedBrokers: false,
  }
  const answer = await handleDescribeCluster(request, callOf(1), broker)
  expect(answer).toMatchObject({ errorCode: 114 })
  expect(answer).not.toHaveProperty('endpointType')
})

it('a topic that is to be deleted twice in one request is refused once', async () => {
  const request = { topics: [], topicNames: ['a', 'a', 'nope'], timeoutMs: 1 }
  const answer = await handleDeleteTopics(request, callOf(3), broker)
  expect(answer?.responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
    ['a', 42],
    ['nope', 3],
  ])
  expect(broker.topics.get('a')).not.toBeNull()
})

it('a topic that is to grow twice in one request is refused once', async () => {
  const wish = (name: string, count: number) => ({ name, count, assignments: null })
  const topics = [wish('a', 3), wish('a', 4), wish('nope', 2)]
  const request = { topics, timeoutMs: 1, validateOnly: false }
  const answer = await handleCreatePartitions(request, callOf(1), broker)
  expect(answer?.results).toEqual([
    { name: 'a', errorCode: 42, errorMessage: 'Duplicate topic name.' },
    { name: 'nope', errorCode: 3, errorMessage: null },
  ])
  expect(broker.topics.get('a')?.partitionCount).toBe(2)
})

it('configs tell where their values are from, with an empty message and the width of numbers', async () => {
  const about = (resourceType: number, resourceName: string, key: string) => ({
    resources: [{ resourceType, resourceName, configurationKeys: [key] }],
    includeSynonyms: false,
    includeDocumentation: false,
  })
  const first = async (resourceType: number, resourceName: string, key: string) => {
    const request = about(resourceType, resourceName, key)
    return (await handleDescribeConfigs(request, callOf(3), broker))?.results[0]
  }
  expect(await first(2, 'a', 'retention.ms')).toMatchObject({
    errorMessage: '',
    configs: [{ value: '5000', configSource: 4 }],
  })
  expect(await first(2, 'a', 'segment.bytes')).toMatchObject({ configs: [{ configSource: 5 }] })
  expect(await first(4, '1', 'message.max.bytes')).toMatchObject({ configs: [{ configType: 3 }] })
  expect(await first(4, '1', 'log.retention.ms')).toMatchObject({ configs: [{ configType: 5 }] })
})

it('a config that is set to null is an invalid request', async () => {
  const configs = [{ name: 'retention.ms', configOperation: 0, value: null }]
  const request = {
    resources: [{ resourceType: 2, resourceName: 'a', configs }],
    validateOnly: false,
  }
  const answer = await handleIncrementalAlterConfigs(request, callOf(1), broker)
  expect(answer?.responses).toMatchObject([{ errorCode: 42 }])
})

it('a producer id without an epoch, or an epoch without an id, is an invalid request', async () => {
  const ask = (producerId: number, producerEpoch: number) =>
    handleInitProducerId(
      { transactionalId: null, transactionTimeoutMs: 1_000, producerId, producerEpoch },
      callOf(3),
      broker,
    )
  expect(await ask(5, -1)).toMatchObject({ errorCode: 42, producerEpoch: -1 })
  expect(await ask(-1, 0)).toMatchObject({ errorCode: 42 })
  expect(await ask(5, 0)).toMatchObject({ errorCode: 0 })
})

const produce = (records: Buffer) =>
  handleProduce(
    {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1,
      topicData: [{ name: 'a', partitionData: [{ index: 0, records }] }],
    },
    callOf(7),
    broker,
  )

it('a new batch has base offset 0', async () => {
  const code = async (baseOffset: number) =>
    (await produce(batchOf(1, { baseOffset })))?.responses[0]?.partitionResponses[0]?.errorCode
  expect(await code(7)).toBe(87)
  expect(await code(0)).toBe(0)
})

it('a partition that is listed twice is refused once', async () => {
  const partition = (partitionIndex: number) => ({
    partitionIndex,
    currentLeaderEpoch: -1,
    timestamp: -1,
  })
  const topics = [{ name: 'a', partitions: [partition(0), partition(1), partition(0)] }]
  const request = { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 1 }
  const answer = await handleListOffsets(request, callOf(5), broker)
  expect(answer?.topics[0]?.partitions).toMatchObject([
    { partitionIndex: 0, errorCode: 42 },
    { partitionIndex: 1, errorCode: 0 },
  ])
})

it('records of an epoch that never was are out of range, and no topic has no aborted transactions', async () => {
  await produce(batchOf(1))
  const fetch = async (partition: number, lastFetchedEpoch: number) => {
    const wanted = {
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: 0,
      lastFetchedEpoch,
      logStartOffset: -1,
      partitionMaxBytes: 1_000,
      replicaDirectoryId: zeroUuid,
    }
    const answer = await handleFetch(
      {
        clusterId: null,
        replicaId: -1,
        replicaState: { replicaId: -1, replicaEpoch: -1 },
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 1_000,
        isolationLevel: 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [{ topic: 'a', topicId: zeroUuid, partitions: [wanted] }],
        forgottenTopicsData: [],
        rackId: '',
      },
      callOf(12),
      broker,
    )
    return answer?.responses[0]?.partitions[0]
  }
  expect(await fetch(0, 0)).toMatchObject({ errorCode: 0, abortedTransactions: null })
  expect(await fetch(0, 5)).toMatchObject({ errorCode: 1, abortedTransactions: null })
  expect(await fetch(9, 0)).toMatchObject({ errorCode: 3, abortedTransactions: [] })
})

it('before version 12 topics cannot be asked for by id, and nothing is told of the cluster', async () => {
  const topicId = broker.topics.get('a')?.id ?? zeroUuid
  const ask = (version: number) =>
    handleMetadata(
      {
        topics: [{ topicId, name: '' }],
        allowAutoTopicCreation: false,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      },
      callOf(version),
      broker,
    )
  expect(await ask(10)).toEqual({
    brokers: [],
    topics: [{ errorCode: 42, name: '', topicId, isInternal: false, partitions: [] }],
    errorCode: 42,
  })
  expect(await ask(12)).toMatchObject({ topics: [{ errorCode: 0, name: 'a' }] })
})

it('what may be done with a group is told where it is asked for', async () => {
  const ask = async (includeAuthorizedOperations: boolean) => {
    const request = { groups: ['g'], includeAuthorizedOperations }
    return (await handleDescribeGroups(request, callOf(3), broker))?.groups[0]
  }
  expect(await ask(true)).toMatchObject({ groupState: 'Dead', authorizedOperations: 3_400 })
  expect(await ask(false)).not.toHaveProperty('authorizedOperations')
})

it('a commit of no partitions is not answered', async () => {
  const request = {
    groupId: 'g',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [{ name: 'a', partitions: [] }],
  }
  expect(await handleOffsetCommit(request, callOf(5), broker)).toEqual({ topics: [] })
})

it('offsets of the empty group are not deleted', async () => {
  const topics = [{ name: 'a', partitions: [{ partitionIndex: 0 }] }]
  const answer = await handleOffsetDelete({ groupId: '', topics }, callOf(0), broker)
  expect(answer).toEqual({ errorCode: 24, topics: [] })
})

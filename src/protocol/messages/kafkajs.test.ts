import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { type Api, decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../api.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../consumer-protocol.ts'
import { decodeRequestHeader, encodeRequestFrame } from '../header.ts'
import type { AnyCodec } from '../schema.ts'
import { type ApiName, apis } from './index.ts'

// kafkajs codes the protocol by hand and was never made from tables: what both agree on is likely right.

interface KafkajsMessage {
  request: { apiKey: number; apiVersion: number; encode(): Promise<{ buffer: Buffer }> }
  response: { decode(body: Buffer): Promise<unknown> }
}
interface KafkajsApi {
  versions: string[]
  protocol(options: { version: number }): (args: unknown) => KafkajsMessage
}
const require = createRequire(import.meta.url)
const kafkajs = {
  requests: require('kafkajs/src/protocol/requests/index.js').requests as Record<
    string,
    KafkajsApi
  >,
  frame: require('kafkajs/src/protocol/request.js') as (
    options: Record<string, unknown>,
  ) => Promise<{ buffer: Buffer }>,
  blobs: require('kafkajs/src/consumer/assignerProtocol.js') as Record<
    'MemberMetadata' | 'MemberAssignment',
    { encode(value: unknown): Buffer; decode(blob: Buffer): unknown }
  >,
}

const blob = Buffer.from('blob')
const timestamp = '1700000000000'

/** What kafkajs is asked to encode, and what we must read in the highest version that both know. */
const requestCases: Partial<Record<ApiName, { args: unknown; expected: unknown }>> = {
  Produce: {
    args: {
      acks: -1,
      timeout: 30_000,
      transactionalId: 'tx',
      topicData: [
        {
          topic: 't',
          partitions: [{ partition: 3, messages: [{ key: 'k', value: 'v', timestamp }] }],
        },
      ],
    },
    expected: {
      transactionalId: 'tx',
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: 't', partitionData: [{ index: 3, records: expect.any(Buffer) }] }],
    },
  },
  Fetch: {
    args: {
      replicaId: -1,
      maxWaitTime: 5_000,
      minBytes: 1,
      maxBytes: 1_024,
      isolationLevel: 1,
      sessionId: 8,
      sessionEpoch: 9,
      rackId: 'r',
      topics: [
        {
          topic: 't',
          partitions: [{ partition: 3, currentLeaderEpoch: 4, fetchOffset: '5', maxBytes: 6 }],
        },
      ],
    },
    expected: {
      replicaId: -1,
      maxWaitMs: 5_000,
      minBytes: 1,
      maxBytes: 1_024,
      isolationLevel: 1,
      sessionId: 8,
      sessionEpoch: 9,
      rackId: 'r',
      topics: [
        {
          topic: 't',
          partitions: [
            {
              partition: 3,
              currentLeaderEpoch: 4,
              fetchOffset: 5,
              lastFetchedEpoch: -1,
              logStartOffset: -1,
              partitionMaxBytes: 6,
            },
          ],
        },
      ],
      forgottenTopicsData: [],
      clusterId: null,
    },
  },
  ListOffsets: {
    args: {
      replicaId: -1,
      isolationLevel: 1,
      topics: [{ topic: 't', partitions: [{ partition: 3, timestamp: -2 }] }],
    },
    expected: {
      replicaId: -1,
      isolationLevel: 1,
      topics: [
        { name: 't', partitions: [{ partitionIndex: 3, currentLeaderEpoch: -1, timestamp: -2 }] },
      ],
      timeoutMs: 0,
    },
  },
  Metadata: {
    args: { topics: ['t', 'u'], allowAutoTopicCreation: false },
    expected: { topics: [{ name: 't' }, { name: 'u' }], allowAutoTopicCreation: false },
  },
  OffsetCommit: {
    args: {
      groupId: 'g',
      groupGenerationId: 2,
      memberId: 'm',
      topics: [{ topic: 't', partitions: [{ partition: 3, offset: '4' }] }],
    },
    expected: {
      groupId: 'g',
      generationIdOrMemberEpoch: 2,
      memberId: 'm',
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [
        {
          name: 't',
          partitions: [
            {
              partitionIndex: 3,
              committedOffset: 4,
              committedLeaderEpoch: -1,
              committedMetadata: null,
            },
          ],
        },
      ],
    },
  },
  OffsetFetch: {
    args: {
      groupId: 'g',
      topics: [{ topic: 't', partitions: [{ partition: 0 }, { partition: 1 }, { partition: 2 }] }],
    },
    expected: {
      groupId: 'g',
      topics: [{ name: 't', partitionIndexes: [0, 1, 2] }],
      groups: [],
      requireStable: false,
    },
  },
  FindCoordinator: {
    args: { groupId: 'g', coordinatorType: 1 },
    expected: { key: 'g', keyType: 1, coordinatorKeys: [] },
  },
  JoinGroup: {
    args: {
      groupId: 'g',
      sessionTimeout: 10_000,
      rebalanceTimeout: 60_000,
      memberId: 'm',
      protocolType: 'consumer',
      groupProtocols: [{ name: 'range', metadata: blob }],
    },
    expected: {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId: 'm',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: blob }],
      reason: null,
    },
  },
  Heartbeat: {
    args: { groupId: 'g', groupGenerationId: 2, memberId: 'm', groupInstanceId: 'i' },
    expected: { groupId: 'g', generationId: 2, memberId: 'm', groupInstanceId: 'i' },
  },
  LeaveGroup: {
    args: { groupId: 'g', memberId: 'm', groupInstanceId: 'i' },
    expected: {
      groupId: 'g',
      memberId: '',
      members: [{ memberId: 'm', groupInstanceId: 'i', reason: null }],
    },
  },
  SyncGroup: {
    args: {
      groupId: 'g',
      generationId: 2,
      memberId: 'm',
      groupInstanceId: 'i',
      groupAssignment: [{ memberId: 'm', memberAssignment: blob }],
    },
    expected: {
      groupId: 'g',
      generationId: 2,
      memberId: 'm',
      groupInstanceId: 'i',
      protocolType: null,
      protocolName: null,
      assignments: [{ memberId: 'm', assignment: blob }],
    },
  },
  DescribeGroups: {
    args: { groupIds: ['g', 'h'] },
    expected: { groups: ['g', 'h'], includeAuthorizedOperations: false },
  },
  ListGroups: { args: undefined, expected: { statesFilter: [], typesFilter: [] } },
  SaslHandshake: { args: { mechanism: 'PLAIN' }, expected: { mechanism: 'PLAIN' } },
  ApiVersions: { args: undefined, expected: { clientSoftwareName: '', clientSoftwareVersion: '' } },
  CreateTopics: {
    args: {
      timeout: 5_000,
      validateOnly: true,
      topics: [
        {
          topic: 't',
          numPartitions: 3,
          replicationFactor: 1,
          replicaAssignment: [{ partition: 0, replicas: [1] }],
          configEntries: [{ name: 'retention.ms', value: '1' }],
        },
      ],
    },
    expected: {
      timeoutMs: 5_000,
      validateOnly: true,
      topics: [
        {
          name: 't',
          numPartitions: 3,
          replicationFactor: 1,
          assignments: [{ partitionIndex: 0, brokerIds: [1] }],
          configs: [{ name: 'retention.ms', value: '1' }],
        },
      ],
    },
  },
  DeleteTopics: {
    args: { topics: ['t'], timeout: 5_000 },
    expected: { topics: [], topicNames: ['t'], timeoutMs: 5_000 },
  },
  DeleteRecords: {
    args: { topics: [{ topic: 't', partitions: [{ partition: 3, offset: '4' }] }], timeout: 5_000 },
    expected: {
      topics: [{ name: 't', partitions: [{ partitionIndex: 3, offset: 4 }] }],
      timeoutMs: 5_000,
    },
  },
  InitProducerId: {
    args: { transactionalId: 'tx', transactionTimeout: 7 },
    expected: { transactionalId: 'tx', transactionTimeoutMs: 7, producerId: -1, producerEpoch: -1 },
  },
  DescribeConfigs: {
    args: { includeSynonyms: true, resources: [{ type: 2, name: 't', configNames: ['a'] }] },
    expected: {
      includeSynonyms: true,
      includeDocumentation: false,
      resources: [{ resourceType: 2, resourceName: 't', configurationKeys: ['a'] }],
    },
  },
  CreatePartitions: {
    args: { topicPartitions: [{ topic: 't', count: 4, assignments: [[1], [1]] }], timeout: 7 },
    expected: {
      topics: [{ name: 't', count: 4, assignments: [{ brokerIds: [1] }, { brokerIds: [1] }] }],
      timeoutMs: 7,
      validateOnly: false,
    },
  },
  DeleteGroups: { args: ['g', 'h'], expected: { groupsNames: ['g', 'h'] } },
}

/** kafkajs' own name, where it differs. */
const kafkajsName = (name: ApiName): string =>
  name === 'FindCoordinator' ? 'GroupCoordinator' : name

const sharedCases = (Object.keys(requestCases) as ApiName[]).flatMap((name) => {
  const one: Api = apis[name]
  const known = (kafkajs.requests[kafkajsName(name)]?.versions ?? []).map(Number)
  return known
    .filter((version) => version >= one.minVersion && version <= one.maxVersion)
    .map((version, index, all) => ({ name, version, isHighest: index === all.length - 1 }))
})

const messageOf = (name: ApiName, version: number): KafkajsMessage => {
  const definition = kafkajs.requests[kafkajsName(name)]
  if (definition === undefined) throw new Error(`kafkajs has no ${name}`)
  return definition.protocol({ version })(requestCases[name]?.args)
}

describe('requests that kafkajs encoded', () => {
  it.each(sharedCases)('$name v$version', async ({ name, version, isHighest }) => {
    const { request } = messageOf(name, version)
    const { buffer } = await kafkajs.frame({ correlationId: 7, clientId: 'client', request })
    const frame = buffer.subarray(4)
    const header = decodeRequestHeader(frame, false)
    expect(header).toMatchObject({ apiKey: apis[name].key, apiVersion: version, correlationId: 7 })
    expect(header.clientId).toBe('client')
    const decoded = decodeRequest<Api>(apis[name], version, frame, header.bodyOffset)
    if (isHighest) expect(decoded).toMatchObject(requestCases[name]?.expected as object)
    const again = encodeRequestFrame<Api>(apis[name], version, header, decoded as never)
    expect(Buffer.concat(again).toString('hex')).toBe(buffer.toString('hex'))
  })
})

/** A value in which every number and string is there once, so that a field read at the wrong place shows. */
const distinct = (
  codec: AnyCodec,
  version: number,
  next: () => number,
  isNull: boolean,
): unknown => {
  const isNullable = codec.nullableFrom !== null && version >= codec.nullableFrom
  if (isNullable && isNull) return null
  if (codec.element !== undefined) {
    return [1, 2].map(() => distinct(codec.element as AnyCodec, version, next, isNull))
  }
  if (codec.fields !== undefined) {
    const present = Object.entries(codec.fields).filter(
      ([, { fromVersion, toVersion }]) => version >= fromVersion && version <= toVersion,
    )
    return Object.fromEntries(
      present.map(([name, field]) => [name, distinct(field.codec, version, next, isNull)]),
    )
  }
  if (codec.type === 'string') return `s${next()}`
  if (codec.type === 'bytes') return Buffer.from(`b${next()}`)
  if (codec.type === 'bool') return next() % 2 === 0
  return codec.type === 'records' ? Buffer.alloc(0) : next()
}

/** kafkajs adds these to what it read. */
const derivedKeys = new Set(['isDefault', 'error'])

const leaves = (value: unknown): string[] => {
  if (value === undefined) return []
  if (Buffer.isBuffer(value)) return value.length === 0 ? [] : [`bytes ${value.toString()}`]
  if (typeof value !== 'object' || value === null)
    return [`${value as string | number | boolean | null}`]
  const hasTwoThrottleTimes = 'clientSideThrottleTime' in value
  return Object.entries(value)
    .filter(([key]) => !derivedKeys.has(key) && !(hasTwoThrottleTimes && key === 'throttleTime'))
    .flatMap(([, inner]) => leaves(inner))
}

const withoutNull = (all: string[]): string[] => all.filter((leaf) => leaf !== 'null')

describe('responses that kafkajs decodes', () => {
  it.each(sharedCases)('$name v$version', async ({ name, version }) => {
    const one: Api = apis[name]
    for (const isNull of [false, true]) {
      let last = 40
      const response = distinct(one.response, version, () => ++last, isNull)
      const body = Buffer.concat(encodeResponse(one, version, response as never))
      const theirs = leaves(await messageOf(name, version).response.decode(body)).toSorted()
      // kafkajs reads null records and null arrays as empty ones.
      const ours = leaves(response).toSorted()
      if (isNull) expect(withoutNull(theirs)).toEqual(withoutNull(ours))
      else expect(theirs).toEqual(ours)
      expect(decodeResponse(one, version, body)).toMatchObject(response as object)
    }
  })
})

it('gives kafkajs the records of a fetch answer as they were produced', async () => {
  const { request } = messageOf('Produce', 7)
  const produced = decodeRequest(apis.Produce, 7, (await request.encode()).buffer)
  const records = produced.topicData[0]?.partitionData[0]?.records ?? null
  const partition = {
    partitionIndex: 3,
    errorCode: 0,
    highWatermark: 1,
    abortedTransactions: null,
    records,
  }
  const parts = encodeResponse(apis.Fetch, 11, {
    errorCode: 0,
    responses: [{ topic: 't', partitions: [partition] }],
  })
  expect(parts).toContain(records)
  const decoded = await messageOf('Fetch', 11).response.decode(Buffer.concat(parts))
  const message = { key: Buffer.from('k'), value: Buffer.from('v'), offset: '0', timestamp }
  expect(decoded).toMatchObject({
    responses: [{ topicName: 't', partitions: [{ partition: 3, messages: [message] }] }],
  })
})

const encodedMetadata = async (version: number, topics: string[]): Promise<Buffer> =>
  (await kafkajs.requests['Metadata']?.protocol({ version })({ topics }).request.encode())
    ?.buffer ?? Buffer.alloc(0)

it('reads null and empty topics of Metadata as kafkajs means them', async () => {
  expect(decodeRequest(apis.Metadata, 0, await encodedMetadata(0, [])).topics).toEqual([])
  expect(decodeRequest(apis.Metadata, 6, await encodedMetadata(6, [])).topics).toBeNull()
})

describe('consumer protocol', () => {
  const userData = Buffer.from('u')
  it('reads and writes subscriptions as kafkajs does', () => {
    const theirs = kafkajs.blobs.MemberMetadata.encode({ version: 1, topics: ['t', 'u'], userData })
    // kafkajs says version 1 and leaves out the owned partitions, so only version 0 is the same.
    expect(() => decodeSubscription(theirs)).toThrow('consumer subscription: ownedPartitions')
    const bytes = encodeSubscription(0, { topics: ['t', 'u'], userData })
    const asZero = kafkajs.blobs.MemberMetadata.encode({ version: 0, topics: ['t', 'u'], userData })
    expect(bytes).toEqual(asZero)
    expect(decodeSubscription(asZero)).toEqual({
      version: 0,
      value: { topics: ['t', 'u'], userData, ownedPartitions: [], generationId: -1, rackId: null },
    })
    expect(kafkajs.blobs.MemberMetadata.decode(bytes)).toMatchObject({
      topics: ['t', 'u'],
      userData,
    })
  })

  it('reads and writes assignments as kafkajs does', () => {
    const theirs = kafkajs.blobs.MemberAssignment.encode({
      version: 1,
      assignment: { t: [0, 2] },
      userData,
    })
    const value = { assignedPartitions: [{ topic: 't', partitions: [0, 2] }], userData }
    expect(decodeAssignment(theirs)).toEqual({ version: 1, value })
    expect(encodeAssignment(1, value)).toEqual(theirs)
  })

  it('reads a later version as the last one it knows', () => {
    const value = {
      topics: ['t'],
      userData: null,
      ownedPartitions: [{ topic: 't', partitions: [1] }],
      generationId: 4,
      rackId: 'r',
    }
    const later = Buffer.concat([encodeSubscription(3, value), Buffer.from('more')])
    later.writeInt16BE(9)
    expect(decodeSubscription(later)).toEqual({ version: 9, value })
  })

  it('refuses a negative version and no bytes at all', () => {
    expect(() => decodeSubscription(Buffer.from('ffff00000000', 'hex'))).toThrow('version -1')
    expect(() => decodeAssignment(Buffer.alloc(0))).toThrow('2 bytes missing at byte 0')
  })
})

/** kafkajs takes the end of the flexible header for a part of these bodies, and drops their messages. */
const askedOfTheBrokerInstead = new Set([
  'AlterPartitionReassignments',
  'ListPartitionReassignments',
])

it('covers every version that kafkajs and we both know', () => {
  const named = sharedCases.map(({ name, version }) => `${name} ${version}`)
  expect(named).toHaveLength(new Set(named).size)
  expect(named).toContain('JoinGroup 5')
  expect(named.length).toBeGreaterThanOrEqual(70)
  const kafkajsKeys = Object.keys(kafkajs.requests)
  for (const name of Object.keys(apis) as ApiName[]) {
    const isKnown = (kafkajs.requests[kafkajsName(name)]?.versions.length ?? 0) > 0
    if (isKnown && !askedOfTheBrokerInstead.has(name))
      expect(
        named.some((one) => one.startsWith(`${name} `)),
        name,
      ).toBe(true)
  }
  expect(kafkajsKeys).toContain('GroupCoordinator')
  expect(encodeRequest(apis.ListGroups, 0, {})).toEqual([])
})

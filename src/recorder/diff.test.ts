import { expect, test } from 'vitest'
import { type Difference, diffRecordings, formatDifferences } from './diff.ts'
import type { Exchange, PlainObject } from './exchange.ts'

interface Told {
  readonly api: string
  readonly request: PlainObject
  readonly response: PlainObject | null
  readonly clientId?: string
  readonly findings?: Exchange['findings']
}

const recording = (told: readonly Told[]): Exchange[] =>
  told.map(({ clientId = 'c', findings = [], ...one }, index) => ({
    connection: 1,
    node: 'n:1',
    clientId,
    apiKey: 0,
    version: 8,
    correlationId: index,
    requestedAtUs: index * 10,
    answeredAtUs: index * 10 + 5,
    requestBytes: 1,
    responseBytes: 1,
    findings,
    ...one,
  }))

const offsets = (...indexes: number[]): Told => ({
  api: 'OffsetFetch',
  request: {
    groups: [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0, 1, 2] }] }],
  },
  response: {
    throttleTimeMs: 0,
    groups: [
      {
        groupId: 'g',
        errorCode: 0,
        topics: [
          {
            name: 't',
            partitions: indexes.map((partitionIndex) => ({ partitionIndex, committedOffset: 5 })),
          },
        ],
      },
    ],
  },
})

/** A whole start, with the ids that one run gave. */
const start = (ids: {
  member: string
  topic: string
  group: string
  port: number
  node: number
}): Told[] => [
  {
    api: 'Metadata',
    request: { topics: [{ name: ids.topic }] },
    response: {
      brokers: [{ nodeId: ids.node, host: 'h', port: ids.port }],
      topics: [{ name: ids.topic, partitions: [{ partitionIndex: 0, leaderId: ids.node }] }],
    },
  },
  {
    api: 'JoinGroup',
    request: { groupId: ids.group, memberId: '' },
    response: { errorCode: 79, memberId: ids.member, leader: '', members: [] },
  },
  {
    api: 'JoinGroup',
    request: { groupId: ids.group, memberId: ids.member },
    response: {
      errorCode: 0,
      memberId: ids.member,
      leader: ids.member,
      members: [{ memberId: ids.member, metadata: { topics: [ids.topic] } }],
    },
  },
]

const diff = (a: readonly Told[], b: readonly Told[]): Difference[] =>
  diffRecordings(recording(a), recording(b))

test('ids, names, addresses and nodes compare by their role', () => {
  const a = start({ member: 'm-1', topic: 'x', group: 'g1', port: 1, node: 1 })
  const b = start({ member: 'm-2', topic: 'y', group: 'g2', port: 2, node: 0 })
  expect(diff(a, b)).toEqual([])
  expect(formatDifferences([])).toBe('no difference\n')
})

test('a member in another role is a difference', () => {
  const ids = { topic: 'x', group: 'g', port: 1, node: 1 }
  const [metadata, first, second] = start({ member: 'm', ...ids }) as [Told, Told, Told]
  const other = { ...second, response: { ...second.response, leader: 'someone else' } }
  const found = diff([metadata, first, second], [metadata, first, other])
  expect(found.map(({ field, number }) => [field, number])).toEqual([['response.leader', 2]])
})

test('OffsetFetch v8 that answers one partition of three', () => {
  const [first, ...rest] = diff([offsets(0, 1, 2)], [offsets(0)])
  expect(rest).toEqual([])
  expect(first).toMatchObject({
    api: 'OffsetFetch',
    number: 1,
    field: 'response.groups[groupId <group 1>].topics[name <topic 1>].partitions',
    a: '3 elements, only here: partitionIndex 1, partitionIndex 2',
    b: '1 elements',
  })
})

test('the order of partitions and of clients does not matter', () => {
  const a = [offsets(0, 1), { ...offsets(0), clientId: 'd' }]
  expect(diff(a, [{ ...offsets(0), clientId: 'd' }, offsets(1, 0)])).toEqual([])
})

test('error codes are named, and differences come in the order of A', () => {
  const answer = (errorCode: number): Told => ({
    api: 'LeaveGroup',
    request: {},
    response: { errorCode },
  })
  const found = diff([answer(0), offsets(0)], [answer(25), offsets(1)])
  expect(found.map(({ api, a, b }) => [api, a, b])).toEqual([
    ['LeaveGroup', '0 NONE', '25 UNKNOWN_MEMBER_ID'],
    ['OffsetFetch', expect.anything(), expect.anything()],
  ])
  const text = formatDifferences(found)
  expect(text).toMatch(/^first difference:\nc {2}LeaveGroup #1 .*response.errorCode\n/)
  expect(text).toContain('all 2:')
})

test('an exchange that one side lacks', () => {
  const found = diff([offsets(0), offsets(0)], [offsets(0)])
  expect(found).toMatchObject([{ field: 'number of requests', a: '2', b: '1' }])
})

test('an answer that does not decode', () => {
  const findings: Exchange['findings'] = [
    { level: 'broken', code: 'undecodable', message: 'm', field: 'f', offset: 1, text: 't' },
  ]
  const broken = { ...offsets(0), findings, response: { opaque: 'ff', sizeBytes: 1 } }
  expect(diff([offsets(0)], [broken]).map(({ field }) => field)).toContain('faults')
})

const fetched = (count: number, errorCode = 0): Told => ({
  api: 'Fetch',
  request: { topics: [{ topic: 't' }] },
  response: {
    errorCode: 0,
    responses: [
      {
        topic: 't',
        partitions: [{ partitionIndex: 0, errorCode, records: { batches: 1, records: count } }],
      },
    ],
  },
})

test('fetches compare by records per partition and errors, however many there were', () => {
  expect(diff([fetched(3), fetched(2)], [fetched(0), fetched(4), fetched(1)])).toEqual([])
  expect(diff([fetched(3)], [fetched(2)])).toMatchObject([
    { field: 'records.<topic 1>-0', a: '3', b: '2' },
  ])
  expect(diff([fetched(0)], [fetched(0, 6)])).toMatchObject([
    { field: 'errors', a: 'NONE', b: 'NONE, NOT_LEADER_OR_FOLLOWER' },
  ])
})

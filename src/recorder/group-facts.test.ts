import { expect, test } from 'vitest'
import type { Exchange, PlainObject } from './exchange.ts'
import { explain } from './explain.ts'
import { generationsOf, groupFactsOf } from './group-facts.ts'

/** Exchanges one millisecond apart, each answered in half of one. */
const recorded = () => {
  const exchanges: Exchange[] = []
  const add = (
    clientId: string,
    api: string,
    request: PlainObject,
    response: PlainObject | null,
  ): Exchange => {
    const requestedAtUs = 1_000 * (exchanges.length + 1)
    const exchange: Exchange = {
      connection: clientId.charCodeAt(0) - 96,
      node: 'n:1',
      clientId,
      api,
      apiKey: 0,
      version: 3,
      correlationId: 1,
      requestedAtUs,
      answeredAtUs: response === null ? null : requestedAtUs + 500,
      requestBytes: 10,
      responseBytes: response === null ? null : 10,
      request: { groupId: 'g', ...request },
      response,
      findings: [],
    }
    exchanges.push(exchange)
    return exchange
  }
  const join = (clientId: string, asked: string, response: PlainObject | null): Exchange =>
    add(clientId, 'JoinGroup', { memberId: asked, sessionTimeoutMs: 10_000 }, response)
  const joined = (clientId: string, generationId: number, roster: readonly string[] = []) =>
    join(clientId, clientId, {
      errorCode: 0,
      generationId,
      protocolName: 'range',
      leader: 'a',
      memberId: clientId,
      members: roster.map((memberId) => ({ memberId, metadata: {} })),
    })
  const owning = (...partitions: number[]): PlainObject => ({
    version: 0,
    assignedPartitions: [{ topic: 't', partitions }],
    sizeBytes: 20,
  })
  const synced = (clientId: string, generationId: number, assignment: PlainObject, given = {}) => {
    const assignments = Object.entries<PlainObject>(given).map(([memberId, one]) => ({
      memberId,
      assignment: one,
    }))
    const request = { memberId: clientId, generationId, assignments }
    return add(clientId, 'SyncGroup', request, { errorCode: 0, assignment })
  }
  return { exchanges, add, join, joined, owning, synced }
}

test('a group in two generations as facts', () => {
  const { exchanges, add, join, joined, owning, synced } = recorded()
  join('a', '', { errorCode: 79, generationId: -1, leader: '', memberId: 'a', members: [] })
  joined('a', 1, ['a'])
  synced('a', 1, owning(0, 1), { a: owning(0, 1) })
  add('a', 'Heartbeat', { memberId: 'a', generationId: 1 }, { errorCode: 27 })
  joined('b', 2)
  joined('a', 2, ['a', 'b'])
  synced('b', 2, { opaque: '', sizeBytes: 0 })
  synced('a', 2, owning(0), { a: owning(0), b: owning(1) })
  add('x', 'Heartbeat', { groupId: 'other', memberId: 'x', generationId: 1 }, { errorCode: 0 })
  join('c', '', null)
  const leaving = [{ memberId: 'a' }, { memberId: 'c' }]
  add(
    'a',
    'LeaveGroup',
    { members: leaving },
    {
      errorCode: 0,
      members: [{ errorCode: 0 }, { errorCode: 25 }],
    },
  )

  const facts = groupFactsOf(exchanges, 'g')
  expect(facts.map(({ kind, memberId, errorCode }) => [kind, memberId, errorCode])).toEqual([
    ['join', 'a', 79],
    ['join', 'a', 0],
    ['sync', 'a', 0],
    ['heartbeat', 'a', 27],
    ['join', 'b', 0],
    ['join', 'a', 0],
    ['sync', 'b', 0],
    ['sync', 'a', 0],
    ['join', '', null],
    ['leave', 'a', 0],
    ['leave', 'c', 25],
  ])
  expect(facts[0]).toMatchObject({ askedMemberId: '', generationId: null, leader: null })
  expect(facts[1]).toMatchObject({ rebalanceTimeoutMs: 10_000, roster: ['a'] })
  expect(generationsOf(facts)).toEqual([
    {
      generationId: 1,
      leader: 'a',
      protocolName: 'range',
      beganAtUs: 2_500,
      syncedAtUs: 3_500,
      members: ['a'],
      owned: new Map([['a', [{ topic: 't', partitions: [0, 1] }]]]),
    },
    {
      generationId: 2,
      leader: 'a',
      protocolName: 'range',
      beganAtUs: 5_500,
      syncedAtUs: 8_500,
      members: ['b', 'a'],
      owned: new Map([
        ['b', []],
        ['a', [{ topic: 't', partitions: [0] }]],
      ]),
    },
  ])
  const [, , firstSync] = facts
  expect(firstSync).toMatchObject({ given: new Map([['a', [{ topic: 't', partitions: [0, 1] }]]]) })
})

test('an answer that cannot be read has no error code, and an unknown assignment owns null', () => {
  const { exchanges, synced, add } = recorded()
  synced('a', 1, { opaque: 'ff', sizeBytes: 1 })
  add(
    'a',
    'SyncGroup',
    { memberId: 'a', generationId: 1, assignments: [] },
    { opaque: '', sizeBytes: 3 },
  )
  expect(groupFactsOf(exchanges, 'g')).toMatchObject([
    { errorCode: 0, owned: null, given: null },
    { errorCode: null, owned: null },
  ])
})

test('what tells most is explained first, each client’s first of a kind before any second', () => {
  const { exchanges, add, joined, synced } = recorded()
  for (let n = 0; n < 9; n++) {
    add('a', 'Heartbeat', { memberId: 'a', generationId: 1 }, { errorCode: 0 })
    add('b', 'Heartbeat', { memberId: 'b', generationId: 1 }, { errorCode: 25 })
  }
  joined('a', 1, ['a'])
  const marked = synced('b', 1, { opaque: '', sizeBytes: 0 })
  marked.findings.push({
    level: 'suspicious',
    code: 'empty-assignment',
    message: 'SyncGroup v3 response',
    field: 'assignment',
    offset: null,
    text: 'assignment: empty',
  })
  expect(explain(exchanges, { limit: 2 })).toEqual([
    'b, connection 2 to n:1',
    expect.stringContaining("Heartbeat v3  -> groupId='g' memberId='b'"),
    expect.stringContaining('<- 0.500 ms  UNKNOWN_MEMBER_ID'),
    expect.stringContaining('SyncGroup v3'),
    expect.stringContaining('<- 0.500 ms  ok'),
    expect.stringContaining('!! suspicious: SyncGroup v3 response: assignment: empty'),
    '18 more exchanges are not shown',
  ])
  const ofA = explain(exchanges, { clientIds: ['a'], apis: ['JoinGroup'], limit: 2 })
  expect(ofA).toEqual([
    'a, connection 1 to n:1',
    expect.stringContaining('JoinGroup'),
    expect.stringContaining('members=[{memberId='),
  ])
})

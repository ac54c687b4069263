import { expect, test } from 'vitest'
import type { Exchange, PlainObject } from './exchange.ts'
import { findingsOf } from './findings.ts'

/** A group's conversation, each message at its own millisecond. */
const conversation = () => {
  const exchanges: Exchange[] = []
  let atUs = 0
  const tick = (): number => {
    atUs += 1_000
    return atUs
  }
  const ask = (api: string, version: number, request: PlainObject): Exchange => {
    const exchange: Exchange = {
      connection: 1,
      node: 'n:1',
      clientId: 'c',
      api,
      apiKey: 0,
      version,
      correlationId: 1,
      requestedAtUs: tick(),
      answeredAtUs: null,
      requestBytes: 0,
      responseBytes: 0,
      request: { groupId: 'g', ...request },
      response: null,
      findings: [],
    }
    exchanges.push(exchange)
    return exchange
  }
  const answer = (exchange: Exchange, response: PlainObject): void => {
    exchange.response = { errorCode: 0, ...response }
    exchange.answeredAtUs = tick()
  }
  const join = (memberId: string, changes: PlainObject = {}): Exchange =>
    ask('JoinGroup', 5, {
      memberId,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      groupInstanceId: null,
      protocols: [{ name: 'range', metadata: { topics: ['t'] } }],
      ...changes,
    })
  /** `members` for the leader. */
  const joined = (
    exchange: Exchange,
    generationId: number,
    memberId: string,
    members: readonly string[] = [],
  ): void =>
    answer(exchange, {
      generationId,
      memberId,
      leader: 'a',
      members: members.map((id) => ({ memberId: id, metadata: { topics: ['t'] } })),
    })
  const sync = (generationId: number, memberId: string, given: PlainObject = {}): Exchange =>
    ask('SyncGroup', 3, {
      generationId,
      memberId,
      assignments: Object.entries(given).map(([id, assignment]) => ({ memberId: id, assignment })),
    })
  const wait = (ms: number): void => {
    atUs += ms * 1_000
  }
  const codes = (): string[] =>
    findingsOf(exchanges).flatMap((found) => found.map(({ code }) => code))
  return { exchanges, ask, answer, join, joined, sync, wait, codes }
}

type Conversation = ReturnType<typeof conversation>

const bytes = (sizeBytes: number): PlainObject => ({ sizeBytes })

/** Member a alone in generation 1, then b comes and both are in generation 2: as Kafka does it. */
const calmStart = (talk: Conversation): void => {
  const { ask, answer, join, joined, sync } = talk
  const first = join('')
  answer(first, { errorCode: 79, memberId: 'a', leader: '', generationId: -1, members: [] })
  joined(join('a'), 1, 'a', ['a'])
  answer(sync(1, 'a', { a: bytes(10) }), { assignment: bytes(10) })
  const firstOfB = join('')
  answer(firstOfB, { errorCode: 79, memberId: 'b', leader: '', generationId: -1, members: [] })
  const joinOfB = join('b')
  answer(ask('Heartbeat', 3, { generationId: 1, memberId: 'a' }), { errorCode: 27 })
  const rejoin = join('a')
  joined(joinOfB, 2, 'b')
  joined(rejoin, 2, 'a', ['a', 'b'])
  const syncOfB = sync(2, 'b')
  const syncOfA = sync(2, 'a', { a: bytes(10), b: bytes(20) })
  answer(syncOfB, { assignment: bytes(20) })
  answer(syncOfA, { assignment: bytes(10) })
}

test('a calm group has no findings', () => {
  const talk = conversation()
  calmStart(talk)
  expect(talk.codes()).toEqual([])
})

test('a leader without members', () => {
  const { join, joined, codes } = conversation()
  joined(join('a'), 1, 'a', [])
  expect(codes()).toEqual(['leader-without-members'])
})

test('an empty assignment, and one that is not what the leader gave', () => {
  const talk = conversation()
  calmStart(talk)
  talk.answer(talk.sync(2, 'b'), { assignment: bytes(0) })
  talk.answer(talk.sync(2, 'b'), { assignment: bytes(10) })
  expect(talk.codes()).toEqual(['empty-assignment', 'assignment-differs'])
})

test('an empty assignment is the leader’s doing when it knew of the member', () => {
  const { join, joined, sync, answer, codes } = conversation()
  const [a, b, c] = [join('a'), join('b'), join('c')]
  joined(a, 1, 'a', ['a', 'b'])
  joined(b, 1, 'b')
  joined(c, 1, 'c')
  answer(sync(1, 'a', { a: bytes(10) }), { assignment: bytes(10) })
  answer(sync(1, 'b'), { assignment: bytes(0) })
  expect(codes()).toEqual([])
  // The leader was not told of c.
  answer(sync(1, 'c'), { assignment: bytes(0) })
  expect(codes()).toEqual(['empty-assignment'])
})

test('a member id that changes on retry, static members excepted', () => {
  const { join, joined, codes } = conversation()
  joined(join('b'), 1, 'c')
  joined(join('d', { groupInstanceId: 'i' }), 1, 'e')
  expect(codes()).toEqual(['member-id-changed'])
})

const rejoinAsAsked = (talk: Conversation): [Exchange, Exchange] => {
  const { ask, answer, join } = talk
  for (const memberId of ['a', 'b']) {
    answer(ask('Heartbeat', 3, { generationId: 2, memberId }), { errorCode: 27 })
  }
  return [join('a'), join('b')]
}

test('a second generation without cause', () => {
  const talk = conversation()
  calmStart(talk)
  const [a, b] = rejoinAsAsked(talk)
  talk.joined(a, 3, 'a', ['a', 'b'])
  talk.joined(b, 3, 'b')
  expect(talk.codes()).toEqual(['generation-without-cause'])
})

test.each<[string, (talk: Conversation) => void]>([
  ['a leader that joins by itself', ({ join }) => void join('a')],
  ['a member that changed', ({ join }) => void join('b', { protocols: [] })],
  ['a member that came and went', ({ join }) => void join('')],
  ['a member that left', ({ ask }) => void ask('LeaveGroup', 3, { members: [{ memberId: 'x' }] })],
  ['a member that was silent', ({ wait }) => wait(10_000)],
])('%s is a cause for a generation', (_what, happen) => {
  const talk = conversation()
  calmStart(talk)
  happen(talk)
  const [a, b] = rejoinAsAsked(talk)
  talk.joined(a, 3, 'a', ['a', 'b'])
  talk.joined(b, 3, 'b')
  expect(talk.codes()).toEqual([])
})

test('a follower that is synced before the leader', () => {
  const { join, joined, sync, answer, codes } = conversation()
  const [a, b] = [join('a'), join('b')]
  joined(a, 1, 'a', ['a', 'b'])
  joined(b, 1, 'b')
  answer(sync(1, 'b'), { assignment: bytes(10) })
  expect(codes()).toEqual(['sync-before-leader'])
})

test('a new member that is let in before the old ones joined again', () => {
  const talk = conversation()
  calmStart(talk)
  talk.joined(talk.join('c'), 3, 'c')
  expect(talk.codes()).toEqual(['joined-before-others'])
})

test('a new member may be let in when the old ones had their time', () => {
  const talk = conversation()
  calmStart(talk)
  const join = talk.join('c')
  talk.wait(60_000)
  talk.joined(join, 3, 'c')
  expect(talk.codes()).toEqual([])
})

const partitionsOf = (...indexes: number[]): PlainObject[] =>
  indexes.map((partitionIndex) => ({ partitionIndex, committedOffset: 1, errorCode: 0 }))
const asked = [{ name: 't', partitionIndexes: [0, 1, 2] }]

test('offsets that were asked for and not answered, in both forms', () => {
  const { ask, answer, exchanges } = conversation()
  const topics = [{ name: 't', partitions: partitionsOf(0) }]
  answer(ask('OffsetFetch', 5, { topics: asked }), { topics })
  answer(ask('OffsetFetch', 5, { topics: asked }), { topics: [] })
  const groups = [{ groupId: 'g', topics: asked }]
  answer(ask('OffsetFetch', 8, { groups }), { groups: [{ groupId: 'g', errorCode: 0, topics }] })
  answer(ask('OffsetFetch', 8, { groups }), { groups: [] })
  expect(findingsOf(exchanges).map(([finding]) => finding?.field)).toEqual([
    'topics[0].partitions',
    'topics',
    'groups[0].topics[0].partitions',
    'groups',
  ])
})

test('whole answers, refusals and questions for all topics lack nothing', () => {
  const { ask, answer, codes } = conversation()
  const topics = [{ name: 't', partitions: partitionsOf(2, 1, 0) }]
  answer(ask('OffsetFetch', 5, { topics: asked }), { topics })
  answer(ask('OffsetFetch', 5, { topics: null }), { topics: [] })
  answer(ask('OffsetFetch', 5, { topics: asked }), { topics: [], errorCode: 16 })
  const groups = [{ groupId: 'g', topics: asked }]
  answer(ask('OffsetFetch', 8, { groups }), {
    groups: [{ groupId: 'g', errorCode: 25, topics: [] }],
  })
  expect(codes()).toEqual([])
})

test('a member that speaks again after its session is over is not waited for', () => {
  const talk = conversation()
  calmStart(talk)
  talk.wait(6_000)
  talk.answer(talk.ask('Heartbeat', 3, { memberId: 'a', generationId: 2 }), {})
  talk.wait(6_000)
  talk.answer(talk.ask('Heartbeat', 3, { memberId: 'b', generationId: 2 }), { errorCode: 25 })
  const again = talk.join('b2')
  const leader = talk.join('a')
  talk.joined(again, 3, 'b2')
  talk.joined(leader, 3, 'a', ['a', 'b2'])
  expect(talk.codes()).toEqual([])
})

test('nor is one whose commit is refused by the partition', () => {
  const talk = conversation()
  calmStart(talk)
  talk.wait(6_000)
  talk.answer(talk.ask('Heartbeat', 3, { memberId: 'a', generationId: 2 }), {})
  talk.wait(6_000)
  talk.answer(talk.ask('OffsetCommit', 5, { memberId: 'b', topics: [] }), {
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 25 }] }],
  })
  const again = talk.join('b2')
  const leader = talk.join('a')
  talk.joined(again, 3, 'b2')
  talk.joined(leader, 3, 'a', ['a', 'b2'])
  expect(talk.codes()).toEqual([])
})

test('a follower whose sync waits for the leader is not taken for one that has gone silent', () => {
  const talk = conversation()
  calmStart(talk)
  const third = talk.join('b')
  talk.joined(talk.join('a'), 3, 'a', ['a', 'b'])
  talk.joined(third, 3, 'b')
  const parked = talk.sync(3, 'b')
  talk.wait(6_000)
  talk.answer(talk.ask('Heartbeat', 3, { memberId: 'a', generationId: 3 }), {})
  talk.wait(6_000)
  talk.answer(parked, { errorCode: 27 })
  const again = talk.join('b')
  talk.joined(again, 4, 'b', ['b'])
  expect(talk.codes()).toEqual([])
})

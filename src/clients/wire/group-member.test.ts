import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { errorCode } from '../../protocol/errors.ts'
import { BrokerError, ConnectionError } from './errors.ts'
import { type Answer, GroupMember } from './group-member.ts'
import type { JoinAnswer, MemberAssignment, SyncAnswer } from './group-requests.ts'

/** A member whose coordinator is the test: what it asks is in `asked`, and `answer` answers the oldest question of a kind. */
const stage = () => {
  const clock = new ManualClock(0)
  const asked: string[] = []
  const open: Record<string, ((answer: Answer<never>) => void)[]> = {}
  const told: string[] = []
  const crashes: unknown[] = []
  let given: (() => void) | null = null
  const ask = (kind: string, text: string, done: unknown): void => {
    asked.push(text)
    open[kind] = [...(open[kind] ?? []), done as never]
  }
  const member = new GroupMember(
    {
      join: (memberId, generationId, done) => ask('join', `join ${memberId} ${generationId}`, done),
      assign: (_, done) => ask('assign', 'assign', done),
      sync: ({ memberId, generationId }, _, shares, done) =>
        ask('sync', `sync ${memberId} ${generationId} ${shares.length}`, done),
      heartbeat: ({ memberId, generationId }, done) =>
        ask('heartbeat', `heartbeat ${memberId} ${generationId}`, done),
    },
    {
      onRejoin: (done) => {
        told.push('rejoin')
        given = done
      },
      onLost: () => told.push('lost'),
      onAssigned: (assignment) => told.push(`assigned ${assignment.toString()}`),
      onCrash: (error) => crashes.push(error),
    },
    {
      heartbeatIntervalMs: 1_000,
      rebalanceTimeoutMs: 30_000,
      retries: 3,
      firstBackoffMs: 100,
      longestBackoffMs: 1_000,
    },
    clock,
  )
  const answer = (kind: string, value: unknown): void => {
    const done = open[kind]?.shift()
    if (done === undefined) throw new Error(`no ${kind} is open; asked: ${asked.join(', ')}`)
    done((value instanceof Error ? { error: value } : { value }) as Answer<never>)
  }
  const joined = (changes: Partial<JoinAnswer> = {}): void =>
    answer('join', {
      errorCode: 0,
      generationId: 1,
      leader: 'other',
      memberId: 'm1',
      protocolName: 'range',
      skipAssignment: false,
      members: [],
      ...changes,
    })
  const synced = (changes: Partial<SyncAnswer> = {}): void =>
    answer('sync', { errorCode: 0, assignment: Buffer.from('mine'), ...changes })
  /** A follower in generation 1. */
  const settle = (): void => {
    member.start()
    joined()
    synced()
    asked.length = 0
    told.length = 0
  }
  return {
    clock,
    member,
    asked,
    told,
    crashes,
    answer,
    joined,
    synced,
    settle,
    give: () => given?.(),
  }
}

test('is sent away with an id, comes back with it, syncs and is told what it has', () => {
  const { member, asked, told, joined, synced } = stage()
  member.start()
  joined({ errorCode: errorCode.MEMBER_ID_REQUIRED, memberId: 'm1', generationId: -1 })
  joined()
  synced()
  expect(asked).toEqual(['join  -1', 'join m1 -1', 'sync m1 1 0'])
  expect(told).toEqual(['assigned mine'])
  expect(member.isStable).toBe(true)
})

test('as leader it shares out before it syncs', () => {
  const { member, asked, joined, answer } = stage()
  member.start()
  joined({ leader: 'm1' })
  expect(asked.at(-1)).toBe('assign')
  const shares: MemberAssignment[] = [{ memberId: 'm1', assignment: Buffer.alloc(0) }]
  answer('assign', shares)
  expect(asked.at(-1)).toBe('sync m1 1 1')
})

test('beats while it waits for its assignment, and a word of a rebalance then means that one', () => {
  const { clock, member, asked, told, joined, answer, synced } = stage()
  member.start()
  joined()
  clock.advance(1_000)
  answer('heartbeat', errorCode.REBALANCE_IN_PROGRESS)
  clock.advance(1_000)
  expect(asked.filter((one) => one.startsWith('heartbeat'))).toHaveLength(2)
  synced()
  expect(told).toEqual(['assigned mine'])
})

test('told of a rebalance it joins once the host has given up what it must, and beats until then', () => {
  const { clock, asked, told, settle, answer, give, joined, synced } = stage()
  settle()
  clock.advance(1_000)
  answer('heartbeat', errorCode.REBALANCE_IN_PROGRESS)
  expect(told).toEqual(['rejoin'])
  clock.advance(1_000)
  answer('heartbeat', errorCode.REBALANCE_IN_PROGRESS)
  expect(told).toEqual(['rejoin'])
  expect(asked).not.toContain('join m1 1')
  give()
  expect(asked.at(-1)).toBe('join m1 1')
  const beats = asked.length
  clock.advance(5_000)
  expect(asked).toHaveLength(beats)
  joined({ generationId: 2 })
  synced()
  expect(told).toEqual(['rejoin', 'assigned mine'])
})

test('a host that does not come to an end is not waited for beyond the rebalance timeout', () => {
  const { clock, asked, settle, answer, give } = stage()
  settle()
  clock.advance(1_000)
  answer('heartbeat', errorCode.REBALANCE_IN_PROGRESS)
  for (let beat = 0; beat < 29; beat++) {
    clock.advance(1_000)
    answer('heartbeat', errorCode.REBALANCE_IN_PROGRESS)
  }
  expect(asked).not.toContain('join m1 1')
  clock.advance(1_000)
  expect(asked.filter((one) => one.startsWith('join'))).toEqual(['join m1 1'])
  give()
  expect(asked.filter((one) => one.startsWith('join'))).toHaveLength(1)
})

test.each([
  ['UNKNOWN_MEMBER_ID', 'join  -1'],
  ['ILLEGAL_GENERATION', 'join m1 -1'],
] as const)('%s: what it had is lost, and it joins again', (name, join) => {
  const { clock, asked, told, settle, answer } = stage()
  settle()
  clock.advance(1_000)
  answer('heartbeat', errorCode[name])
  expect(told).toEqual(['lost'])
  clock.advance(99)
  expect(asked.at(-1)).not.toBe(join)
  clock.advance(1)
  expect(asked.at(-1)).toBe(join)
})

test('a commit of an earlier generation says nothing of this one', () => {
  const { member, told, settle } = stage()
  settle()
  member.onCode(errorCode.ILLEGAL_GENERATION, { memberId: 'm1', generationId: 0 })
  expect(told).toEqual([])
  member.onCode(errorCode.REBALANCE_IN_PROGRESS, { memberId: 'm1', generationId: 1 })
  expect(told).toEqual(['rejoin'])
})

test.each(['FENCED_INSTANCE_ID', 'GROUP_AUTHORIZATION_FAILED'] as const)('%s ends it', (name) => {
  const { clock, asked, crashes, settle, answer } = stage()
  settle()
  clock.advance(1_000)
  answer('heartbeat', errorCode[name])
  expect(crashes).toEqual([new BrokerError(errorCode[name])])
  const before = asked.length
  clock.advance(60_000)
  expect(asked).toHaveLength(before)
})

test('a join that the group refuses for good ends it', () => {
  const { member, crashes, joined } = stage()
  member.start()
  joined({ errorCode: errorCode.INCONSISTENT_GROUP_PROTOCOL })
  expect(crashes).toEqual([new BrokerError(errorCode.INCONSISTENT_GROUP_PROTOCOL)])
})

test.each(['NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS'] as const)(
  '%s: asks again after longer and longer waits, and gives up in the end',
  (name) => {
    const { clock, member, asked, crashes, joined } = stage()
    member.start()
    for (const delayMs of [100, 200, 400]) {
      joined({ errorCode: errorCode[name] })
      const before = asked.length
      clock.advance(delayMs - 1)
      expect(asked).toHaveLength(before)
      clock.advance(1)
      expect(asked).toHaveLength(before + 1)
    }
    joined({ errorCode: errorCode[name] })
    expect(crashes).toEqual([new BrokerError(errorCode[name])])
  },
)

test('a lost connection is tried again; one answer makes up for the losses before it', () => {
  const { clock, crashes, settle, answer } = stage()
  const lost = new ConnectionError('closed', 'x:1', 'gone')
  settle()
  for (let round = 0; round < 3; round++) {
    clock.advance(1_000)
    for (const delayMs of [100, 200]) {
      answer('heartbeat', lost)
      clock.advance(delayMs)
    }
    answer('heartbeat', 0)
  }
  expect(crashes).toEqual([])
  clock.advance(1_000)
  for (const delayMs of [100, 200, 400]) {
    answer('heartbeat', lost)
    clock.advance(delayMs)
  }
  answer('heartbeat', lost)
  expect(crashes).toEqual([lost])
})

test('a sync into the next rebalance joins again at once, with what it has', () => {
  const { member, asked, told, joined, synced } = stage()
  member.start()
  joined()
  synced({ errorCode: errorCode.REBALANCE_IN_PROGRESS })
  expect(asked).toEqual(['join  -1', 'sync m1 1 0', 'join m1 1'])
  expect(told).toEqual([])
})

test('stopped, it neither asks nor listens', () => {
  const { clock, member, asked, told, joined } = stage()
  member.start()
  member.stop()
  joined()
  clock.advance(60_000)
  expect(asked).toEqual(['join  -1'])
  expect(told).toEqual([])
})

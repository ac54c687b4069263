import { expect, test } from 'vitest'
import { ManualClock } from '../../test/support/manual-clock.ts'
import type { Driver } from '../clients/driver.ts'
import { ConnectionError } from '../clients/wire/errors.ts'
import { encodeAssignment, encodeSubscription } from '../protocol/consumer-protocol.ts'
import type { MemberRequests } from './member-group-requests.ts'
import { type MemberEvent, type MemberOptionsInput, parseMemberOptions } from './member-protocol.ts'
import { ScriptedMember } from './member-scripted.ts'

/** A coordinator of one member that answers at once, and a reader that reads nothing. */
const stage = (given: Partial<MemberOptionsInput> = {}, leader = 'm1') => {
  const clock = new ManualClock(0)
  const options = parseMemberOptions({
    bootstrapServers: ['x:1'],
    topic: 't',
    groupId: 'g',
    clientId: 'c',
    script: {},
    ...given,
  })
  const events: MemberEvent[] = []
  const asked: string[] = []
  const answers = { heartbeat: 0, join: 0, sync: 0, generation: 1, leader }
  const commands: ((done: boolean) => void)[] = []
  const requests: MemberRequests = {
    joinInVain: (memberId) => {
      asked.push(`join ${memberId}`)
      return Promise.reject(new ConnectionError('closed', 'x:1', 'lost'))
    },
    join: (memberId) => {
      asked.push(`join ${memberId}`)
      const errorCode = answers.join
      const metadata = encodeSubscription(0, { topics: ['t'] })
      return Promise.resolve({
        throttleTimeMs: 0,
        errorCode,
        generationId: answers.generation,
        protocolType: null,
        protocolName: 'range',
        leader: answers.leader,
        skipAssignment: false,
        memberId: 'm1',
        members: [{ memberId: 'm1', groupInstanceId: null, metadata }],
      })
    },
    sync: (_, protocolName, assignments) => {
      asked.push(`sync ${assignments.length}`)
      const assignedPartitions = [{ topic: 't', partitions: [0, 1] }]
      return Promise.resolve({
        throttleTimeMs: 0,
        errorCode: answers.sync,
        protocolType: null,
        protocolName,
        assignment: encodeAssignment(0, { assignedPartitions }),
      })
    },
    heartbeat: () => {
      asked.push('heartbeat')
      return Promise.resolve(answers.heartbeat)
    },
    leave: (memberId) => {
      asked.push(`leave ${memberId}`)
      return Promise.resolve(0)
    },
    commit: (_, positions) => {
      asked.push(`commit ${JSON.stringify([...positions])}`)
      return Promise.resolve(0)
    },
    startPositions: (partitions) => Promise.resolve(new Map(partitions.map((one) => [one, 10]))),
    partitionsOf: () => Promise.resolve(new Map([['t', [0, 1]]])),
    close: () => void asked.push('close'),
  }
  const reader = { start: async () => {}, commit: async () => {}, close: async () => {} }
  const driver = { createReader: () => Promise.resolve(reader) } as unknown as Driver
  const link = {
    tell: (event: MemberEvent) => void events.push(event),
    commands: {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise<IteratorResult<{ type: 'commit' }>>((resolve) => {
            commands.push((done) =>
              resolve(done ? { done, value: undefined } : { done, value: { type: 'commit' } }),
            )
          }),
      }),
    },
  }
  const member = new ScriptedMember({ requests, driver, options, link, clock })
  const exit = member.run()
  const settle = async (ms = 0) => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
    for (let left = ms; left > 0; left -= 100) {
      clock.advance(Math.min(left, 100))
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
    }
  }
  const command = (done: boolean) => commands.shift()?.(done)
  return { asked, answers, events, exit, settle, command, types: () => events.map((e) => e.type) }
}

test('it joins, assigns as leader, beats, and leaves when told', async () => {
  const { asked, events, exit, settle, command } = stage()
  await settle(2_000)
  command(true)
  expect(await exit).toBe(0)
  expect(asked).toEqual(['join ', 'sync 1', 'heartbeat', 'heartbeat', 'leave m1', 'close'])
  expect(events).toEqual([
    { type: 'joining', atMs: 0 },
    { type: 'assigned', memberId: 'm1', generation: 1, partitions: [0, 1], atMs: 0 },
    { type: 'revoked', partitions: null, atMs: 2_000 },
    { type: 'left', atMs: 2_000 },
  ])
})

test('it commits when commanded, but not with `none`', async () => {
  for (const commit of ['manual', 'none'] as const) {
    const { asked, exit, settle, command } = stage({ commit })
    await settle()
    command(false)
    await settle()
    expect(asked.filter((one) => one.startsWith('commit'))).toEqual(
      commit === 'none' ? [] : ['commit [[0,10],[1,10]]'],
    )
    command(true)
    await exit
  }
})

test('told of a rebalance it gives up what it has and joins again under its id', async () => {
  const { asked, answers, settle, types, command, exit } = stage({ script: { rejoinDelayMs: 500 } })
  await settle()
  answers.heartbeat = 27
  await settle(1_000)
  expect(types()).toEqual(['joining', 'assigned', 'revoked'])
  answers.heartbeat = 0
  answers.generation = 2
  await settle(500)
  expect(asked.slice(-2)).toEqual(['join m1', 'sync 1'])
  expect(types().at(-1)).toBe('assigned')
  command(true)
  expect(await exit).toBe(0)
})

test('forgotten by the group it joins as a new member', async () => {
  const { asked, answers, settle, command, exit } = stage()
  await settle()
  answers.heartbeat = 25
  await settle(1_000)
  answers.heartbeat = 0
  await settle(200)
  expect(asked).toContain('heartbeat')
  expect(asked.filter((one) => one.startsWith('join'))).toEqual(['join ', 'join '])
  command(true)
  await exit
})

test('as leader it holds back its SyncGroup, beats through the rebalance, and is silent once forgotten', async () => {
  const script = { neverSyncFromGeneration: 2, neverSyncOnlyAsLeader: true }
  const { asked, answers, settle, command, exit } = stage({ script })
  await settle()
  expect(asked).toEqual(['join ', 'sync 1'])
  answers.generation = 2
  answers.heartbeat = 27
  await settle(3_000)
  expect(asked.filter((one) => one.startsWith('sync'))).toHaveLength(1)
  answers.heartbeat = 25
  await settle(1_000)
  const told = asked.length
  await settle(10_000)
  expect(asked).toHaveLength(told)
  command(true)
  expect(await exit).toBe(0)
})

test('as follower it does sync; late with `lateSyncMs`, without assignments', async () => {
  const script = { neverSyncFromGeneration: 1, neverSyncOnlyAsLeader: true }
  const follower = stage({ script }, 'other')
  await follower.settle()
  expect(follower.asked).toEqual(['join ', 'sync 0'])
  const late = stage({ script: { ...script, lateSyncMs: 1_500 } })
  await late.settle(1_400)
  expect(late.asked).toEqual(['join ', 'heartbeat'])
  await late.settle(200)
  expect(late.asked.at(-1)).toBe('sync 0')
  for (const one of [follower, late]) {
    one.command(true)
    await one.exit
  }
})

test('after a lost answer it tries again, with or without the id it had', async () => {
  for (const retriesJoinWithoutId of [false, true]) {
    const script = { loseJoinAnswers: 2, retriesJoinWithoutId }
    const { asked, settle, events, command, exit } = stage({ script })
    await settle(300)
    expect(asked).toEqual(['join ', 'join ', 'join ', 'sync 1'])
    expect(events.filter((event) => event.type === 'error')).toHaveLength(2)
    command(true)
    await exit
  }
})

test('a refusal that no client gets over ends it', async () => {
  const { answers, settle, exit, events } = stage()
  answers.join = 0
  await settle()
  answers.heartbeat = 82
  await settle(1_000)
  expect(await exit).toBe(1)
  expect(events.at(-1)).toEqual({
    type: 'error',
    code: 82,
    message: 'heartbeat: FENCED_INSTANCE_ID',
    isFatal: true,
    atMs: 1_000,
  })
})

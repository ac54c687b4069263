import { expect, test } from 'vitest'
import { groupFixture, range } from '../../../test/support/group-fixture.ts'

// What Apache Kafka 4.3 answered to the same requests at the same times, with an initial delay of 500 ms and session and
// rebalance timeouts of 10 s. Member ids are the client id and a running number here.

test('two members, followers, retries, a handed-out id that blocks, a member that never syncs', async () => {
  const { clock, join, sync, heartbeat, commit, leave } = groupFixture()

  const aFirst = await join('A')
  expect(aFirst.value).toMatchObject({ errorCode: 79, memberId: 'A-1', generationId: -1 })
  const a1 = await join('A', 'A-1')
  await clock.advanceAsync(499)
  expect(a1.value).toBeNull()
  await clock.advanceAsync(1)
  expect(a1.atMs).toBe(500)
  expect(a1.value).toMatchObject({
    errorCode: 0,
    generationId: 1,
    protocolName: 'range',
    leader: 'A-1',
    memberId: 'A-1',
    members: [{ memberId: 'A-1', groupInstanceId: null, metadata: range('t1').metadata }],
  })
  expect([heartbeat('A-1', 1), commit('A-1', 1)]).toEqual([0, 27])
  expect((await sync('A-1', 1, { 'A-1': 'asgA' })).value).toMatchObject({
    errorCode: 0,
    assignment: Buffer.from('asgA'),
  })
  expect([heartbeat('A-1', 1), heartbeat('A-1', 9), heartbeat('zz', 1)]).toEqual([0, 22, 25])
  expect([commit('A-1', 1), commit('A-1', 7), commit('zz', 1), commit('', -1)]).toEqual([
    0, 22, 25, 25,
  ])
  expect(commit('A-1', 1, { metadata: 'x'.repeat(5_000) })).toBe(12)

  expect((await join('B')).value).toMatchObject({ errorCode: 79, memberId: 'B-2' })
  expect(heartbeat('A-1', 1)).toBe(0)
  const b2 = await join('B', 'B-2')
  await clock.advanceAsync(1_000)
  expect(b2.value).toBeNull()
  expect([heartbeat('A-1', 1), commit('A-1', 1)]).toEqual([27, 0])
  expect((await sync('A-1', 1)).value).toMatchObject({
    errorCode: 27,
    assignment: Buffer.alloc(0),
  })
  const a2 = await join('A', 'A-1')
  expect(a2.value).toMatchObject({ errorCode: 0, generationId: 2, leader: 'A-1' })
  expect(a2.value?.members.map(({ memberId }) => memberId)).toEqual(['A-1', 'B-2'])
  expect(b2.value).toMatchObject({ errorCode: 0, generationId: 2, leader: 'A-1', members: [] })
  expect(b2.atMs).toBe(a2.atMs)

  const bSync = await sync('B-2', 2)
  await clock.advanceAsync(1_000)
  expect(bSync.value).toBeNull()
  expect((await sync('A-1', 2, { 'A-1': 'a2', 'B-2': 'b2' })).value?.assignment.toString()).toBe(
    'a2',
  )
  expect(bSync.value?.assignment.toString()).toBe('b2')
  expect((await sync('B-2', 2)).value?.assignment.toString()).toBe('b2')
  expect((await join('B', 'B-2')).value).toMatchObject({
    errorCode: 0,
    generationId: 2,
    members: [],
  })
  expect(heartbeat('A-1', 2)).toBe(0)

  const b3 = await join('B', 'B-2', { protocols: [range('t2')] })
  await clock.advanceAsync(500)
  expect(b3.value).toBeNull()
  expect(heartbeat('A-1', 2)).toBe(27)
  expect((await join('A', 'A-1')).value?.generationId).toBe(3)
  expect(b3.value?.generationId).toBe(3)
  await sync('A-1', 3, { 'A-1': 'a3' })
  expect((await sync('B-2', 3)).value).toMatchObject({ errorCode: 0, assignment: Buffer.alloc(0) })

  expect(leave('zz')).toEqual([25])
  expect(leave('B-2')).toEqual([0])
  expect(heartbeat('A-1', 3)).toBe(27)
  expect((await join('D')).value).toMatchObject({ errorCode: 79, memberId: 'D-3' })
  const takenMs = clock.elapsedMs
  await clock.advanceAsync(1_000)
  const e4 = await join('E', '', { isMemberIdRequired: false })
  expect(e4.value).toBeNull()
  const a4 = await join('A', 'A-1')
  await clock.advanceAsync(takenMs + 10_000 - clock.elapsedMs - 1)
  expect([a4.value, e4.value]).toEqual([null, null])
  await clock.advanceAsync(1)
  expect(a4.value).toMatchObject({ errorCode: 0, generationId: 4 })
  expect(a4.value?.members).toHaveLength(2)
  expect(e4.value).toMatchObject({ errorCode: 0, generationId: 4, members: [] })

  const joinedMs = clock.elapsedMs
  await sync('A-1', 4, { 'A-1': '1' })
  while (heartbeat('A-1', 4) === 0) await clock.advanceAsync(500)
  expect(clock.elapsedMs - joinedMs).toBe(10_000)
})

test('a static member that comes back without its id', async () => {
  const { clock, join, sync, heartbeat, commit } = groupFixture()
  const first = await join('S1', '', { groupInstanceId: 'i1' })
  await clock.advanceAsync(500)
  expect(first.value).toMatchObject({ errorCode: 0, generationId: 1, memberId: 'i1-1' })
  expect(first.value?.members).toMatchObject([{ memberId: 'i1-1', groupInstanceId: 'i1' }])
  await sync('i1-1', 1, { 'i1-1': 'st' }, 'i1')

  const second = await join('S2', '', { groupInstanceId: 'i1' })
  expect(second.value).toMatchObject({
    errorCode: 0,
    generationId: 1,
    memberId: 'i1-2',
    leader: 'i1-1',
    members: [],
    isAssignmentSkipped: false,
  })
  expect(heartbeat('i1-1', 1, 'i1')).toBe(82)
  expect(commit('i1-1', 1, { groupInstanceId: 'i1' })).toBe(82)
  expect((await sync('i1-2', 1, {}, 'i1')).value).toMatchObject({
    errorCode: 0,
    assignment: Buffer.from('st'),
  })
  expect(heartbeat('i1-2', 1, 'i1')).toBe(0)
})

test('a member that only heartbeats is dropped when the rebalance times out', async () => {
  const { clock, join, sync, heartbeat } = groupFixture()
  const short = { rebalanceTimeoutMs: 3_000 }
  await join('A')
  await join('A', 'A-1', short)
  await clock.advanceAsync(500)
  await sync('A-1', 1, { 'A-1': 'a' })
  await join('C')
  const startedMs = clock.elapsedMs
  const c = await join('C', 'C-2', short)
  const codes: number[] = []
  while (c.value === null) {
    codes.push(heartbeat('A-1', 1))
    await clock.advanceAsync(500)
  }
  expect(c.value).toMatchObject({ errorCode: 0, generationId: 2, leader: 'C-2' })
  expect(c.value.members).toHaveLength(1)
  expect(c.atMs).toBe(startedMs + 3_000)
  expect(codes).toEqual([27, 27, 27, 27, 27, 27])
  expect(heartbeat('A-1', 1)).toBe(25)
})

test('a member whose connection has closed is counted until it fails to sync', async () => {
  const { clock, join, sync, heartbeat, stable } = groupFixture()
  await stable('A')
  await join('B')
  await join('B', 'B-2')
  const a = await join('A', 'A-1')
  expect(a.value?.members).toHaveLength(2)
  const joinedMs = clock.elapsedMs
  await sync('A-1', 2, { 'A-1': 'y' })
  while (heartbeat('A-1', 2) === 0) await clock.advanceAsync(500)
  expect(clock.elapsedMs - joinedMs).toBe(10_000)
})

test('a newcomer during the initial delay prolongs it by another delay', async () => {
  const { clock, join } = groupFixture()
  await join('A')
  const a = await join('A', 'A-1')
  await clock.advanceAsync(300)
  await join('B')
  await join('B', 'B-2')
  await clock.advanceAsync(1_000)
  expect(a.atMs).toBe(1_000)
  expect(a.value).toMatchObject({ generationId: 1 })
  expect(a.value?.members).toHaveLength(2)
})

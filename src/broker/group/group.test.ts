import { describe, expect, test } from 'vitest'
import { groupFixture, range } from '../../../test/support/group-fixture.ts'
import { Roster } from './roster.ts'
import { kafkaGroupRules } from './rules.ts'
import { type GroupState, previousStates } from './state.ts'

const delayOf = (ms: number) =>
  groupFixture({ settings: { 'group.initial.rebalance.delay.ms': String(ms) } })

const named = (...names: string[]) => ({
  isMemberIdRequired: false,
  protocols: names.map((name) => ({ name, metadata: Buffer.from(name) })),
})

/** What a static member says; the session outlasts the rebalance. */
const fixed = (groupInstanceId: string, sessionTimeoutMs = 10_000) => ({
  groupInstanceId,
  sessionTimeoutMs,
})

describe('entry checks of a join', () => {
  test.each([
    ['an empty group id', { groupId: '' }, 24],
    ['a session shorter than allowed', { sessionTimeoutMs: 5_999 }, 26],
    ['a session longer than allowed', { sessionTimeoutMs: 1_800_001 }, 26],
    ['an unknown member id in a new group', { memberId: 'nobody' }, 25],
    ['no protocol type in an empty group', { protocolType: '' }, 23],
    ['no protocols in an empty group', { protocols: [] }, 23],
  ])('%s', async (_, more, code) => {
    const { join } = groupFixture()
    expect((await join('A', '', more)).value).toMatchObject({
      errorCode: code,
      generationId: -1,
      leader: '',
      members: [],
    })
  })

  test.each([
    ['another protocol type', { protocolType: 'connect' }, 23],
    ['no protocol that all share', { protocols: [{ ...range('t1'), name: 'zzz' }] }, 23],
    ['an unknown member id', { memberId: 'nobody' }, 25],
    ['an unknown instance with a member id', { memberId: 'A-1', groupInstanceId: 'i' }, 25],
  ])('%s in a group with members', async (_, more, code) => {
    const { stable, join, describe: describeGroup } = groupFixture()
    await stable('A')
    expect((await join('B', '', more)).value?.errorCode).toBe(code)
    expect(describeGroup()?.state).toBe('Stable')
  })

  test('the limits of the session timeout are settings, and both ends are allowed', async () => {
    const { join } = groupFixture({ settings: { 'group.min.session.timeout.ms': '50' } })
    expect((await join('A', '', { sessionTimeoutMs: 50 })).value?.errorCode).toBe(79)
    expect((await join('A', '', { sessionTimeoutMs: 1_800_000 })).value?.errorCode).toBe(79)
    expect((await join('A', '', { sessionTimeoutMs: 49 })).value?.errorCode).toBe(26)
  })

  test('a full group turns newcomers away, not members', async () => {
    const {
      stable,
      join,
      describe: describeGroup,
    } = groupFixture({
      settings: { 'group.max.size': '2' },
    })
    const [, b = ''] = await stable('A', 'B')
    expect((await join('C')).value).toMatchObject({ errorCode: 81, memberId: '' })
    expect((await join('B', b)).value).toMatchObject({ errorCode: 0, generationId: 1 })
    expect(describeGroup()?.members).toHaveLength(2)
  })

  test('in a rebalance of a full group the last to rejoin is turned away and forgotten', async () => {
    const { clock, stable, join, heartbeat, groups } = groupFixture({
      settings: { 'group.max.size': '2' },
    })
    const [a = '', b = ''] = await stable('A', 'B')
    const rejoined = await join('A', a)
    const c = await join('C', '', { isMemberIdRequired: false })
    expect((await join('B', b)).value).toMatchObject({ errorCode: 81, memberId: '' })
    expect(heartbeat(b, 1)).toBe(25)
    await clock.advanceAsync(10_000)
    expect([rejoined.value?.generationId, c.value?.generationId]).toEqual([2, 2])
    groups.close()
    expect(clock.timerCount).toBe(0)
  })
})

describe('join without an id', () => {
  test('a handed-out id changes nothing and expires after the session timeout', async () => {
    const { clock, join, heartbeat, describe: describeGroup } = groupFixture()
    await join('A', '', { sessionTimeoutMs: 7_000 })
    expect(describeGroup()).toMatchObject({ state: 'Empty', members: [] })
    expect(heartbeat('A-1', 0)).toBe(25)
    await clock.advanceAsync(6_999)
    expect(clock.timerCount).toBe(1)
    await clock.advanceAsync(1)
    expect(clock.timerCount).toBe(0)
    expect((await join('A', 'A-1')).value?.errorCode).toBe(25)
  })

  test('the same id joins in time and its timer is gone', async () => {
    const { clock, join, describe: describeGroup } = groupFixture()
    await join('A')
    await clock.advanceAsync(9_000)
    await join('A', 'A-1')
    await clock.advanceAsync(5_000)
    expect(describeGroup()?.members).toHaveLength(1)
  })

  test('before v4 the member is added at once', async () => {
    const { join, describe: describeGroup } = groupFixture()
    const a = await join('A', '', { isMemberIdRequired: false })
    expect(a.value).toBeNull()
    expect(describeGroup()).toMatchObject({
      state: 'PreparingRebalance',
      members: [{ memberId: 'A-1' }],
    })
  })

  test('a handed-out id is no static member', async () => {
    const { join } = groupFixture()
    await join('A')
    expect((await join('A', 'A-1', { groupInstanceId: 'i' })).value?.errorCode).toBe(-1)
  })

  test('a handed-out id that never comes back blocks a rebalance until it expires', async () => {
    const { clock, stable, join } = groupFixture()
    const [a = ''] = await stable('A')
    await join('D', '', { sessionTimeoutMs: 6_000 })
    const atMs = clock.elapsedMs
    const rejoined = await join('A', a)
    await clock.advanceAsync(10_000)
    expect(rejoined.atMs).toBe(atMs + 6_000)
  })
})

describe('the initial delay', () => {
  const dynamic = { isMemberIdRequired: false }

  test('nobody comes: one delay', async () => {
    const { clock, join } = delayOf(3_000)
    const a = await join('A', '', dynamic)
    await clock.advanceAsync(20_000)
    expect(a.atMs).toBe(3_000)
  })

  test('newcomers prolong it, but not beyond the rebalance timeout', async () => {
    const { clock, join } = delayOf(3_000)
    const a = await join('A', '', dynamic)
    for (let n = 0; n < 15; n++) {
      await clock.advanceAsync(1_000)
      if (a.value === null) await join(`B${n}`, '', dynamic)
    }
    expect(a.atMs).toBe(10_000)
    expect(a.value?.members).toHaveLength(10)
  })

  test('a delay of 0 is over at once', async () => {
    const { clock, join } = delayOf(0)
    const a = await join('A', '', dynamic)
    await clock.advanceAsync(0)
    expect(a.atMs).toBe(0)
  })

  test('a delay beyond the rebalance timeout is not prolonged', async () => {
    const { clock, join } = delayOf(20_000)
    const a = await join('A', '', dynamic)
    await join('B', '', dynamic)
    await clock.advanceAsync(60_000)
    expect(a.atMs).toBe(20_000)
  })

  test('the only member leaves meanwhile: the group is empty again, one generation on', async () => {
    const { clock, join, leave, lines, describe: describeGroup } = delayOf(500)
    const a = await join('A', '', dynamic)
    expect(leave('A-1')).toEqual([0])
    await clock.advanceAsync(500)
    expect(a.value).toMatchObject({ errorCode: 25, memberId: '' })
    expect(describeGroup()?.state).toBe('Empty')
    expect(lines.at(-1)).toBe('group g: generation 1 is empty')
    expect(clock.timerCount).toBe(0)
  })
})

describe('join of a known member', () => {
  test('while preparing: parked, and a repeated join takes the place of the first', async () => {
    const { stable, join } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    const first = await join('A', a)
    const second = await join('A', a)
    expect(first.value).toMatchObject({ errorCode: 27, memberId: a })
    expect(second.value).toBeNull()
    await join('B', b)
    expect(second.value).toMatchObject({ errorCode: 0, generationId: 2 })
  })

  test('while completing, same protocols: the same answer again, with the members for the leader', async () => {
    const { stable, join } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    await join('A', a)
    await join('B', b)
    expect((await join('A', a)).value).toMatchObject({ generationId: 2, leader: a })
    expect((await join('A', a)).value?.members).toHaveLength(2)
    expect((await join('B', b)).value).toMatchObject({ generationId: 2, members: [] })
  })

  test('while completing, other protocols: a rebalance, and parked syncs are answered', async () => {
    const { stable, join, sync } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    await join('A', a)
    await join('B', b)
    const parked = await sync(b, 2)
    const changed = await join('A', a, { protocols: [range('t2')] })
    expect(parked.value).toMatchObject({ errorCode: 27, assignment: Buffer.alloc(0) })
    expect(changed.value).toBeNull()
    expect((await join('B', b)).value?.generationId).toBe(3)
    expect(changed.value?.generationId).toBe(3)
  })

  test('in a stable group the leader rebalances, an unchanged follower does not', async () => {
    const { stable, join, heartbeat } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    expect((await join('B', b)).value).toMatchObject({ errorCode: 0, generationId: 1, members: [] })
    expect(heartbeat(a, 1)).toBe(0)
    expect((await join('A', a)).value).toBeNull()
    expect(heartbeat(b, 1)).toBe(27)
  })

  test.each([
    ['metadata', [range('t2')]],
    ['order', [{ ...range('t1'), name: 'rr' }, range('t1')]],
    ['number', [range('t1'), { ...range('t1'), name: 'rr' }]],
  ])('in a stable group a follower with other protocols (%s) rebalances', async (_, protocols) => {
    const { stable, join } = groupFixture()
    const [, b = ''] = await stable('A', 'B')
    expect((await join('B', b, { protocols })).value).toBeNull()
  })
})

describe('the end of a join phase', () => {
  test('a join into a stable group waits for the longest rebalance timeout, then goes on without the silent', async () => {
    const { clock, join, sync, heartbeat } = groupFixture()
    const a = await join('A', '', { rebalanceTimeoutMs: 7_000, isMemberIdRequired: false })
    await clock.advanceAsync(500)
    await sync('A-1', 1, { 'A-1': 'a' })
    expect(a.value?.generationId).toBe(1)
    const b = await join('B', '', { rebalanceTimeoutMs: 2_000, isMemberIdRequired: false })
    const startMs = clock.elapsedMs
    await clock.advanceAsync(6_999)
    expect(b.value).toBeNull()
    expect(heartbeat('A-1', 1)).toBe(27)
    await clock.advanceAsync(1)
    expect(b.atMs).toBe(startMs + 7_000)
    expect(b.value).toMatchObject({ leader: 'B-2', generationId: 2 })
    expect(heartbeat('A-1', 1)).toBe(25)
  })

  test('a leader that has rejoined leads on, whoever came first', async () => {
    const { stable, join } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    const second = await join('B', b, { protocols: [range('t2')] })
    await join('A', a)
    expect(second.value?.leader).toBe(a)
  })

  test('the protocol that most members prefer among those all support', async () => {
    const { clock, join } = groupFixture()
    await join('A', '', named('x', 'range', 'rr'))
    await join('B', '', named('rr', 'range', 'y'))
    const c = await join('C', '', named('rr', 'range'))
    await clock.advanceAsync(2_000)
    expect(c.value?.protocolName).toBe('rr')
  })

  test('of protocols with as many votes the same one, whoever came first', async () => {
    const orders = [
      ['range', 'roundrobin'],
      ['roundrobin', 'range'],
    ]
    for (const [first = [], second = []] of [orders, orders.toReversed()]) {
      const { clock, join } = groupFixture()
      const a = await join('A', '', named(...first))
      await join('B', '', named(...second))
      await clock.advanceAsync(2_000)
      expect(a.value?.protocolName).toBe('range')
    }
  })

  test('the leader gets the metadata of the chosen protocol and every instance id', async () => {
    const { clock, join } = groupFixture()
    const a = await join('A', '', { isMemberIdRequired: false })
    await join('B', '', { groupInstanceId: 'i', protocols: [range('t2')] })
    await clock.advanceAsync(1_000)
    expect(a.value?.members).toEqual([
      { memberId: 'A-1', groupInstanceId: null, metadata: range('t1').metadata },
      { memberId: 'i-2', groupInstanceId: 'i', metadata: range('t2').metadata },
    ])
  })

  test('with only silent static members left the group waits on', async () => {
    const { clock, join, sync, heartbeat, leave, describe: describeGroup } = groupFixture()
    await join('A', '', fixed('i', 60_000))
    await join('B', '', fixed('j', 60_000))
    await clock.advanceAsync(1_000)
    await sync('i-1', 1, {}, 'i')
    await sync('j-2', 1, {}, 'j')
    await join('C')
    leave('C-3')
    await clock.advanceAsync(10_000)
    expect(describeGroup()?.state).toBe('PreparingRebalance')
    expect(heartbeat('i-1', 1, 'i')).toBe(27)
    const a = await join('A', 'i-1', fixed('i', 60_000))
    await clock.advanceAsync(10_000)
    expect(a.value?.members).toHaveLength(2)
  })
})

describe('sync', () => {
  test.each([
    ['an unknown member', 'nobody', 1, {}, 25],
    ['another generation', 'A-1', 2, {}, 22],
    ['another protocol type', 'A-1', 1, { protocolType: 'connect' }, 23],
    ['another protocol', 'A-1', 1, { protocolName: 'rr' }, 23],
    ['the right names', 'A-1', 1, { protocolType: 'consumer', protocolName: 'range' }, 0],
  ])('%s', async (_, memberId, generationId, protocol, code) => {
    const { stable, sync } = groupFixture()
    await stable('A')
    expect((await sync(memberId, generationId, {}, null, protocol)).value?.errorCode).toBe(code)
  })

  test('an unknown group, an empty group id, an empty group', async () => {
    const { sync, groups, join } = groupFixture()
    expect((await sync('A-1', 1)).value?.errorCode).toBe(25)
    await join('A')
    expect((await sync('A-1', 0)).value?.errorCode).toBe(25)
    expect(
      groups.syncGroup({
        groupId: '',
        memberId: '',
        groupInstanceId: null,
        generationId: 0,
        protocolType: null,
        protocolName: null,
        assignments: [],
      }),
    ).toMatchObject({ errorCode: 24 })
  })

  test('a repeated sync takes the place of the first', async () => {
    const { stable, join, sync } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    await join('A', a)
    await join('B', b)
    const first = await sync(b, 2)
    const second = await sync(b, 2)
    expect(first.value?.errorCode).toBe(27)
    await sync(a, 2, { [b]: 'mine' })
    expect(second.value?.assignment.toString()).toBe('mine')
  })

  test('a follower that syncs after the leader gets its assignment at once', async () => {
    const { stable, join, sync } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    await join('A', a)
    await join('B', b)
    await sync(a, 2, { [b]: 'mine' })
    expect((await sync(b, 2)).value).toMatchObject({
      errorCode: 0,
      protocolType: 'consumer',
      protocolName: 'range',
      assignment: Buffer.from('mine'),
    })
  })

  test('who does not sync in time is removed, before and after the leader has', async () => {
    const { clock, stable, join, sync, heartbeat, describe: describeGroup } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    const long = { sessionTimeoutMs: 60_000 }
    await join('A', a, long)
    await join('B', b, long)
    const parked = await sync(b, 2)
    await clock.advanceAsync(10_000)
    expect(parked.value?.errorCode).toBe(27)
    expect(heartbeat(a, 2)).toBe(25)
    expect(heartbeat(b, 2)).toBe(27)
    await join('B', b, long)
    const c = await join('C', '', { ...long, isMemberIdRequired: false })
    await join('B', b, long)
    expect(c.value?.generationId).toBe(4)
    await sync(b, 4)
    await clock.advanceAsync(9_999)
    expect(describeGroup()?.state).toBe('Stable')
    await clock.advanceAsync(1)
    expect(describeGroup()?.members.map(({ memberId }) => memberId)).toEqual([b])
  })
})

describe('heartbeats and sessions', () => {
  test('an unknown group, an empty group id, a wrong generation', async () => {
    const { heartbeat, stable } = groupFixture()
    expect(heartbeat('A-1', 1)).toBe(25)
    expect(heartbeat('A-1', 1, null, '')).toBe(24)
    await stable('A')
    expect(heartbeat('A-1', 0)).toBe(22)
  })

  test('silence for a session removes a member and rebalances', async () => {
    const { clock, stable, heartbeat } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    await clock.advanceAsync(9_000)
    expect(heartbeat(a, 1)).toBe(0)
    await clock.advanceAsync(999)
    expect(heartbeat(a, 1)).toBe(0)
    await clock.advanceAsync(1)
    expect(heartbeat(a, 1)).toBe(27)
    expect(heartbeat(b, 1)).toBe(25)
  })

  test('a commit keeps a session alive as a heartbeat does', async () => {
    const { clock, stable, commit, heartbeat } = groupFixture()
    const [a = ''] = await stable('A')
    await clock.advanceAsync(9_000)
    expect(commit(a, 1)).toBe(0)
    await clock.advanceAsync(9_000)
    expect(heartbeat(a, 1)).toBe(0)
  })

  test('a parked join or sync keeps a known member in the group beyond its session', async () => {
    const { clock, join, sync, describe: describeGroup } = groupFixture()
    const slow = { rebalanceTimeoutMs: 60_000, sessionTimeoutMs: 6_000, isMemberIdRequired: false }
    await join('A', '', slow)
    await join('B', '', slow)
    await clock.advanceAsync(1_000)
    const parkedSync = await sync('B-2', 1)
    await clock.advanceAsync(6_000)
    expect(parkedSync.value?.errorCode).toBe(27)
    const rejoined = await join('B', 'B-2', slow)
    expect(rejoined.value).toMatchObject({ errorCode: 0, generationId: 2 })
    expect(describeGroup()?.members).toHaveLength(1)
  })

  test('a session that ran out behind a parked sync starts anew with its answer', async () => {
    const { clock, join, sync, heartbeat, describe: describeGroup } = groupFixture()
    const slow = { rebalanceTimeoutMs: 60_000, sessionTimeoutMs: 6_000, isMemberIdRequired: false }
    await join('A', '', slow)
    await join('B', '', slow)
    await clock.advanceAsync(1_000)
    const parked = await sync('B-2', 1)
    for (let n = 0; n < 8; n++) {
      await clock.advanceAsync(1_000)
      expect(heartbeat('A-1', 1)).toBe(0)
    }
    await sync('A-1', 1, { 'B-2': 'b' })
    expect(parked.value?.errorCode).toBe(0)
    await clock.advanceAsync(5_999)
    expect(describeGroup()?.members).toHaveLength(2)
    await clock.advanceAsync(1)
    expect(describeGroup()).toMatchObject({ state: 'Empty', members: [] })
  })

  test('a session that ran out behind a parked sync starts anew with a rebalance', async () => {
    const { clock, join, sync, heartbeat } = groupFixture()
    const slow = { rebalanceTimeoutMs: 60_000, sessionTimeoutMs: 6_000, isMemberIdRequired: false }
    await join('A', '', slow)
    await join('B', '', slow)
    await clock.advanceAsync(1_000)
    await sync('B-2', 1)
    for (let n = 0; n < 8; n++) {
      await clock.advanceAsync(1_000)
      expect(heartbeat('A-1', 1)).toBe(0)
    }
    const rejoined = await join('A', 'A-1', { ...slow, protocols: [range('t2')] })
    const startMs = clock.elapsedMs
    await clock.advanceAsync(10_000)
    expect(rejoined.atMs).toBe(startMs + 6_000)
    expect(rejoined.value?.members).toHaveLength(1)
  })

  test('the last member expires: empty, one generation on, no timers', async () => {
    const { clock, stable, lines, describe: describeGroup } = groupFixture()
    await stable('A')
    await clock.advanceAsync(10_000)
    expect(describeGroup()).toMatchObject({ state: 'Empty', protocolType: 'consumer', members: [] })
    expect(lines.at(-1)).toBe('group g: generation 2 is empty')
    expect(clock.timerCount).toBe(0)
  })

  test('a newcomer may wait 5 minutes for its first join, no longer', async () => {
    const { clock, stable, join, heartbeat } = groupFixture()
    const [a = ''] = await stable('A')
    const endless = { rebalanceTimeoutMs: 3_600_000 }
    const rejoined = await join('A', a, endless)
    expect(rejoined.value?.generationId).toBe(2)
    const b = await join('B', '', { ...endless, isMemberIdRequired: false })
    for (let ms = 0; ms < 299_999; ms += 5_000) {
      expect(heartbeat(a, 2)).toBe(27)
      await clock.advanceAsync(Math.min(5_000, 299_999 - ms))
    }
    expect(b.value).toBeNull()
    await clock.advanceAsync(1)
    expect(b.value).toMatchObject({ errorCode: 25, memberId: '' })
  })
})

describe('leave', () => {
  test.each(['a member', 'a handed-out id'])('%s leaves a stable group: rebalance', async (who) => {
    const { stable, join, leave, heartbeat } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    await join('D')
    expect(leave(who === 'a member' ? b : 'D-3')).toEqual([0])
    expect(heartbeat(a, 1)).toBe(27)
  })

  test('whom everybody waits for leaves: the join phase is complete', async () => {
    const { clock, stable, join, leave } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    const rejoined = await join('A', a)
    expect(rejoined.value).toBeNull()
    leave(b)
    await clock.advanceAsync(0)
    expect(rejoined.value).toMatchObject({ generationId: 2, leader: a })
  })

  test('a handed-out id leaves a rebalance: the join phase is complete', async () => {
    const { clock, stable, join, leave } = groupFixture()
    const [a = ''] = await stable('A')
    await join('D')
    const rejoined = await join('A', a)
    expect(rejoined.value).toBeNull()
    leave('D-2')
    await clock.advanceAsync(0)
    expect(rejoined.value?.generationId).toBe(2)
  })

  test('a member leaves while its sync is parked: both are answered', async () => {
    const { clock, stable, join, sync, leave } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    await join('A', a)
    await join('B', b)
    const parked = await sync(b, 2)
    leave(b)
    await clock.advanceAsync(0)
    expect(parked.value?.errorCode).toBe(25)
  })

  test('errors are told for each, and one of no effect changes nothing', async () => {
    const { groups, stable, heartbeat } = groupFixture()
    const [a = ''] = await stable('A')
    const unknown = [
      { memberId: 'nobody', groupInstanceId: null },
      { memberId: '', groupInstanceId: null },
      { memberId: '', groupInstanceId: 'i' },
      { memberId: a, groupInstanceId: 'i' },
    ]
    expect(groups.leaveGroup('g', unknown)).toEqual([25, 25, 25, 25])
    expect(groups.leaveGroup('unknown', unknown)).toEqual([25, 25, 25, 25])
    expect(groups.leaveGroup('', unknown)).toBe(24)
    expect(heartbeat(a, 1)).toBe(0)
  })

  test('an instance id alone removes whoever holds it; another member id is fenced', async () => {
    const { clock, join, sync, groups, describe: describeGroup } = groupFixture()
    await join('A', '', { groupInstanceId: 'i' })
    await clock.advanceAsync(500)
    await sync('i-1', 1, {}, 'i')
    expect(groups.leaveGroup('g', [{ memberId: 'old', groupInstanceId: 'i' }])).toEqual([82])
    expect(groups.leaveGroup('g', [{ memberId: '', groupInstanceId: 'i' }])).toEqual([0])
    expect(describeGroup()?.state).toBe('Empty')
    expect(clock.timerCount).toBe(0)
  })
})

/** The static members `i` and `j` in a Stable group. */
const pair = async () => {
  const fixture = groupFixture()
  const { join, sync, clock } = fixture
  await join('A', '', fixed('i'))
  await join('B', '', fixed('j'))
  await clock.advanceAsync(1_000)
  await sync('i-1', 1, { 'i-1': 'to i', 'j-2': 'to j' }, 'i')
  await sync('j-2', 1, {}, 'j')
  return fixture
}

describe('static members', () => {
  test('a returning leader may be told to skip the assignment', async () => {
    const { join } = await pair()
    const again = await join('A', '', { ...fixed('i'), canSkipAssignment: true })
    expect(again.value).toMatchObject({
      errorCode: 0,
      generationId: 1,
      memberId: 'i-3',
      leader: 'i-3',
      isAssignmentSkipped: true,
    })
    expect(again.value?.members.map(({ memberId }) => memberId)).toEqual(['j-2', 'i-3'])
  })

  test('a returning follower is no leader and skips nothing', async () => {
    const { join } = await pair()
    const again = await join('B', '', { ...fixed('j'), canSkipAssignment: true })
    expect(again.value).toMatchObject({ leader: 'i-1', members: [], isAssignmentSkipped: false })
  })

  test('its return with another choice of protocol rebalances', async () => {
    const { clock, join, heartbeat } = groupFixture()
    const rr = { ...range('t1'), name: 'rr' }
    const both = { protocols: [range('t1'), rr] }
    await join('A', '', { ...fixed('i'), ...both })
    await clock.advanceAsync(500)
    await join('A', 'i-1', { ...fixed('i'), ...both })
    const again = await join('A', '', { ...fixed('i'), protocols: [rr, range('t1')] })
    expect(again.value?.protocolName).toBe('rr')
    expect(heartbeat('i-1', 2, 'i')).toBe(82)
  })

  test('its return while the assignment is awaited rebalances, and fences the parked sync', async () => {
    const { clock, join, sync, heartbeat } = await pair()
    await join('A', 'i-1', fixed('i'))
    await join('B', 'j-2', fixed('j'))
    const parked = await sync('j-2', 2, {}, 'j')
    const again = await join('B', '', fixed('j'))
    expect(parked.value?.errorCode).toBe(82)
    expect(again.value).toBeNull()
    expect(heartbeat('i-1', 2, 'i')).toBe(27)
    await clock.advanceAsync(0)
    await join('A', 'i-1', fixed('i'))
    expect(again.value?.generationId).toBe(3)
  })

  test('its return while joins are gathered fences the parked join and takes its place', async () => {
    const { join } = await pair()
    const parked = await join('A', 'i-1', fixed('i'))
    expect(parked.value).toBeNull()
    const again = await join('A', '', fixed('i'))
    expect(parked.value).toMatchObject({ errorCode: 82, memberId: 'i-1' })
    await join('B', 'j-2', fixed('j'))
    expect(again.value).toMatchObject({ generationId: 2, leader: 'i-3', memberId: 'i-3' })
  })

  test('a static member that does not rejoin stays, and goes when it does not sync', async () => {
    const { clock, join, sync, describe: describeGroup } = await pair()
    const a = await join('A', 'i-1', fixed('i', 60_000))
    await clock.advanceAsync(9_000)
    expect(a.value).toBeNull()
    await join('B', 'j-2', { ...fixed('j', 60_000), protocols: [range('t2')] })
    expect(a.value?.members).toHaveLength(2)
    await sync('i-1', 2, {}, 'i')
    await clock.advanceAsync(10_000)
    expect(describeGroup()?.members.map(({ memberId }) => memberId)).toEqual(['i-1'])
  })

  test('one that comes back before it has synced is not removed, but there is a rebalance', async () => {
    const { clock, join, sync, heartbeat, describe: describeGroup } = groupFixture()
    await join('A', '', fixed('i', 60_000))
    await join('B', '', fixed('j', 60_000))
    await clock.advanceAsync(1_000)
    await sync('i-1', 1, {}, 'i')
    await join('B', '', fixed('j', 60_000))
    await clock.advanceAsync(9_999)
    expect(heartbeat('i-1', 1, 'i')).toBe(0)
    await clock.advanceAsync(1)
    expect(heartbeat('i-1', 1, 'i')).toBe(27)
    expect(heartbeat('j-3', 1, 'j')).toBe(27)
    expect(describeGroup()?.members.map(({ memberId }) => memberId)).toEqual(['i-1', 'j-3'])
  })

  test('a member id that another instance holds is fenced before it is unknown', async () => {
    const { join, sync, heartbeat, commit } = await pair()
    expect((await join('A', 'gone', fixed('i'))).value?.errorCode).toBe(82)
    expect((await sync('gone', 9, {}, 'i')).value?.errorCode).toBe(82)
    expect(heartbeat('gone', 9, 'i')).toBe(82)
    expect(commit('gone', 9, { groupInstanceId: 'i' })).toBe(82)
    expect(heartbeat('i-1', 1, 'unknown')).toBe(25)
  })
})

test('closing answers what is parked and stops every timer', async () => {
  const { clock, stable, join, sync, groups, heartbeat, commit, leave } = groupFixture()
  const [a = '', b = ''] = await stable('A', 'B')
  await join('A', a)
  await join('B', b)
  const parkedSync = await sync(b, 2)
  const parkedJoin = await join('D', '', { groupId: 'other', isMemberIdRequired: false })
  groups.close()
  await clock.advanceAsync(0)
  expect([parkedSync.value?.errorCode, parkedJoin.value?.errorCode]).toEqual([16, 16])
  expect(clock.timerCount).toBe(0)
  expect((await join('A', a)).value?.errorCode).toBe(15)
  expect((await sync(a, 2)).value?.errorCode).toBe(15)
  expect([heartbeat(a, 2), commit(a, 2), leave(a)]).toEqual([15, 15, [15]])
})

test('a group can only change state as the table says', () => {
  const states = Object.keys(previousStates) as GroupState[]
  const pathTo: Record<GroupState, GroupState[]> = {
    Empty: [],
    PreparingRebalance: ['PreparingRebalance'],
    CompletingRebalance: ['PreparingRebalance', 'CompletingRebalance'],
    Stable: ['PreparingRebalance', 'CompletingRebalance', 'Stable'],
    Dead: ['Dead'],
  }
  for (const from of states) {
    for (const to of states) {
      const roster = new Roster()
      for (const state of pathTo[from]) roster.enter(state)
      if (previousStates[to].includes(from)) expect(() => roster.enter(to)).not.toThrow()
      else expect(() => roster.enter(to)).toThrow(`from ${from} to ${to}`)
    }
  }
})

test('a replaced rule changes what the group does', async () => {
  const { stable, join, sync, heartbeat } = groupFixture({
    rules: { ...kafkaGroupRules, onJoinWhileStable: () => 'answer' },
  })
  const [a = ''] = await stable('A')
  const b = await join('B', '', { isMemberIdRequired: false })
  expect(b.value).toMatchObject({ errorCode: 0, generationId: 1, members: [] })
  expect((await sync('B-2', 1)).value?.assignment).toHaveLength(0)
  expect(heartbeat(a, 1)).toBe(0)
})

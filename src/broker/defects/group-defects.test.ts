import { expect, test } from 'vitest'
import { type Awaiting, groupFixture } from '../../../test/support/group-fixture.ts'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { type Conduct, SimulatedMember } from '../../../test/support/simulated-member.ts'
import { Group } from '../group/group.ts'
import type { JoinAnswer } from '../group/requests.ts'
import type { Roster } from '../group/roster.ts'
import { kafkaTuning } from '../group/tuning.ts'
import { kafkaParts } from '../parts.ts'
import { actsOn, defects, withDefect } from './index.ts'

// Each defect of the groups' decisions, by what members see of it, and that they see nothing of the kind without it.

const partsOf = (defect: string | null) =>
  defect === null ? kafkaParts : withDefect(kafkaParts, defect)

const scene = (defect: string | null) => {
  const clock = new ManualClock()
  let nextId = 1
  const group = new Group('g', {
    clock,
    rules: partsOf(defect).groupRules,
    initialRebalanceDelayMs: 100,
    maxSize: 100,
    newMemberId: (prefix) => `${prefix}-${nextId++}`,
    log: () => {},
  })
  const members: SimulatedMember[] = []
  const come = (conduct: Partial<Conduct> = {}): SimulatedMember => {
    const clientId = String.fromCharCode(65 + members.length)
    const member = new SimulatedMember(group, clock, { clientId, partitionCount: 3, ...conduct })
    members.push(member)
    member.start()
    return member
  }
  return { clock, group, members, come }
}

/** Three members that come one after the other. */
const stagger = async (defect: string | null, everyMs: number, conduct: Partial<Conduct> = {}) => {
  const made = scene(defect)
  for (let n = 0; n < 3; n++) {
    made.come(conduct)
    await made.clock.advanceAsync(everyMs)
  }
  await made.clock.advanceAsync(30_000)
  return { ...made, shares: made.members.map(({ assigned }) => assigned?.partitions.length ?? 0) }
}

test('stable-join-early-return: later members stay empty in the generation that is there', async () => {
  const correct = await stagger(null, 5_000)
  expect(correct.shares).toEqual([1, 1, 1])
  const { shares, group, members } = await stagger('stable-join-early-return', 5_000)
  expect(shares).toEqual([3, 0, 0])
  expect(group.roster.generationId).toBe(1)
  expect(members.flatMap(({ errorCodes }) => errorCodes)).toEqual([79, 79, 79])
})

test('stable-before-join: members throw each other out without end', async () => {
  const correct = await stagger(null, 5_000)
  expect(correct.group.roster.generationId).toBe(3)
  expect(correct.members.flatMap(({ errorCodes }) => errorCodes)).not.toContain(25)
  const { group, members } = await stagger('stable-before-join', 5_000)
  expect(group.roster.generationId).toBeGreaterThan(6)
  expect(members.flatMap(({ errorCodes }) => errorCodes)).toContain(25)
})

test('sync-not-blocking: followers have nothing before the slow leader has spoken', async () => {
  for (const [defect, share] of [
    [null, 1],
    ['sync-not-blocking', 0],
  ] as const) {
    const { clock, come } = scene(defect)
    const leader = come({ syncDelayMs: 1_000 })
    const follower = come()
    await clock.advanceAsync(20_000)
    const joinedMs = leader.joins.at(-1)?.atMs ?? 0
    expect(follower.assigned?.partitions).toHaveLength(share)
    expect(follower.assigned?.atMs).toBe(share === 1 ? joinedMs + 1_000 : joinedMs)
  }
})

test('join-timed-100ms: an old member that takes its time is no longer known', async () => {
  for (const [defect, isThrownOut] of [
    [null, false],
    ['join-timed-100ms', true],
  ] as const) {
    const { clock, come } = scene(defect)
    const old = come({ rejoinDelayMs: 3_500 })
    await clock.advanceAsync(5_000)
    come()
    await clock.advanceAsync(8_000)
    expect(old.errorCodes.includes(25)).toBe(isThrownOut)
    expect(old.memberId === 'A-1').toBe(!isThrownOut)
  }
})

test('ghost-members: every join whose answer is lost leaves a member behind', async () => {
  for (const [defect, ghosts] of [
    [null, 0],
    ['ghost-members', 16],
  ] as const) {
    const { clock, group, come } = scene(defect)
    come({ rejoinDelayMs: 60_000 })
    await clock.advanceAsync(5_000)
    for (let tries = 0; tries < 16; tries++) {
      void group.join({
        ...{ groupId: 'g', memberId: '', groupInstanceId: null },
        ...{ clientId: 'B', clientHost: '', protocolType: 'consumer' },
        ...{ sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 },
        protocols: [{ name: 'range', metadata: Buffer.from('t') }],
        isMemberIdRequired: true,
        canSkipAssignment: false,
      })
      await clock.advanceAsync(100)
    }
    expect(group.roster.members.size - 1).toBe(ghosts)
  }
})

test('leader-sync-lost: the second generation never gets its assignment', async () => {
  for (const [defect, state] of [
    [null, 'Stable'],
    ['leader-sync-lost', 'CompletingRebalance'],
  ] as const) {
    const { clock, group, come } = scene(defect)
    come()
    await clock.advanceAsync(5_000)
    const second = come()
    await clock.advanceAsync(60_000)
    expect(group.roster.generationId).toBe(2)
    expect(group.roster.state).toBe(state)
    expect(second.assignments.length).toBe(defect === null ? 1 : 0)
  }
})

test('no-expire: the partitions of a member that has crashed stay its own', async () => {
  for (const [defect, share] of [
    [null, 3],
    ['no-expire', 2],
  ] as const) {
    const { clock, come } = scene(defect)
    const survivor = come()
    const crashing = come()
    await clock.advanceAsync(5_000)
    crashing.crash()
    await clock.advanceAsync(300_000)
    expect(survivor.assigned?.partitions).toHaveLength(share)
  }
})

test('heartbeat-any-generation: a member of an old generation is told that all is well', async () => {
  for (const [defect, code] of [
    [null, 22],
    ['heartbeat-any-generation', 0],
  ] as const) {
    const { clock, group, come } = scene(defect)
    const member = come()
    await clock.advanceAsync(5_000)
    come()
    await clock.advanceAsync(20_000)
    const { memberId } = member
    const stale = { groupId: 'g', memberId, groupInstanceId: null, generationId: 1 }
    expect(group.roster.generationId).toBe(2)
    expect(group.heartbeat(stale)).toBe(code)
  }
})

// The waits of a group by the settings, as `groupFixture` has them.

const delay = 'group.initial.rebalance.delay.ms'
const comers = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K']

/** When the joins of so many are answered, of whom the last comes 2 s after the others. */
const gather = async (defect: string | null, settings: Record<string, string>, count: number) => {
  const rules = partsOf(defect).groupRules
  const fixture = groupFixture({ settings: { [delay]: '3000', ...settings }, rules })
  const newcomer = { isMemberIdRequired: false, rebalanceTimeoutMs: 60_000 }
  const joins: Awaiting<JoinAnswer>[] = []
  for (const comer of comers.slice(0, count - 1))
    joins.push(await fixture.join(comer, '', newcomer))
  await fixture.clock.advanceAsync(2_000)
  joins.push(await fixture.join('Z', '', newcomer))
  await fixture.clock.advanceAsync(30_000)
  return joins
}

test('initial-delay-ignored: the first is not made to wait for the others', async () => {
  for (const [defect, atMs] of [
    [null, 6_000],
    ['initial-delay-ignored', 0],
  ] as const) {
    const joins = await gather(defect, {}, 2)
    expect(joins[0]?.atMs).toBe(atMs)
  }
})

test('expected-members-ignored: the last that was expected waits like any other', async () => {
  for (const [defect, atMs] of [
    [null, 2_000],
    ['expected-members-ignored', 6_000],
  ] as const) {
    const joins = await gather(defect, { 'group.initial.rebalance.expected.members': '3' }, 3)
    expect(joins.at(-1)?.atMs).toBe(atMs)
  }
})

test('adaptive-ignored: many are waited for no longer than few', async () => {
  for (const [defect, atMs] of [
    [null, 9_000],
    ['adaptive-ignored', 6_000],
  ] as const) {
    const joins = await gather(defect, { 'group.initial.rebalance.adaptive': 'true' }, 12)
    expect(joins[0]?.atMs).toBe(atMs)
  }
})

test('fallback-ignored: a leader that is late is thrown out although it need not be', async () => {
  for (const [defect, code] of [
    [null, 0],
    ['fallback-ignored', 25],
  ] as const) {
    const fallback = { 'leader.sync.timeout.ms': '1000', 'leader.sync.fallback': 'assign' }
    const { groupRules: rules } = partsOf(defect)
    const { join, heartbeat, clock } = groupFixture({
      settings: { [delay]: '0', ...fallback },
      rules,
      partitions: 3,
    })
    const joined = await join('A', '', { isMemberIdRequired: false })
    await clock.advanceAsync(1_500)
    expect(heartbeat(joined.value?.memberId ?? '', 1)).toBe(code)
  }
})

test('a defect of a setting changes nothing where that is not set', () => {
  const ofSettings = defects.filter(({ actsWith }) => actsWith !== undefined)
  expect(ofSettings.map(({ name }) => name)).toEqual([
    'expected-members-ignored',
    'adaptive-ignored',
    'fallback-ignored',
  ])
  for (const { name, apply } of ofSettings) {
    expect(actsOn(name, {})).toBe(false)
    const { groupRules, ...parts } = apply(kafkaParts)
    const { groupRules: correctRules, ...correctParts } = kafkaParts
    const { assignForLeader, ...tuning } = groupRules.tuned(kafkaTuning)
    const { assignForLeader: _, ...correctTuning } = kafkaTuning
    expect(parts).toEqual(correctParts)
    expect({ ...groupRules, tuned: null }).toEqual({ ...correctRules, tuned: null })
    expect(tuning).toEqual(correctTuning)
    expect(assignForLeader({} as Roster)).toBeNull()
  }
})

test('and acts where it is', () => {
  expect(actsOn('adaptive-ignored', { 'group.initial.rebalance.adaptive': 'true' })).toBe(true)
  expect(actsOn('adaptive-ignored', { 'group.initial.rebalance.adaptive': 'false' })).toBe(false)
  expect(actsOn('canary', {})).toBe(true)
})

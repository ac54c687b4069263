import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { type Conduct, SimulatedMember } from '../../../test/support/simulated-member.ts'
import { Group } from './group.ts'
import { kafkaGroupRules } from './rules.ts'

// Members that come one after another: what the users of other brokers have reported to go wrong.

const scene = (partitionCount = 3) => {
  const clock = new ManualClock()
  let nextId = 1
  const group = new Group('g', {
    clock,
    rules: kafkaGroupRules,
    initialRebalanceDelayMs: 100,
    maxSize: 100,
    newMemberId: (prefix) => `${prefix}-${nextId++}`,
    log: () => {},
  })
  const members: SimulatedMember[] = []
  const come = (conduct: Partial<Conduct> = {}): SimulatedMember => {
    const clientId = String.fromCharCode(65 + members.length)
    const member = new SimulatedMember(group, clock, { clientId, partitionCount, ...conduct })
    members.push(member)
    member.start()
    return member
  }
  /** The partitions of each running member, and that they are all there once and of one generation. */
  const shares = (): number[] => {
    const running = members.filter(({ isRunning }) => isRunning)
    const partitions = running.flatMap(({ assigned }) => assigned?.partitions ?? [])
    expect(partitions.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: partitionCount }, (_, i) => i),
    )
    const generations = new Set(running.map(({ assigned }) => assigned?.generationId))
    expect([...generations]).toEqual([group.roster.generationId])
    expect(group.roster.state).toBe('Stable')
    expect([...group.roster.members.keys()].toSorted()).toEqual(
      running.map(({ memberId }) => memberId).toSorted(),
    )
    return running.map(({ assigned }) => assigned?.partitions.length ?? 0)
  }
  return { clock, group, members, come, shares }
}

test.each([
  [0, 1],
  [50, 1],
  [1_000, 2],
  [5_000, 3],
])('three members %i ms apart each get a partition in %i generations', async (ms, generations) => {
  const { clock, group, come, shares, members } = scene()
  for (let n = 0; n < 3; n++) {
    come()
    await clock.advanceAsync(ms)
  }
  await clock.advanceAsync(10_000)
  expect(shares()).toEqual([1, 1, 1])
  expect(group.roster.generationId).toBe(generations)
  for (const { errorCodes, joins } of members) {
    expect(errorCodes.filter((code) => code !== 79 && code !== 27)).toEqual([])
    expect(new Set(joins.map(({ answer }) => answer.memberId)).size).toBe(1)
  }
})

test('no newcomer is answered before the last old member has rejoined', async () => {
  const { clock, come } = scene()
  const a = come({ rejoinDelayMs: 3_500 })
  const b = come()
  await clock.advanceAsync(8_000)
  const c = come()
  const cameMs = clock.elapsedMs
  await clock.advanceAsync(20_000)
  const first = c.joins.find(({ answer }) => answer.errorCode === 0)
  expect(first?.answer.generationId).toBe(2)
  const rejoinedMs = a.joins.at(-1)?.atMs ?? 0
  expect((first?.atMs ?? 0) + cameMs).toBe(rejoinedMs)
  expect(rejoinedMs).toBeGreaterThanOrEqual(cameMs + 3_500)
  for (const member of [a, b, c]) expect(member.errorCodes).not.toContain(25)
})

test('followers wait for a slow leader and get what it says', async () => {
  const { clock, come, shares } = scene()
  const leader = come({ syncDelayMs: 1_000 })
  const follower = come()
  await clock.advanceAsync(5_000)
  expect(shares()).toEqual([2, 1])
  expect(follower.assignments).toHaveLength(1)
  expect(follower.assigned?.atMs).toBe(leader.assigned?.atMs)
  expect(leader.assigned?.atMs).toBe((leader.joins.at(-1)?.atMs ?? 0) + 1_000)
})

test('a fourth member joins a group that has run for an hour', async () => {
  const { clock, group, come, shares } = scene(4)
  for (let n = 0; n < 3; n++) come()
  await clock.advanceAsync(3_600_000)
  expect(group.roster.generationId).toBe(1)
  come()
  await clock.advanceAsync(10_000)
  expect(shares()).toEqual([1, 1, 1, 1])
  expect(group.roster.generationId).toBe(2)
})

test('one leaves and comes back', async () => {
  const { clock, group, come, shares, members } = scene()
  for (let n = 0; n < 3; n++) come()
  await clock.advanceAsync(10_000)
  members[0]?.leave()
  await clock.advanceAsync(10_000)
  expect(shares()).toEqual([2, 1])
  members[0]?.start()
  await clock.advanceAsync(10_000)
  expect(shares()).toEqual([1, 1, 1])
  expect(group.roster.generationId).toBe(3)
})

test('one crashes and comes back under a new id, and no ghost stays', async () => {
  const { clock, come, shares, members } = scene()
  for (let n = 0; n < 3; n++) come()
  await clock.advanceAsync(10_000)
  members[1]?.crash()
  members[1]?.start()
  await clock.advanceAsync(30_000)
  expect(shares()).toEqual([1, 1, 1])
})

test('more members than partitions: the surplus gets nothing and stays', async () => {
  const { clock, come, shares } = scene(2)
  for (let n = 0; n < 4; n++) come()
  await clock.advanceAsync(10_000)
  expect(shares()).toEqual([1, 1, 0, 0])
})

describe('before v4', () => {
  test('members join without fetching an id first', async () => {
    const { clock, come, shares, members } = scene()
    for (let n = 0; n < 3; n++) {
      come({ isMemberIdRequired: false })
      await clock.advanceAsync(1_000)
    }
    await clock.advanceAsync(10_000)
    expect(shares()).toEqual([1, 1, 1])
    for (const { errorCodes } of members) expect(errorCodes).not.toContain(79)
  })
})

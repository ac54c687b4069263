import { expect, test } from 'vitest'
import { type Awaiting, groupFixture, range } from '../../../test/support/group-fixture.ts'
import { decodeAssignment, encodeSubscription } from '../../protocol/consumer-protocol.ts'
import { parseSettings } from '../settings.ts'
import type { JoinAnswer } from './requests.ts'

// The settings that Kafka does not have. Without them everything is as in Kafka: group.test.ts, golden-trace.test.ts.

type Fixture = ReturnType<typeof groupFixture>

const expected = 'group.initial.rebalance.expected.members'
const adaptive = 'group.initial.rebalance.adaptive'
const delay = 'group.initial.rebalance.delay.ms'

/** Joins of newcomers that need no id first, each `everyMs` after the one before. */
const joinAll = async (
  { join, clock }: Fixture,
  count: number,
  everyMs: number,
): Promise<Awaiting<JoinAnswer>[]> => {
  const joins: Awaiting<JoinAnswer>[] = []
  for (let n = 0; n < count; n++) {
    joins.push(await join(`M${n}`, '', { isMemberIdRequired: false, rebalanceTimeoutMs: 60_000 }))
    await clock.advanceAsync(everyMs)
  }
  return joins
}

test('an initial delay ends once the expected members have joined', async () => {
  const fixture = groupFixture({ settings: { [expected]: '3', [delay]: '3000' } })
  const joins = await joinAll(fixture, 3, 50)
  expect(joins.map(({ atMs, value }) => [atMs, value?.generationId])).toEqual([
    [100, 1],
    [100, 1],
    [100, 1],
  ])
})

test('one expected member does not wait at all', async () => {
  const fixture = groupFixture({ settings: { [expected]: '1', [delay]: '3000' } })
  const [joined] = await joinAll(fixture, 1, 0)
  expect(joined?.atMs).toBe(0)
})

test('fewer than expected wait for the delay as ever', async () => {
  const fixture = groupFixture({ settings: { [expected]: '3', [delay]: '3000' } })
  const joins = await joinAll(fixture, 2, 50)
  await fixture.clock.advanceAsync(10_000)
  expect(joins.map(({ atMs }) => atMs)).toEqual([6_000, 6_000])
})

test('only an empty group takes notice of the expected members', async () => {
  const fixture = groupFixture({ settings: { [expected]: '1' } })
  const [a] = await fixture.stable('A')
  const joined = await fixture.join('B', '', { isMemberIdRequired: false })
  expect(joined.value).toBeNull()
  expect(fixture.heartbeat(a ?? '', 1)).toBe(27)
})

test.each([
  // 30 members, 20 ms apart, with two gaps of 250 ms, which is more than the delay of 100.
  ['false', 2],
  ['true', 1],
])('adaptive %s: a group that arrives in spurts begins in %i generations', async (value, count) => {
  const fixture = groupFixture({ settings: { [adaptive]: value, [delay]: '100' } })
  const all: Awaiting<JoinAnswer>[] = []
  for (const spurt of [12, 12, 6]) {
    all.push(...(await joinAll(fixture, spurt, 20)))
    await fixture.clock.advanceAsync(250)
  }
  await fixture.clock.advanceAsync(120_000)
  const generations = fixture.lines.filter((line) => /generation \d+ has/.test(line))
  expect(generations).toHaveLength(count)
})

test('an adaptive delay ends with the rebalance timeout at the latest', async () => {
  const fixture = groupFixture({ settings: { [adaptive]: 'true', [delay]: '1000' } })
  const first = await fixture.join('A', '', {
    isMemberIdRequired: false,
    rebalanceTimeoutMs: 5_000,
  })
  for (let n = 0; n < 60; n++) {
    await fixture.join(`M${n}`, '', { isMemberIdRequired: false, rebalanceTimeoutMs: 5_000 })
    await fixture.clock.advanceAsync(200)
  }
  expect(first.atMs).toBe(5_000)
})

const ownerOf = (bytes: Buffer | undefined): number[] =>
  decodeAssignment(bytes ?? Buffer.alloc(0)).value.assignedPartitions.flatMap(
    ({ partitions }) => partitions,
  )

const fallback = (value: string) => ({
  'leader.sync.timeout.ms': '5000',
  'leader.sync.fallback': value,
})

/** Three members whose leader never syncs, and the two that wait for it. */
const silentLeader = async (fixture: Fixture) => {
  const joins = await joinAll(fixture, 3, 0)
  await fixture.clock.advanceAsync(2_000)
  const [leader, ...followers] = joins.map(({ value }) => value?.memberId ?? '')
  expect(joins[0]?.value?.leader).toBe(leader)
  const syncs = [
    await fixture.sync(followers[0] ?? '', 1),
    await fixture.sync(followers[1] ?? '', 1),
  ]
  return { leader: leader ?? '', followers, syncs, joinedMs: joins[0]?.atMs ?? 0 }
}

test('assign: each gets its share although the leader never synced', async () => {
  const fixture = groupFixture({ settings: fallback('assign'), partitions: 3 })
  const { leader, syncs, joinedMs } = await silentLeader(fixture)
  await fixture.clock.advanceAsync(4_000)
  expect(syncs.map(({ atMs }) => (atMs ?? 0) - joinedMs)).toEqual([5_000, 5_000])
  const late = await fixture.sync(leader, 1)
  const owned = [late, ...syncs].map(({ value }) => ownerOf(value?.assignment))
  expect(owned.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0))).toEqual([[0], [1], [2]])
  expect(fixture.describe()?.state).toBe('Stable')
})

test('remove: the leader goes, and the others are told to rejoin', async () => {
  const fixture = groupFixture({ settings: fallback('remove'), partitions: 3 })
  const { leader, syncs, followers, joinedMs } = await silentLeader(fixture)
  await fixture.clock.advanceAsync(4_000)
  expect(syncs.map(({ atMs, value }) => [(atMs ?? 0) - joinedMs, value?.errorCode])).toEqual([
    [5_000, 27],
    [5_000, 27],
  ])
  expect(fixture.heartbeat(leader, 1)).toBe(25)
  const rejoined = [await fixture.join('', followers[0]), await fixture.join('', followers[1])]
  expect(rejoined.map(({ value }) => value?.generationId)).toEqual([2, 2])
})

test('a leader that syncs in time is left alone', async () => {
  const fixture = groupFixture({ settings: fallback('assign'), partitions: 3 })
  const { leader, followers, syncs } = await silentLeader(fixture)
  await fixture.sync(leader, 1, { [followers[0] ?? '']: 'from the leader' })
  for (let n = 0; n < 6; n++) {
    await fixture.clock.advanceAsync(2_000)
    for (const member of [leader, ...followers]) expect(fixture.heartbeat(member, 1)).toBe(0)
  }
  expect(syncs[0]?.value?.assignment.toString()).toBe('from the leader')
})

test('partitions that a member still owns are not handed over: the members are removed', async () => {
  const fixture = groupFixture({ settings: fallback('assign'), partitions: 3 })
  const metadata = encodeSubscription(1, {
    topics: ['t1'],
    ownedPartitions: [{ topic: 't1', partitions: [0] }],
  })
  const protocols = [{ ...range('t1'), metadata }]
  const joined = await fixture.join('A', '', { isMemberIdRequired: false, protocols })
  await fixture.clock.advanceAsync(500)
  const memberId = joined.value?.memberId ?? ''
  await fixture.clock.advanceAsync(5_000)
  expect(fixture.heartbeat(memberId, 1)).toBe(25)
})

test('the fallback assign needs a timeout, and is one of two', () => {
  expect(() => parseSettings({ 'leader.sync.fallback': 'assign' })).toThrow(
    'leader.sync.timeout.ms is missing',
  )
  expect(() => parseSettings({ 'leader.sync.fallback': 'nobody' })).toThrow('remove or assign')
  expect(parseSettings()['leader.sync.fallback']).toBe('remove')
})

import { beforeEach, describe, expect, test } from 'vitest'
import { callOf, nodesOf } from '../../../test/support/broker-context.ts'
import { groupFixture, range } from '../../../test/support/group-fixture.ts'
import { Cluster, offsetsPartitionOf, offsetsTopic } from '../cluster.ts'
import type { BrokerContext } from '../context.ts'
import { handleDeleteGroups } from './delete-groups.ts'
import { handleDescribeGroups } from './describe-groups.ts'
import { handleFindCoordinator } from './find-coordinator.ts'
import { handleHeartbeat } from './heartbeat.ts'
import { handleJoinGroup } from './join-group.ts'
import { handleLeaveGroup } from './leave-group.ts'
import { handleListGroups } from './list-groups.ts'
import { handleOffsetCommit } from './offset-commit.ts'
import { handleOffsetDelete } from './offset-delete.ts'
import { handleOffsetFetch } from './offset-fetch.ts'
import { handleSyncGroup } from './sync-group.ts'

// Group `g` of three nodes: what those say that do not coordinate it, and what a move of its coordinator does.

const notCoordinator = 16

let fixture: ReturnType<typeof groupFixture>
let cluster: Cluster
let homeId: number
let otherId: number
let at: (nodeId: number) => BrokerContext

beforeEach(() => {
  fixture = groupFixture()
  const topics = { get: () => ({ partitionCount: 1 }), list: () => [] }
  cluster = new Cluster({ nodes: nodesOf(3), topics: topics as never, groups: fixture.groups })
  const shared = { cluster, groups: fixture.groups, topics, log: () => {} }
  at = (nodeId) => ({ ...shared, nodeId }) as unknown as BrokerContext
  homeId = cluster.coordinatorOf('g').nodeId
  otherId = (homeId % 3) + 1
})

const moveTo = (nodeId: number): void =>
  cluster.reassign(offsetsTopic, offsetsPartitionOf('g'), [nodeId])

const member = { groupId: 'g', memberId: 'm', groupInstanceId: null, generationId: 1 }
const join = (memberId = '') => ({
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 20_000,
  memberId,
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols: [range('t1')],
  reason: null,
})
const sync = (memberId: string, generationId = 1) => ({
  ...member,
  memberId,
  generationId,
  protocolType: 'consumer',
  protocolName: 'range',
  assignments: [],
})
const commit = {
  groupId: 'g',
  generationIdOrMemberEpoch: -1,
  memberId: '',
  groupInstanceId: null,
  retentionTimeMs: -1,
  topics: [
    {
      name: 't1',
      partitions: [
        { partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: -1, committedMetadata: '' },
      ],
    },
  ],
}
const offsetFetch = (version: number) => ({
  groupId: version < 8 ? 'g' : '',
  topics: version < 8 ? [{ name: 't1', partitionIndexes: [0] }] : [],
  groups:
    version < 8
      ? []
      : [
          {
            groupId: 'g',
            memberId: null,
            memberEpoch: -1,
            topics: [{ name: 't1', partitionIndexes: [0] }],
          },
        ],
  requireStable: false,
})

describe('a node that does not coordinate the group', () => {
  test('tells who does, as the others do', async () => {
    const request = { key: 'g', keyType: 0, coordinatorKeys: ['g'] }
    for (const nodeId of [1, 2, 3]) {
      expect(await handleFindCoordinator(request, callOf(3), at(nodeId))).toMatchObject({
        nodeId: homeId,
        port: 9091 + homeId,
      })
      expect(await handleFindCoordinator(request, callOf(4), at(nodeId))).toMatchObject({
        coordinators: [{ key: 'g', nodeId: homeId }],
      })
    }
    const owners = Array.from({ length: 200 }, (_, i) => cluster.coordinatorOf(`g${i}`).nodeId)
    expect(new Set(owners)).toEqual(new Set([1, 2, 3]))
  })

  test('refuses members, and changes nothing', async () => {
    const broker = at(otherId)
    const refused = { errorCode: notCoordinator }
    expect(await handleJoinGroup(join(), callOf(5), broker)).toMatchObject(refused)
    expect(await handleSyncGroup(sync('m'), callOf(5), broker)).toMatchObject(refused)
    expect(handleHeartbeat(member, callOf(4), broker)).toEqual(refused)
    const leaving = { groupId: 'g', memberId: 'm', members: [] }
    expect(handleLeaveGroup(leaving, callOf(4), broker)).toEqual(refused)
    expect(fixture.groups.listGroups()).toEqual([])
    // An empty id is wrong everywhere.
    const nameless = { ...join(), groupId: '' }
    expect(await handleJoinGroup(nameless, callOf(5), broker)).toMatchObject({ errorCode: 24 })
  })

  test('refuses offsets: of each partition, of the group or of all, as the version has it', async () => {
    const broker = at(otherId)
    void handleOffsetCommit(commit, callOf(8), at(homeId))
    expect(handleOffsetCommit(commit, callOf(8), broker)).toEqual({
      topics: [{ name: 't1', partitions: [{ partitionIndex: 0, errorCode: notCoordinator }] }],
    })
    expect(handleOffsetFetch(offsetFetch(1), callOf(1), broker)).toMatchObject({
      topics: [{ partitions: [{ partitionIndex: 0, committedOffset: -1, errorCode: 16 }] }],
    })
    expect(handleOffsetFetch(offsetFetch(2), callOf(2), broker)).toEqual({
      topics: [],
      errorCode: notCoordinator,
    })
    expect(handleOffsetFetch(offsetFetch(8), callOf(8), broker)).toEqual({
      groups: [{ groupId: 'g', topics: [], errorCode: notCoordinator }],
    })
    expect(handleOffsetFetch(offsetFetch(8), callOf(8), at(homeId))).toMatchObject({
      groups: [{ topics: [{ partitions: [{ committedOffset: 5, errorCode: 0 }] }] }],
    })
    const topics = [{ name: 't1', partitions: [{ partitionIndex: 0 }] }]
    expect(handleOffsetDelete({ groupId: 'g', topics }, callOf(0), broker)).toEqual({
      errorCode: notCoordinator,
      topics: [],
    })
    expect(fixture.groups.fetchOffsets('g', null)).toHaveLength(1)
  })

  test('does not list, describe or delete it', async () => {
    void handleOffsetCommit(commit, callOf(8), at(homeId))
    const listed = async (nodeId: number) => {
      const all = { statesFilter: [], typesFilter: [] }
      return (await handleListGroups(all, callOf(5), at(nodeId)))?.groups.map((one) => one.groupId)
    }
    const everywhere = await Promise.all([1, 2, 3].map(listed))
    expect(everywhere).toEqual([1, 2, 3].map((nodeId) => (nodeId === homeId ? ['g'] : [])))
    const asked = { groups: ['g'], includeAuthorizedOperations: false }
    expect(handleDescribeGroups(asked, callOf(6), at(otherId))).toMatchObject({
      groups: [{ groupId: 'g', errorCode: notCoordinator, groupState: '', members: [] }],
    })
    const named = { groupsNames: ['g'] }
    expect(handleDeleteGroups(named, callOf(2), at(otherId))).toEqual({
      results: [{ groupId: 'g', errorCode: notCoordinator }],
    })
    expect(handleDeleteGroups(named, callOf(2), at(homeId))).toEqual({
      results: [{ groupId: 'g', errorCode: 0 }],
    })
  })
})

describe('a coordinator that moves', () => {
  test('keeps members and offsets, and only the new one answers', async () => {
    const [a = ''] = await fixture.stable('A')
    const beat = { ...member, memberId: a }
    expect(handleHeartbeat(beat, callOf(4), at(homeId))).toEqual({ errorCode: 0 })
    await fixture.clock.advanceAsync(9_000)
    moveTo(otherId)
    expect(cluster.coordinatorOf('g').nodeId).toBe(otherId)
    expect(handleHeartbeat(beat, callOf(4), at(homeId))).toEqual({ errorCode: notCoordinator })
    // The session began anew with the move.
    await fixture.clock.advanceAsync(9_000)
    expect(handleHeartbeat(beat, callOf(4), at(otherId))).toEqual({ errorCode: 0 })
    expect(fixture.describe()?.state).toBe('Stable')
    await fixture.clock.advanceAsync(10_000)
    expect(fixture.describe()?.members).toEqual([])
  })

  test('answers the joins it holds back, and the old member forms the next generation', async () => {
    const [a = ''] = await fixture.stable('A')
    const newcomer = await fixture.join('B')
    const parked = await fixture.join('B', newcomer.value?.memberId)
    const rejoined = await fixture.join('A', a, { protocols: [range('t1', 't2')] })
    expect(rejoined.value?.generationId ?? null).toBe(2)
    const late = await fixture.join('A', a, { protocols: [range('t1')] })
    expect(late.value).toBeNull()
    expect(parked.value?.errorCode).toBe(0)
    moveTo(otherId)
    await fixture.clock.advanceAsync(0)
    expect(late.value).toMatchObject({ errorCode: notCoordinator, memberId: a })
    const again = await fixture.join('A', a)
    await fixture.join('B', parked.value?.memberId)
    expect(again.value).toMatchObject({ errorCode: 0, generationId: 3 })
  })

  test('forgets who has never been in a generation', async () => {
    const newcomer = await fixture.join('A')
    const parked = await fixture.join('A', newcomer.value?.memberId)
    const pending = await fixture.join('B')
    moveTo(otherId)
    await fixture.clock.advanceAsync(0)
    expect(parked.value).toMatchObject({ errorCode: notCoordinator })
    for (const memberId of [newcomer.value?.memberId, pending.value?.memberId]) {
      expect((await fixture.join('A', memberId)).value?.errorCode).toBe(25)
    }
    await fixture.clock.advanceAsync(20_000)
    expect(fixture.describe()).toMatchObject({ state: 'Empty', members: [] })
  })

  test('answers the syncs it holds back', async () => {
    const ids = await fixture.stable('A', 'B')
    const joins = [await fixture.join('A', ids[0], { protocols: [range('t2')] })]
    joins.push(await fixture.join('B', ids[1], { protocols: [range('t2')] }))
    const { leader = '', generationId = -1 } = joins[1]?.value ?? {}
    const follower = ids.find((id) => id !== leader) ?? ''
    const parked = await fixture.sync(follower, generationId)
    expect(parked.value).toBeNull()
    moveTo(otherId)
    await fixture.clock.advanceAsync(0)
    expect(parked.value).toMatchObject({ errorCode: notCoordinator })
    await fixture.sync(leader, generationId, { [follower]: 'x' })
    const again = await fixture.sync(follower, generationId)
    expect(again.value?.assignment.toString()).toBe('x')
  })

  test('does nothing to groups of other coordinators', async () => {
    const [a = ''] = await fixture.stable('A')
    const newcomer = await fixture.join('B')
    const parked = await fixture.join('B', newcomer.value?.memberId)
    cluster.reassign(offsetsTopic, (offsetsPartitionOf('g') + 1) % 50, [homeId])
    cluster.reassign(offsetsTopic, offsetsPartitionOf('g'), [homeId, otherId])
    await fixture.clock.advanceAsync(0)
    expect(parked.value).toBeNull()
    await fixture.join('A', a)
    expect(parked.value).toMatchObject({ errorCode: 0, generationId: 2 })
  })
})

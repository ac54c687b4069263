import { beforeEach, describe, expect, test } from 'vitest'
import { nodesOf } from '../../../test/support/broker-context.ts'
import { groupFixture, range } from '../../../test/support/group-fixture.ts'
import { Cluster } from '../cluster.ts'
import type { BrokerContext, Call } from '../context.ts'
import { parseSettings } from '../settings.ts'
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

// What each version of the group APIs adds to the coordinator; topic t1 has 3 partitions, and there is no other.

let fixture: ReturnType<typeof groupFixture>
let broker: BrokerContext
const onlyTopic = {
  get: (name: string) => (name === 't1' ? { partitionCount: 3 } : null),
  list: () => [],
}
beforeEach(() => {
  fixture = groupFixture()
  broker = {
    clock: fixture.clock,
    settings: parseSettings(),
    clusterId: () => 'cluster',
    nodeId: 1,
    cluster: new Cluster({ nodes: nodesOf(1), topics: onlyTopic as never, groups: fixture.groups }),
    groups: fixture.groups,
    topics: onlyTopic,
    log: () => {},
  } as unknown as BrokerContext
})

const call = (version: number, clientId: string | null = 'A'): Call => ({
  version,
  clientId,
  clientHost: '127.0.0.1',
  closed: new AbortController().signal,
})

const joinRequest = {
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 20_000,
  memberId: '',
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols: [range('t1')],
  reason: null,
}

describe('FindCoordinator', () => {
  const here = { nodeId: 1, host: '127.0.0.1', port: 9092, errorCode: 0, errorMessage: 'NONE' }

  test('this broker, for groups and transactional ids, one or many', () => {
    const one = { key: 'g', keyType: 0, coordinatorKeys: [] }
    expect(handleFindCoordinator(one, call(0), broker)).toEqual(here)
    expect(handleFindCoordinator({ ...one, keyType: 1 }, call(3), broker)).toEqual(here)
    const many = { key: '', keyType: 0, coordinatorKeys: ['g', ''] }
    expect(handleFindCoordinator(many, call(4), broker)).toEqual({
      coordinators: [
        { key: 'g', ...here },
        { key: '', ...here },
      ],
    })
  })

  test('another key type is an invalid request', () => {
    const request = { key: 'k', keyType: 2, coordinatorKeys: ['k'] }
    const nowhere = { errorCode: 42, nodeId: -1, host: '', port: -1 }
    expect(handleFindCoordinator(request, call(3), broker)).toMatchObject(nowhere)
    expect(handleFindCoordinator(request, call(6), broker)).toMatchObject({
      coordinators: [{ key: 'k', ...nowhere }],
    })
  })
})

describe('JoinGroup', () => {
  test('from v4 on a newcomer is sent back for its id, before it is not', async () => {
    expect(await handleJoinGroup(joinRequest, call(4), broker)).toMatchObject({ errorCode: 79 })
    const joined = handleJoinGroup(joinRequest, call(3), broker)
    await fixture.clock.advanceAsync(500)
    expect(await joined).toMatchObject({ errorCode: 0, generationId: 1 })
  })

  test('an error has an empty protocol name before v7, and none from then on', async () => {
    expect(await handleJoinGroup(joinRequest, call(6), broker)).toMatchObject({ protocolName: '' })
    expect(await handleJoinGroup(joinRequest, call(7), broker)).toMatchObject({
      protocolName: null,
    })
  })

  test('without a rebalance timeout it is the session timeout', async () => {
    const [a = ''] = await fixture.stable('A')
    const request = { ...joinRequest, memberId: a, rebalanceTimeoutMs: -1, sessionTimeoutMs: 7_000 }
    expect(await handleJoinGroup(request, call(0), broker)).toMatchObject({ generationId: 2 })
    await fixture.sync(a, 2)
    const joined = handleJoinGroup({ ...request, memberId: '' }, call(0, 'B'), broker)
    const startMs = fixture.clock.elapsedMs
    let joinedMs = -1
    void Promise.resolve(joined).then(() => {
      joinedMs = fixture.clock.elapsedMs
    })
    await fixture.clock.advanceAsync(10_000)
    expect(joinedMs - startMs).toBe(7_000)
  })

  test('v9 tells a returning static leader to skip the assignment, v8 tells it the old leader id', async () => {
    const fixed = { ...joinRequest, groupInstanceId: 'i' }
    void handleJoinGroup(fixed, call(9), broker)
    await fixture.clock.advanceAsync(500)
    await fixture.sync('i-1', 1, {}, 'i')
    expect(await handleJoinGroup(fixed, call(8), broker)).toMatchObject({
      leader: 'i-1',
      memberId: 'i-2',
      skipAssignment: false,
      members: [],
    })
    expect(await handleJoinGroup(fixed, call(9), broker)).toMatchObject({
      leader: 'i-3',
      memberId: 'i-3',
      skipAssignment: true,
      members: [{ memberId: 'i-3', groupInstanceId: 'i' }],
    })
  })

  test('what a member said is kept apart from the bytes of its request', async () => {
    const metadata = Buffer.from(range('t1').metadata)
    const protocols = [{ name: 'range', metadata }]
    const joined = handleJoinGroup({ ...joinRequest, protocols }, call(3, null), broker)
    metadata.fill(0)
    await fixture.clock.advanceAsync(500)
    expect((await joined)?.members).toEqual([
      { memberId: '-1', groupInstanceId: null, metadata: range('t1').metadata },
    ])
  })
})

describe('SyncGroup', () => {
  test('from v5 on protocol type and name must be said, and be right', async () => {
    await fixture.stable('A')
    expect(await sync(4, null, null)).toMatchObject({ errorCode: 0 })
    expect(await sync(5, null, 'range')).toMatchObject({ errorCode: 23 })
    expect(await sync(5, 'consumer', null)).toMatchObject({ errorCode: 23 })
    expect(await sync(5, 'consumer', 'rr')).toMatchObject({ errorCode: 23 })
    expect(await sync(5, 'consumer', 'range')).toMatchObject({
      errorCode: 0,
      protocolType: 'consumer',
      protocolName: 'range',
      assignment: Buffer.from('to A-1'),
    })
  })
})

const leaveAlone = (memberId: string) =>
  handleLeaveGroup({ groupId: 'g', memberId, members: [] }, call(2), broker)

const syncRequest = {
  groupId: 'g',
  generationId: 1,
  memberId: 'A-1',
  groupInstanceId: null,
  protocolType: null as string | null,
  protocolName: null as string | null,
  assignments: [],
}

const sync = (version: number, protocolType: string | null, protocolName: string | null) =>
  handleSyncGroup({ ...syncRequest, protocolType, protocolName }, call(version), broker)

describe('Heartbeat and LeaveGroup', () => {
  test('a heartbeat is answered with its code', async () => {
    await fixture.stable('A')
    const beat = { groupId: 'g', generationId: 1, memberId: 'A-1', groupInstanceId: null }
    expect(handleHeartbeat(beat, call(4), broker)).toEqual({ errorCode: 0 })
    expect(handleHeartbeat({ ...beat, generationId: 2 }, call(0), broker)).toEqual({
      errorCode: 22,
    })
  })

  test('before v3 one member leaves and its error is the answer', async () => {
    await fixture.stable('A')
    expect(leaveAlone('nobody')).toEqual({ errorCode: 25 })
    expect(leaveAlone('A-1')).toEqual({ errorCode: 0 })
  })

  test('from v3 on many leave, each with an error of its own', async () => {
    const [a = '', b = ''] = await fixture.stable('A', 'B')
    const members = [a, 'nobody', b].map((memberId) => ({
      memberId,
      groupInstanceId: null,
      reason: null,
    }))
    const leave = (groupId: string) =>
      handleLeaveGroup({ groupId, memberId: '', members }, call(5), broker)
    const answered = (codes: number[]) => ({
      errorCode: 0,
      members: members.map(({ memberId }, i) => ({
        memberId,
        groupInstanceId: null,
        errorCode: codes[i],
      })),
    })
    expect(leave('unknown')).toEqual(answered([25, 25, 25]))
    expect(leave('')).toEqual({ errorCode: 24 })
    expect(leave('g')).toEqual(answered([0, 25, 0]))
  })
})

const listed = async (statesFilter: string[], typesFilter: string[] = []) =>
  (await handleListGroups({ statesFilter, typesFilter }, call(5), broker))?.groups

describe('DescribeGroups, ListGroups, DeleteGroups', () => {
  test('an unknown group is Dead, and from v6 on an error', () => {
    const request = { groups: ['g'], includeAuthorizedOperations: false }
    const dead = {
      groupId: 'g',
      groupState: 'Dead',
      protocolType: '',
      protocolData: '',
      members: [],
    }
    expect(handleDescribeGroups(request, call(5), broker)).toEqual({
      groups: [{ errorCode: 0, ...dead }],
    })
    expect(handleDescribeGroups(request, call(6), broker)).toEqual({
      groups: [{ errorCode: 69, errorMessage: 'Group g not found.', ...dead }],
    })
  })

  test('a group is described with its members', async () => {
    await fixture.stable('A')
    const request = { groups: ['g'], includeAuthorizedOperations: false }
    expect(handleDescribeGroups(request, call(6), broker)).toMatchObject({
      groups: [
        {
          errorCode: 0,
          groupState: 'Stable',
          protocolType: 'consumer',
          protocolData: 'range',
          members: [
            {
              memberId: 'A-1',
              memberMetadata: range('t1').metadata,
              memberAssignment: Buffer.from('to A-1'),
            },
          ],
        },
      ],
    })
  })

  test('groups are listed by state and type, whatever the case', async () => {
    await fixture.stable('A')
    fixture.commit('', -1, { groupId: 'h' })
    const g = { groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' }
    const h = { groupId: 'h', protocolType: '', groupState: 'Empty', groupType: 'classic' }
    expect(await listed([])).toEqual([h, g].toSorted((x, y) => (x.groupId < y.groupId ? -1 : 1)))
    expect(await listed(['stable'])).toEqual([g])
    expect(await listed(['Empty', 'Dead'], ['Classic'])).toEqual([h])
    expect(await listed([], ['consumer'])).toEqual([])
  })

  test('groups are deleted one by one', async () => {
    await fixture.stable('A')
    fixture.commit('', -1, { groupId: 'h' })
    expect(handleDeleteGroups({ groupsNames: ['g', 'h', 'h'] }, call(2), broker)).toEqual({
      results: [
        { groupId: 'g', errorCode: 68 },
        { groupId: 'h', errorCode: 0 },
        { groupId: 'h', errorCode: 69 },
      ],
    })
  })
})

const partition = (partitionIndex: number, committedMetadata: string | null = null) => ({
  partitionIndex,
  committedOffset: 40 + partitionIndex,
  committedLeaderEpoch: 2,
  committedMetadata,
})

const committed = (partitionIndex: number, metadata = '') => ({
  partitionIndex,
  committedOffset: 40 + partitionIndex,
  committedLeaderEpoch: 2,
  metadata,
  errorCode: 0,
})
const nothing = (partitionIndex: number) => ({
  partitionIndex,
  committedOffset: -1,
  committedLeaderEpoch: -1,
  metadata: '',
  errorCode: 0,
})

const partitionCodes = (...all: [number, number][]) =>
  all.map(([partitionIndex, errorCode]) => ({ partitionIndex, errorCode }))

describe('OffsetCommit, OffsetFetch, OffsetDelete', () => {
  const commitRequest = {
    groupId: 'g',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [
      { name: 'nope', partitions: [partition(0)] },
      { name: 't1', partitions: [partition(0), partition(99), partition(-1), partition(2, 'x')] },
    ],
  }
  test('partitions that do not exist are refused, the others committed', () => {
    expect(handleOffsetCommit(commitRequest, call(8), broker)).toEqual({
      topics: [
        { name: 'nope', partitions: partitionCodes([0, 3]) },
        { name: 't1', partitions: partitionCodes([0, 0], [99, 3], [-1, 3], [2, 0]) },
      ],
    })
    expect(fixture.groups.fetchOffsets('g', null)).toHaveLength(1)
  })

  test('an unknown group is an illegal generation before v9', async () => {
    const request = { ...commitRequest, generationIdOrMemberEpoch: 1, memberId: 'A-1' }
    const codes = async (version: number) =>
      (await handleOffsetCommit(request, call(version), broker))?.topics[1]?.partitions.map(
        ({ errorCode }) => errorCode,
      )
    expect(await codes(8)).toEqual([22, 3, 3, 22])
    expect(await codes(9)).toEqual([69, 3, 3, 69])
  })

  const fetchRequest = { groupId: '', topics: [], groups: [], requireStable: false }

  test('before v8 one group is answered at the top, null topics are all that is committed', () => {
    void handleOffsetCommit(commitRequest, call(8), broker)
    const asked = [
      { name: 't1', partitionIndexes: [2, 1] },
      { name: 'nope', partitionIndexes: [0] },
    ]
    expect(
      handleOffsetFetch({ ...fetchRequest, groupId: 'g', topics: asked }, call(7), broker),
    ).toEqual({
      topics: [
        { name: 't1', partitions: [committed(2, 'x'), nothing(1)] },
        { name: 'nope', partitions: [nothing(0)] },
      ],
    })
    expect(
      handleOffsetFetch({ ...fetchRequest, groupId: 'g', topics: null }, call(2), broker),
    ).toEqual({
      topics: [{ name: 't1', partitions: [committed(0), committed(2, 'x')] }],
    })
  })

  test('from v8 on many groups are answered, each with every partition it was asked for', () => {
    void handleOffsetCommit(commitRequest, call(8), broker)
    const more = { memberId: null, memberEpoch: -1 }
    const groups = [
      { groupId: 'unknown', ...more, topics: [{ name: 't1', partitionIndexes: [0, 1, 2] }] },
      { groupId: 'g', ...more, topics: null },
    ]
    expect(handleOffsetFetch({ ...fetchRequest, groups }, call(9), broker)).toEqual({
      groups: [
        {
          groupId: 'unknown',
          topics: [{ name: 't1', partitions: [nothing(0), nothing(1), nothing(2)] }],
        },
        {
          groupId: 'g',
          topics: [{ name: 't1', partitions: [committed(0), committed(2, 'x')] }],
        },
      ],
    })
  })

  test('offsets are deleted, those of subscribed topics and of no partition are refused', async () => {
    const topics = [
      { name: 't1', partitions: [{ partitionIndex: 0 }, { partitionIndex: 3 }] },
      { name: 'nope', partitions: [{ partitionIndex: 0 }] },
    ]
    const deleted = async () => {
      const answer = await handleOffsetDelete({ groupId: 'g', topics }, call(0), broker)
      const codes = answer?.topics.map((topic) => topic.partitions.map((each) => each.errorCode))
      return [answer?.errorCode, codes]
    }
    expect(await deleted()).toEqual([69, []])
    void handleOffsetCommit(commitRequest, call(8), broker)
    expect(await deleted()).toEqual([0, [[0, 3], [3]]])
    expect(fixture.groups.fetchOffsets('g', null)[0]?.partitions).toHaveLength(1)
    await fixture.stable('A')
    expect(await deleted()).toEqual([0, [[86, 3], [3]]])
  })
})

import { describe, expect, test } from 'vitest'
import { groupFixture, range } from '../../../test/support/group-fixture.ts'
import { type Journal, memoryJournal } from '../store/journal.ts'
import { StorageError } from '../store/store.ts'

const none = { offset: -1, leaderEpoch: -1, metadata: '' }
const five = { offset: 5, leaderEpoch: -1, metadata: '' }

describe('who may commit', () => {
  test('a consumer in no group, for a new or an empty group, which is then listed', () => {
    const { commit, groups } = groupFixture()
    expect(commit('', -1)).toBe(0)
    expect(commit('', -1, { offset: 7 })).toBe(0)
    expect(groups.listGroups()).toEqual([{ groupId: 'g', state: 'Empty', protocolType: '' }])
    expect(groups.fetchOffsets('g', null)[0]?.partitions[0]?.offset).toBe(7)
  })

  test.each([
    ['in no group while there are members', '', -1, {}, 25],
    ['a known member without its generation', 'A-1', -1, {}, 22],
    ['a wrong generation', 'A-1', 2, {}, 22],
    ['an unknown member', 'nobody', 1, {}, 25],
    ['an unknown instance', 'A-1', 1, { groupInstanceId: 'i' }, 25],
    ['an unknown group, before v9', 'A-1', 0, { groupId: 'other' }, 22],
    ['an unknown group, v9', 'A-1', 0, { groupId: 'other', knowsGroupIdNotFound: true }, 69],
  ])('%s may not', async (_, memberId, generationId, more, code) => {
    const { stable, commit, groups } = groupFixture()
    await stable('A')
    expect(commit(memberId, generationId, more)).toBe(code)
    expect(groups.fetchOffsets('g', null)).toEqual([])
    expect(groups.listGroups()).toHaveLength(1)
  })

  test('while the assignment is awaited: not yet; while joins are gathered: the old generation', async () => {
    const { stable, join, commit } = groupFixture()
    const [a = '', b = ''] = await stable('A', 'B')
    await join('A', a)
    expect(commit(b, 1)).toBe(0)
    await join('B', b)
    expect([commit(b, 1), commit(b, 2)]).toEqual([22, 27])
  })

  test('metadata beyond the limit spoils its own partition only', async () => {
    const { groups } = groupFixture({ settings: { 'offset.metadata.max.bytes': '3' } })
    const offsets = ['abc', 'abcd'].map((metadata, partition) => ({
      ...five,
      topic: 't1',
      partition,
      metadata,
    }))
    const request = { groupId: 'g', memberId: '', groupInstanceId: null, generationId: -1 }
    expect(groups.commitOffsets({ ...request, knowsGroupIdNotFound: true, offsets })).toEqual([
      0, 12,
    ])
    expect(groups.fetchOffsets('g', [{ topic: 't1', partitions: [0, 1] }])[0]?.partitions).toEqual([
      { partition: 0, ...five, metadata: 'abc' },
      { partition: 1, ...none },
    ])
    expect(groups.commitOffsets({ ...request, knowsGroupIdNotFound: true, offsets: [] })).toEqual(
      [],
    )
  })
})

describe('fetching offsets', () => {
  test('every requested partition is answered, known or not, in the order of the request', () => {
    const { commit, groups } = groupFixture()
    commit('', -1, { partition: 2 })
    const requested = [
      { topic: 'unknown', partitions: [0] },
      { topic: 't1', partitions: [3, 2, 1, 2] },
      { topic: 'empty', partitions: [] },
    ]
    expect(groups.fetchOffsets('g', requested)).toEqual([
      { topic: 'unknown', partitions: [{ partition: 0, ...none }] },
      {
        topic: 't1',
        partitions: [
          { partition: 3, ...none },
          { partition: 2, ...five },
          { partition: 1, ...none },
          { partition: 2, ...five },
        ],
      },
      { topic: 'empty', partitions: [] },
    ])
    expect(groups.fetchOffsets('unknown', requested)[1]?.partitions).toHaveLength(4)
    expect(groups.fetchOffsets('unknown', null)).toEqual([])
  })
})

describe('deleting', () => {
  test('a group: unknown 69, with members 68, empty 0 and then its offsets are gone', async () => {
    const { stable, join, commit, groups, clock, leave } = groupFixture()
    expect(groups.deleteGroup('g')).toBe(69)
    const [a = ''] = await stable('A')
    commit(a, 1)
    expect(groups.deleteGroup('g')).toBe(68)
    leave(a)
    await join('B')
    expect(groups.deleteGroup('g')).toBe(0)
    expect(groups.describeGroup('g')).toBeNull()
    expect(groups.fetchOffsets('g', null)).toEqual([])
    expect(clock.timerCount).toBe(0)
  })

  test('offsets of an empty group, committed or not', () => {
    const { commit, groups } = groupFixture()
    commit('', -1)
    commit('', -1, { topic: 't2' })
    expect(
      groups.deleteOffsets('g', [
        { topic: 't1', partitions: [0, 1] },
        { topic: 't3', partitions: [0] },
      ]),
    ).toEqual([0, 0])
    expect(groups.fetchOffsets('g', null).map(({ topic }) => topic)).toEqual(['t2'])
  })

  test('offsets of an active group: not of topics that are read', async () => {
    const { stable, commit, groups } = groupFixture()
    const [a = ''] = await stable('A')
    commit(a, 1)
    commit(a, 1, { topic: 't2' })
    const both = ['t1', 't2'].map((topic) => ({ topic, partitions: [0] }))
    expect(groups.deleteOffsets('g', both)).toEqual([86, 0])
    expect(groups.fetchOffsets('g', null).map(({ topic }) => topic)).toEqual(['t1'])
  })

  test('offsets of an active group whose subscriptions cannot be read, or of another kind', async () => {
    const unreadable = groupFixture()
    const protocols = [{ name: 'x', metadata: Buffer.from([1]) }]
    await unreadable.join('A', '', { protocols, isMemberIdRequired: false })
    const topics = [{ topic: 't2', partitions: [0] }]
    expect(unreadable.groups.deleteOffsets('g', topics)).toEqual([86])
    await unreadable.clock.advanceAsync(500)
    expect(unreadable.groups.deleteOffsets('g', topics)).toEqual([86])

    const connect = groupFixture()
    await connect.join('A', '', { protocolType: 'connect', isMemberIdRequired: false })
    expect(connect.groups.deleteOffsets('g', topics)).toBe(68)
    expect(connect.groups.deleteOffsets('unknown', topics)).toBe(69)
  })

  test('a topic takes its offsets along in every group', () => {
    const { commit, groups } = groupFixture()
    commit('', -1)
    commit('', -1, { topic: 't2' })
    commit('', -1, { groupId: 'h' })
    groups.dropTopic('t1')
    expect(groups.fetchOffsets('g', null).map(({ topic }) => topic)).toEqual(['t2'])
    expect(groups.fetchOffsets('h', null)).toEqual([])
    expect(groups.listGroups()).toHaveLength(2)
  })
})

describe('describing', () => {
  test('protocol and metadata only while stable, members and assignments always', async () => {
    const { stable, join, describe: describeGroup } = groupFixture()
    expect(describeGroup()).toBeNull()
    const [a = ''] = await stable('A')
    const member = {
      memberId: a,
      groupInstanceId: null,
      clientId: '',
      clientHost: '/127.0.0.1',
      assignment: Buffer.from(`to ${a}`),
    }
    expect(describeGroup()).toEqual({
      groupId: 'g',
      state: 'Stable',
      protocolType: 'consumer',
      protocolName: 'range',
      members: [{ ...member, metadata: range('t1').metadata }],
    })
    await join('B', '', { isMemberIdRequired: false })
    expect(describeGroup()).toMatchObject({
      state: 'PreparingRebalance',
      protocolName: '',
      members: [{ ...member, metadata: Buffer.alloc(0) }, { clientId: 'B' }],
    })
  })
})

describe('after a restart', () => {
  test('committed offsets are there and their groups are Empty', async () => {
    const journal = memoryJournal()
    const before = groupFixture({ journal })
    const [a = ''] = await before.stable('A')
    before.commit(a, 1, { offset: 41, metadata: 'm' })
    before.groups.close()

    const after = groupFixture({ journal })
    expect(after.groups.listGroups()).toEqual([{ groupId: 'g', state: 'Empty', protocolType: '' }])
    expect(after.groups.fetchOffsets('g', null)).toEqual([
      {
        topic: 't1',
        partitions: [{ partition: 0, offset: 41, leaderEpoch: -1, metadata: 'm' }],
      },
    ])
    expect(after.commit(a, 1)).toBe(25)
    expect(after.heartbeat(a, 1)).toBe(25)
    expect((await after.join('A', a)).value?.errorCode).toBe(25)
    expect((await after.stable('A'))[0]).toBe('A-1')
  })

  test('what was deleted stays deleted', () => {
    const journal = memoryJournal()
    const before = groupFixture({ journal })
    for (const groupId of ['g', 'h', 'i']) before.commit('', -1, { groupId })
    before.commit('', -1, { groupId: 'i', topic: 't2' })
    before.groups.deleteGroup('g')
    before.groups.deleteOffsets('h', [{ topic: 't1', partitions: [0] }])
    before.groups.dropTopic('t2')
    const after = groupFixture({ journal })
    expect(after.groups.listGroups().map(({ groupId }) => groupId)).toEqual(['i'])
    expect(after.groups.fetchOffsets('i', null).map(({ topic }) => topic)).toEqual(['t1'])
  })
})

test('what cannot be kept is refused with KAFKA_STORAGE_ERROR and not done', () => {
  const kept = memoryJournal()
  let isFull = false
  const journal: Journal = {
    ...kept,
    append(entry) {
      if (isFull) throw new StorageError('no space left')
      kept.append(entry)
    },
  }
  const { commit, groups, lines } = groupFixture({ journal })
  commit('', -1)
  isFull = true
  expect(commit('', -1, { offset: 9 })).toBe(56)
  expect(groups.deleteOffsets('g', [{ topic: 't1', partitions: [0] }])).toEqual([56])
  expect(groups.deleteGroup('g')).toBe(56)
  groups.dropTopic('t1')
  expect(groups.fetchOffsets('g', null)[0]?.partitions).toEqual([{ partition: 0, ...five }])
  expect(lines).toContain('committed offsets: no space left')
})

import { expect, test } from 'vitest'
import { collectingConsumerSink, connectionTo } from '../../../test/support/client-options.ts'
import { FetchNode, recordsFrom } from '../../../test/support/fetch-node.ts'
import { ManualClock, settled } from '../../../test/support/manual-clock.ts'
import type { Api } from '../../protocol/api.ts'
import { encodeAssignment } from '../../protocol/consumer-protocol.ts'
import { errorCode } from '../../protocol/errors.ts'
import type { BatchCursor, ConsumerOptions } from '../driver.ts'
import type { Cluster } from './cluster.ts'
import { WireConsumer } from './consumer.ts'
import { ConnectionError } from './errors.ts'

interface Question {
  readonly name: string
  readonly body: object
  answer(value: unknown): void
  fail(error: unknown): void
}

const beatMs = 1_000
const commitMs = 1_000
/** Then only a rebalance commits. */
const seldomCommits = { 'auto.commit.interval.ms': '60000' }
const gone = (): ConnectionError => new ConnectionError('closed', 'x:1', 'gone')

/** A consumer whose brokers are the test: what it asks is in `asked`, and `answer` answers the oldest open question of a kind. */
const stage = (
  changes: Partial<ConsumerOptions> = {},
  properties: Readonly<Record<string, string>> = {},
) => {
  const clock = new ManualClock(0)
  const nodes = [new FetchNode(null), new FetchNode(null)] as const
  const leaderIds = new Map([
    [0, 0],
    [1, 1],
  ])
  const asked: Question[] = []
  const open: Question[] = []
  const request = ({ name }: Api, body: object) =>
    new Promise((answer, fail) => {
      const question = { name, body, answer, fail }
      asked.push(question)
      open.push(question)
    })
  const control = { request }
  const nodeOf = (id: number): FetchNode => nodes[id as 0 | 1]
  let isClosed = false
  const cluster = {
    clientId: 'c',
    leadersOf: () =>
      new Map(
        [...leaderIds].map(([partition, leaderId]) => [
          partition,
          { partition, leaderId, leaderEpoch: 3 },
        ]),
      ),
    topicIdOf: () => null,
    liveConnection: (id: number) => (nodeOf(id).isOpen ? nodeOf(id) : null),
    connectionTo: (id: number, purpose: string) => {
      if (purpose === 'data') nodeOf(id).isOpen = true
      return Promise.resolve(purpose === 'data' ? nodeOf(id) : control)
    },
    coordinatorOf: () => Promise.resolve(control),
    forgetCoordinator: () => {},
    request,
    refresh: () => Promise.resolve(),
    close: () => {
      isClosed = true
    },
  } as unknown as Cluster
  const collected = collectingConsumerSink()
  const held = { isHolding: false, finish: (): void => {} }
  const onBatch = (batch: BatchCursor): void | Promise<void> => {
    void collected.sink.onBatch(batch)
    if (!held.isHolding) return
    return new Promise((resolve) => {
      held.finish = resolve
    })
  }
  const consumer = new WireConsumer(
    cluster,
    connectionTo('x:1', {
      properties: { retries: '2', 'retry.backoff.ms': '100', ...properties },
    }),
    {
      topic: 't',
      groupId: 'g',
      clientId: 'c',
      assignor: 'range',
      autoCommit: true,
      isolation: 'read-uncommitted',
      fetchMinBytes: 1,
      fetchMaxWaitMs: 500,
      maxPartitionFetchBytes: 1_000,
      sessionTimeoutMs: 10_000,
      ...changes,
    },
    { ...collected.sink, onBatch },
    clock,
  )
  const take = (name: string): Question => {
    const at = open.findIndex((one) => one.name === name)
    const [question] = at < 0 ? [] : open.splice(at, 1)
    if (question === undefined) throw new Error(`no ${name} is open: ${namesOf(open).join()}`)
    return question
  }
  const answer = async (name: string, value: object): Promise<void> => {
    take(name).answer(value)
    await settled()
  }
  const lose = async (name: string): Promise<void> => {
    take(name).fail(gone())
    await settled()
  }
  const join = (generationId: number, changed: object = {}): Promise<void> =>
    answer('JoinGroup', {
      errorCode: 0,
      generationId,
      leader: 'other',
      memberId: 'm1',
      protocolName: 'range',
      skipAssignment: false,
      members: [],
      ...changed,
    })
  const sync = (partitions: readonly number[]): Promise<void> =>
    answer('SyncGroup', {
      errorCode: 0,
      assignment: encodeAssignment(0, {
        assignedPartitions: [{ topic: 't', partitions: [...partitions] }],
      }),
    })
  /** What the group has committed, by partition; `code` for all of them. */
  const fetchOffsets = (committed: Readonly<Record<number, number>>, code = 0): Promise<void> =>
    answer('OffsetFetch', {
      errorCode: code,
      groups: [],
      topics: [
        {
          name: 't',
          partitions: Object.entries(committed).map(([partition, committedOffset]) => ({
            partitionIndex: Number(partition),
            committedOffset,
            errorCode: 0,
          })),
        },
      ],
    })
  const logStart = (offset: number): Promise<void> =>
    answer('ListOffsets', { topics: [{ partitions: [{ errorCode: 0, offset }] }] })
  /** Answers the open commit. */
  const acceptCommit = (code = 0): Promise<void> =>
    answer('OffsetCommit', { topics: [{ partitions: [{ errorCode: code }] }] })
  /** Lets the next heartbeat come and answers it. */
  const beat = async (code = 0): Promise<void> => {
    await clock.advanceAsync(beatMs)
    await answer('Heartbeat', { errorCode: code })
  }
  /** In generation 1 with both partitions, each read from 0. */
  const settle = async (partitions = [0, 1]): Promise<void> => {
    await consumer.start()
    await settled()
    await join(1)
    await sync(partitions)
    await fetchOffsets({ 0: 0, 1: 0 })
    asked.length = 0
  }
  return {
    ...{ clock, nodes, leaderIds, asked, consumer, held, answer, lose, join, sync, settle, beat },
    ...{ fetchOffsets, logStart, acceptCommit },
    ...{ events: collected.events, crashes: collected.crashes },
    names: () => namesOf(asked),
    last: (name: string) => asked.findLast((one) => one.name === name)?.body,
    values: () => collected.records.map(({ partition, value }) => `${partition}:${value}`),
    told: () => collected.events.map(({ type }) => type),
    isClosed: () => isClosed,
    finish: async (): Promise<void> => {
      held.isHolding = false
      held.finish()
      await settled()
    },
  }
}

const namesOf = (questions: readonly Question[]): string[] => questions.map(({ name }) => name)

/** The body of a commit, in short. */
const commitOf = (generation: number, offsets: Readonly<Record<number, number>>) => ({
  memberId: 'm1',
  generationIdOrMemberEpoch: generation,
  topics: [
    {
      partitions: Object.entries(offsets).map(([partition, committedOffset]) => ({
        partitionIndex: Number(partition),
        committedOffset,
      })),
    },
  ],
})

test('joins, and reads from what the group committed, else from where the log begins', async () => {
  const { consumer, nodes, events, join, sync, fetchOffsets, logStart } = stage()
  await consumer.start()
  await settled()
  await join(1)
  await sync([0, 1])
  expect(events).toEqual([
    { type: 'assigned', memberId: 'm1', generation: 1, partitions: [0, 1], atNs: 0 },
  ])
  await fetchOffsets({ 0: 5, 1: -1 })
  await logStart(2)
  expect([nodes[0].lastAsked, nodes[1].lastAsked]).toEqual([[[0, 5]], [[1, 2]]])
})

test('commits every so often what has moved, and nothing twice', async () => {
  const { clock, nodes, last, names, acceptCommit, settle } = stage()
  await settle()
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 3) })
  nodes[1].answer({ partitionIndex: 1, records: recordsFrom(0, 1) })
  await clock.advanceAsync(commitMs)
  expect(last('OffsetCommit')).toMatchObject(commitOf(1, { 0: 3, 1: 1 }))
  await acceptCommit()
  await clock.advanceAsync(commitMs)
  expect(names().filter((one) => one === 'OffsetCommit')).toHaveLength(1)
  nodes[1].answer({ partitionIndex: 1, records: recordsFrom(1, 1) })
  await clock.advanceAsync(commitMs)
  expect(last('OffsetCommit')).toMatchObject(commitOf(1, { 1: 2 }))
})

test('does not go back behind what the caller has committed of a batch', async () => {
  const { clock, consumer, nodes, held, names, acceptCommit, settle } = stage()
  await settle([0])
  held.isHolding = true
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 3) })
  const committed = consumer.commit(new Map([[0, 2]]))
  await settled()
  await acceptCommit()
  await committed
  await clock.advanceAsync(3 * commitMs)
  expect(names().filter((one) => one === 'OffsetCommit')).toHaveLength(1)
})

test('pauses while the sink is busy: no Fetch, no commit of it, but heartbeats', async () => {
  const { clock, nodes, held, last, finish, values, beat, acceptCommit, settle } = stage()
  await settle([0])
  held.isHolding = true
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 3) })
  // The Fetch that was sent ahead is kept, and none follows it.
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(3, 1) })
  await beat()
  expect(nodes[0].openFetches).toBe(0)
  expect(last('OffsetCommit')).toMatchObject(commitOf(1, { 0: 0 }))
  await acceptCommit()
  await finish()
  expect(values()).toEqual(['0:v0', '0:v1', '0:v2', '0:v3'])
  expect(nodes[0].lastAsked).toEqual([[0, 4]])
  await clock.advanceAsync(commitMs)
  expect(last('OffsetCommit')).toMatchObject(commitOf(1, { 0: 4 }))
})

test('a rebalance while a Fetch is under way: commits, joins, and what the Fetch brings is nobody’s', async () => {
  const { nodes, told, names, last, values, ...at } = stage({}, seldomCommits)
  await at.settle()
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 3) })
  expect(nodes[0].openFetches).toBe(1)
  await at.beat(errorCode.REBALANCE_IN_PROGRESS)
  expect(last('OffsetCommit')).toMatchObject(commitOf(1, { 0: 3, 1: 0 }))
  expect(names()).not.toContain('JoinGroup')
  await at.acceptCommit()
  expect(told()).toEqual(['assigned', 'revoked'])
  expect(names().at(-1)).toBe('JoinGroup')
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(3, 2) })
  await at.join(2)
  await at.sync([0])
  await at.fetchOffsets({ 0: 3 })
  expect(nodes[0].lastAsked).toEqual([[0, 3]])
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(3, 2) })
  expect(values()).toEqual(['0:v0', '0:v1', '0:v2', '0:v3', '0:v4'])
  expect(told()).toEqual(['assigned', 'revoked', 'assigned'])
})

test('a rebalance while the sink is busy: joins once it is done, with the batch committed', async () => {
  const { nodes, held, names, last, ...at } = stage({}, seldomCommits)
  await at.settle([0])
  held.isHolding = true
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 3) })
  await at.beat(errorCode.REBALANCE_IN_PROGRESS)
  await at.beat(errorCode.REBALANCE_IN_PROGRESS)
  expect(names()).toEqual(['Heartbeat', 'Heartbeat'])
  await at.finish()
  expect(last('OffsetCommit')).toMatchObject(commitOf(1, { 0: 3 }))
  await at.acceptCommit()
  expect(names().at(-1)).toBe('JoinGroup')
})

test('without auto-commit it joins at once and commits nothing', async () => {
  const { nodes, names, ...at } = stage({ autoCommit: false })
  await at.settle()
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 3) })
  await at.beat(errorCode.REBALANCE_IN_PROGRESS)
  expect(names()).toEqual(['Heartbeat', 'JoinGroup'])
})

test('a cooperative member reads on what it keeps, and joins again without what it gives up', async () => {
  const { nodes, told, names, last, values, events, ...at } = stage(
    { assignor: 'cooperative-sticky' },
    seldomCommits,
  )
  await at.settle()
  nodes[1].answer({ partitionIndex: 1, records: recordsFrom(0, 2) })
  await at.beat(errorCode.REBALANCE_IN_PROGRESS)
  await at.acceptCommit()
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 1) })
  await at.join(2)
  await at.sync([0])
  expect(events.at(-1)).toMatchObject({ type: 'assigned', generation: 2, partitions: [0] })
  // The last word on what it gives up is its commit; then it is for others.
  expect(last('OffsetCommit')).toMatchObject(commitOf(2, { 0: 1 }))
  await at.acceptCommit()
  expect(names().filter((one) => one === 'JoinGroup')).toHaveLength(2)
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(1, 1) })
  nodes[1].answer({ partitionIndex: 1, records: recordsFrom(2, 1) })
  await at.join(3)
  await at.sync([0])
  expect(values()).toEqual(['1:v0', '1:v1', '0:v0', '0:v1'])
  expect(told()).toEqual(['assigned', 'assigned', 'assigned'])
})

test('a partition that went and came back is read from the newer commit', async () => {
  const { nodes, ...at } = stage({ autoCommit: false })
  await at.consumer.start()
  await settled()
  await at.join(1)
  await at.sync([0])
  await at.beat(errorCode.REBALANCE_IN_PROGRESS)
  await at.join(2)
  await at.sync([0])
  await at.fetchOffsets({ 0: 5 })
  expect(nodes[0].openFetches).toBe(0)
  await at.fetchOffsets({ 0: 9 })
  expect(nodes[0].lastAsked).toEqual([[0, 9]])
})

test('commits when asked to, leaves the group, and is gone', async () => {
  const { consumer, told, last, isClosed, nodes, ...at } = stage()
  await at.settle()
  const committed = consumer.commit(new Map([[0, 7]]))
  await settled()
  expect(last('OffsetCommit')).toMatchObject(commitOf(1, { 0: 7 }))
  await at.acceptCommit()
  await committed
  const closed = consumer.close()
  await settled()
  expect(last('LeaveGroup')).toMatchObject({ groupId: 'g', members: [{ memberId: 'm1' }] })
  expect(isClosed()).toBe(false)
  await at.answer('LeaveGroup', { errorCode: 0, members: [] })
  await closed
  expect(isClosed()).toBe(true)
  expect(told()).toEqual(['assigned', 'revoked', 'left'])
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 1) })
  expect(at.values()).toEqual([])
})

test('a coordinator that does not answer the leave is waited for five seconds', async () => {
  const { clock, consumer, told, ...at } = stage()
  await at.settle()
  const closed = consumer.close()
  await clock.advanceAsync(4_999)
  expect(told()).not.toContain('left')
  await clock.advanceAsync(1)
  await closed
  expect(told()).toContain('left')
})

test('a static member does not leave', async () => {
  const { consumer, names, told, ...at } = stage({}, { 'group.instance.id': 'i1' })
  await at.settle()
  await consumer.close()
  expect(names()).toEqual([])
  expect(told()).toContain('left')
})

test('a commit before the first generation is refused', async () => {
  const { consumer } = stage()
  await expect(consumer.commit(new Map([[0, 1]]))).rejects.toThrow('not yet a member of group g')
})

test('a commit while the member joins waits, and then says what is still its own', async () => {
  const { consumer, last, names, ...at } = stage({ autoCommit: false })
  await at.settle()
  await at.beat(errorCode.REBALANCE_IN_PROGRESS)
  const committed = consumer.commit(
    new Map([
      [0, 3],
      [1, 4],
    ]),
  )
  await settled()
  expect(names()).not.toContain('OffsetCommit')
  await at.join(2)
  await at.sync([1])
  expect(last('OffsetCommit')).toMatchObject(commitOf(2, { 1: 4 }))
  await at.acceptCommit()
  await committed
})

test('a commit of what is somebody else’s by then is refused', async () => {
  const { consumer, ...at } = stage({ autoCommit: false })
  await at.settle()
  await at.beat(errorCode.REBALANCE_IN_PROGRESS)
  const committed = consumer.commit(new Map([[0, 3]]))
  const refused = expect(committed).rejects.toMatchObject({
    kafkaCode: errorCode.REBALANCE_IN_PROGRESS,
  })
  await at.join(2)
  await at.sync([1])
  await refused
})

test('a commit that met the end of its generation is made again in the next', async () => {
  const { consumer, last, ...at } = stage({ autoCommit: false })
  await at.settle()
  const committed = consumer.commit(new Map([[0, 3]]))
  await at.beat(errorCode.REBALANCE_IN_PROGRESS)
  await at.acceptCommit(errorCode.ILLEGAL_GENERATION)
  await at.join(2)
  await at.sync([0, 1])
  expect(last('OffsetCommit')).toMatchObject(commitOf(2, { 0: 3 }))
  await at.acceptCommit()
  await committed
})

test('a commit is tried again while the coordinator moves', async () => {
  const { clock, consumer, names, ...at } = stage({ autoCommit: false })
  await at.settle()
  const committed = consumer.commit(new Map([[0, 3]]))
  await settled()
  await at.acceptCommit(errorCode.NOT_COORDINATOR)
  await clock.advanceAsync(100)
  await at.lose('OffsetCommit')
  await clock.advanceAsync(100)
  await at.acceptCommit()
  await committed
  expect(names().filter((one) => one === 'OffsetCommit')).toHaveLength(3)
})

test.each([
  ['UNKNOWN_MEMBER_ID', ''],
  ['ILLEGAL_GENERATION', 'm1'],
] as const)(
  '%s to a commit or a heartbeat: what it read is lost, and it joins again',
  async (name, memberId) => {
    const code = errorCode[name]
    for (const isCommit of [true, false]) {
      const { clock, consumer, nodes, told, last, ...at } = stage({ autoCommit: false })
      await at.settle()
      if (isCommit) {
        const committed = consumer.commit(new Map([[0, 3]]))
        const refused = expect(committed).rejects.toMatchObject({ kafkaCode: code })
        await settled()
        await at.acceptCommit(code)
        await refused
      } else await at.beat(code)
      expect(told()).toEqual(['assigned', 'revoked'])
      nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 1) })
      expect(at.values()).toEqual([])
      await clock.advanceAsync(100)
      expect(last('JoinGroup')).toMatchObject({ memberId })
    }
  },
)

test('REBALANCE_IN_PROGRESS to a commit: it is refused, and the member joins again', async () => {
  const { consumer, names, ...at } = stage({ autoCommit: false })
  await at.settle()
  const committed = consumer.commit(new Map([[0, 3]]))
  const refused = expect(committed).rejects.toMatchObject({
    kafkaCode: errorCode.REBALANCE_IN_PROGRESS,
  })
  await settled()
  await at.acceptCommit(errorCode.REBALANCE_IN_PROGRESS)
  await refused
  expect(names()).toEqual(['OffsetCommit', 'JoinGroup'])
})

test.each(['FENCED_INSTANCE_ID', 'GROUP_AUTHORIZATION_FAILED'] as const)(
  '%s ends it: it is told once, and nothing more is asked for',
  async (name) => {
    const { clock, nodes, crashes, names, ...at } = stage()
    await at.settle()
    await at.beat(errorCode[name])
    expect(crashes).toEqual([{ message: expect.stringContaining(name), isConnectionLost: false }])
    const before = names().length
    nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 1) })
    await clock.advanceAsync(60_000)
    expect(names()).toHaveLength(before)
    expect(at.values()).toEqual([])
    expect(crashes).toHaveLength(1)
  },
)

test('an offset that is not in the log any more: goes on where the log begins', async () => {
  const { nodes, crashes, ...at } = stage()
  await at.settle([0])
  nodes[0].answer({ partitionIndex: 0, errorCode: errorCode.OFFSET_OUT_OF_RANGE })
  await settled()
  await at.logStart(40)
  expect(nodes[0].lastAsked).toEqual([[0, 40]])
  expect(crashes).toEqual([])
})

test('a leader that moved is followed from where the reading stood', async () => {
  const { nodes, leaderIds, ...at } = stage()
  await at.settle([0])
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 3) })
  leaderIds.set(0, 1)
  nodes[0].answer({ partitionIndex: 0, errorCode: errorCode.NOT_LEADER_OR_FOLLOWER })
  await settled()
  expect(nodes[1].lastAsked).toEqual([[0, 3]])
  expect(at.told()).toEqual(['assigned'])
})

test('a lost data connection is opened again, and the membership does not notice', async () => {
  const { nodes, ...at } = stage()
  await at.settle()
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 3) })
  nodes[0].lose()
  await settled()
  expect(nodes[0].lastAsked).toEqual([[0, 3]])
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(3, 1) })
  expect(at.values()).toHaveLength(4)
  expect(at.told()).toEqual(['assigned'])
})

test('a coordinator that is gone for good ends it as a lost connection', async () => {
  const { clock, crashes, ...at } = stage({ autoCommit: false })
  await at.settle()
  await clock.advanceAsync(beatMs)
  for (const waitMs of [100, 200]) {
    await at.lose('Heartbeat')
    await clock.advanceAsync(waitMs)
  }
  expect(crashes).toEqual([])
  await at.lose('Heartbeat')
  expect(crashes).toEqual([{ message: expect.stringContaining('gone'), isConnectionLost: true }])
})

test('positions that cannot be had yet are asked for again; a refusal for good ends it', async () => {
  const { clock, consumer, nodes, crashes, ...at } = stage({ autoCommit: false })
  await consumer.start()
  await settled()
  await at.join(1)
  await at.sync([0])
  await at.fetchOffsets({}, errorCode.COORDINATOR_LOAD_IN_PROGRESS)
  await clock.advanceAsync(100)
  await at.lose('OffsetFetch')
  await clock.advanceAsync(200)
  await at.fetchOffsets({ 0: 5 })
  expect(nodes[0].lastAsked).toEqual([[0, 5]])
  const other = stage({ autoCommit: false })
  await other.consumer.start()
  await settled()
  await other.join(1)
  await other.sync([0])
  await other.fetchOffsets({}, errorCode.GROUP_AUTHORIZATION_FAILED)
  expect([crashes.length, other.crashes.length]).toEqual([0, 1])
})

test('a leader joins again when the topic has more partitions than it shared out', async () => {
  const { clock, consumer, leaderIds, names, ...at } = stage(
    { autoCommit: false },
    { 'metadata.max.age.ms': '500' },
  )
  await consumer.start()
  await settled()
  await at.join(1, { leader: 'm1' })
  const partitions = [{ partitionIndex: 0 }, { partitionIndex: 1 }]
  await at.answer('Metadata', { topics: [{ name: 't', errorCode: 0, partitions }] })
  await at.sync([0, 1])
  await clock.advanceAsync(500)
  expect(names().filter((one) => one === 'JoinGroup')).toHaveLength(1)
  leaderIds.set(2, 0)
  await clock.advanceAsync(500)
  expect(names().filter((one) => one === 'JoinGroup')).toHaveLength(2)
})

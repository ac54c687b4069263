import { expect, test } from 'vitest'
import { FetchNode, recordsFrom } from '../../../test/support/fetch-node.ts'
import { ManualClock, settled } from '../../../test/support/manual-clock.ts'
import { errorCode } from '../../protocol/errors.ts'
import type { BatchCursor } from '../driver.ts'
import type { Cluster } from './cluster.ts'
import { Fetcher, type FetcherOptions } from './fetcher.ts'

const stage = (changes: Partial<FetcherOptions> = {}, topicId: string | null = null) => {
  const clock = new ManualClock(0)
  const nodes = [new FetchNode(topicId), new FetchNode(topicId)] as const
  const leaderIds = new Map([
    [0, 0],
    [1, 0],
    [2, 1],
  ])
  let refreshes = 0
  const cluster = {
    leadersOf: () =>
      new Map(
        [...leaderIds].map(([partition, leaderId]) => [
          partition,
          { partition, leaderId, leaderEpoch: 3 },
        ]),
      ),
    topicIdOf: () => topicId,
    liveConnection: (id: number) => (nodes[id as 0 | 1].isOpen ? nodes[id as 0 | 1] : null),
    connectionTo: (id: number) => {
      nodes[id as 0 | 1].isOpen = true
      return Promise.resolve(nodes[id as 0 | 1])
    },
    refresh: () => {
      refreshes += 1
      return Promise.resolve()
    },
  } as unknown as Cluster
  const values: string[] = []
  const crashes: unknown[] = []
  const held: { finish: (() => void) | null } = { finish: null }
  const sink = {
    isHolding: false,
    onBatch: (batch: BatchCursor): void | Promise<void> => {
      while (batch.next()) {
        const { bytes, valueStart, valueLength, partition } = batch
        const value = Buffer.from(bytes.subarray(valueStart, valueStart + valueLength)).toString()
        values.push(`${partition}:${value}`)
      }
      if (!sink.isHolding) return
      return new Promise((resolve) => {
        held.finish = resolve
      })
    },
    onGroupEvent: () => {},
    onFetch: () => {},
    onCrash: () => {},
  }
  const properties = { retries: '3', 'retry.backoff.ms': '100' }
  const fetcher = new Fetcher(
    cluster,
    { properties } as never,
    {
      settings: {
        clientId: 'c',
        topic: 't',
        isolation: 'read-uncommitted',
        minBytes: 1,
        maxWaitMs: 500,
        maxBytes: 1_000,
        partitionMaxBytes: 1_000,
        rackId: '',
        requestTimeoutMs: 1_000,
      },
      checksCrc: true,
      resetOffset: null,
      onCrash: (error) => crashes.push(error),
      ...changes,
    },
    sink,
    clock,
  )
  const finish = async (): Promise<void> => {
    held.finish?.()
    await settled()
  }
  return {
    clock,
    fetcher,
    nodes,
    leaderIds,
    sink,
    values,
    crashes,
    finish,
    refreshes: () => refreshes,
  }
}

const given = (entries: [number, number][]) => new Map(entries)

test.each([null, 'AAAAAAAAAAAAAAAAAAAAAQ'])(
  'asks each leader for its partitions, the next time before the records are handed out (id %s)',
  (topicId) => {
    const { fetcher, nodes, values, sink } = stage({}, topicId)
    fetcher.add(
      given([
        [0, 5],
        [1, 9],
        [2, 1],
      ]),
    )
    expect(nodes[0].lastAsked).toEqual([
      [0, 5],
      [1, 9],
    ])
    expect(nodes[1].lastAsked).toEqual([[2, 1]])
    expect(nodes[0].asked[0]?.topics[0]?.partitions[0]?.currentLeaderEpoch).toBe(3)
    const askedWhenHandedOut: number[] = []
    const { onBatch } = sink
    sink.onBatch = (batch) => {
      askedWhenHandedOut.push(nodes[0].asked.length)
      return onBatch(batch)
    }
    nodes[0].answer({ partitionIndex: 0, records: recordsFrom(5, 2) }, { partitionIndex: 1 })
    // Partition 1 has waited, so it is asked for first.
    expect(nodes[0].lastAsked).toEqual([
      [1, 9],
      [0, 7],
    ])
    expect(askedWhenHandedOut).toEqual([2])
    expect(values).toEqual(['0:v5', '0:v6'])
    expect(fetcher.positions()).toEqual(
      given([
        [0, 7],
        [1, 9],
        [2, 1],
      ]),
    )
  },
)

test('waits for the sink: positions stand, one answer is kept, nothing more is asked for', async () => {
  const { fetcher, nodes, values, sink, finish } = stage()
  fetcher.add(given([[0, 0]]))
  sink.isHolding = true
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 1) })
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(1, 1) })
  expect(nodes[0].openFetches).toBe(0)
  expect(values).toEqual(['0:v0'])
  expect(fetcher.positions()).toEqual(given([[0, 0]]))
  sink.isHolding = false
  await finish()
  // What was kept is whole, though the bytes it came in are not there any more.
  expect(values).toEqual(['0:v0', '0:v1'])
  expect(fetcher.positions()).toEqual(given([[0, 2]]))
  expect(nodes[0].lastAsked).toEqual([[0, 2]])
})

test('removed partitions end where the sink is done with them, and nothing of them comes after', async () => {
  const { fetcher, nodes, values, sink, finish } = stage()
  fetcher.add(
    given([
      [0, 0],
      [1, 0],
    ]),
  )
  sink.isHolding = true
  nodes[0].answer(
    { partitionIndex: 0, records: recordsFrom(0, 3) },
    { partitionIndex: 1, records: recordsFrom(0, 3) },
  )
  let ended: Map<number, number> | null = null
  void fetcher.remove([0, 1]).then((positions) => {
    ended = positions
  })
  await settled()
  expect(ended).toBeNull()
  await finish()
  expect(ended).toEqual(
    given([
      [0, 3],
      [1, 0],
    ]),
  )
  expect(values).toEqual(['0:v0', '0:v1', '0:v2'])
  // What the Fetch on its way brings is nobody's.
  sink.isHolding = false
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(3, 1) })
  expect(values).toHaveLength(3)
  expect(fetcher.partitions).toEqual([])
})

test.each(['NOT_LEADER_OR_FOLLOWER', 'FENCED_LEADER_EPOCH', 'UNKNOWN_TOPIC_ID'] as const)(
  '%s: asks the new leader, and again after longer waits; gives up in the end',
  async (name) => {
    const { clock, fetcher, nodes, leaderIds, crashes, refreshes } = stage()
    fetcher.add(given([[0, 4]]))
    leaderIds.set(0, 1)
    nodes[0].answer({ partitionIndex: 0, errorCode: errorCode[name] })
    await settled()
    expect(refreshes()).toBe(1)
    expect(nodes[1].lastAsked).toEqual([[0, 4]])
    for (const delayMs of [100, 200]) {
      nodes[1].answer({ partitionIndex: 0, errorCode: errorCode[name] })
      await clock.advanceAsync(delayMs - 1)
      expect(nodes[1].openFetches).toBe(0)
      await clock.advanceAsync(1)
      expect(nodes[1].openFetches).toBe(1)
    }
    expect(crashes).toEqual([])
    nodes[1].answer({ partitionIndex: 0, errorCode: errorCode[name] })
    expect(crashes).toHaveLength(1)
  },
)

test('a lost connection: what was read of other brokers goes on, and the rest once there is one again', async () => {
  const { fetcher, nodes, values } = stage()
  fetcher.add(
    given([
      [0, 0],
      [2, 0],
    ]),
  )
  nodes[0].lose()
  nodes[1].answer({ partitionIndex: 2, records: recordsFrom(0, 1) })
  await settled()
  nodes[0].answer({ partitionIndex: 0, records: recordsFrom(0, 1) })
  expect(values).toEqual(['2:v0', '0:v0'])
})

test('outside of the log: goes on where it is told to, or gives up', async () => {
  const reset = stage({ resetOffset: () => Promise.resolve(40) })
  reset.fetcher.add(given([[0, 4]]))
  reset.nodes[0].answer({ partitionIndex: 0, errorCode: errorCode.OFFSET_OUT_OF_RANGE })
  await settled()
  expect(reset.nodes[0].lastAsked).toEqual([[0, 40]])
  const fixed = stage()
  fixed.fetcher.add(given([[0, 4]]))
  fixed.nodes[0].answer({ partitionIndex: 0, errorCode: errorCode.OFFSET_OUT_OF_RANGE })
  expect(fixed.crashes).toHaveLength(1)
})

test('damaged records end it; what was handed out before them stays', () => {
  const { fetcher, nodes, values, crashes } = stage()
  fetcher.add(given([[0, 0]]))
  const damaged = recordsFrom(1, 1)
  damaged[damaged.length - 2] = 0
  const records = Buffer.concat([recordsFrom(0, 1), damaged])
  nodes[0].answer({ partitionIndex: 0, records })
  expect(values).toEqual(['0:v0'])
  expect(crashes).toHaveLength(1)
  expect(fetcher.positions().size).toBe(0)
})

test('has two Fetches under way while all that they ask for is there', () => {
  const { fetcher, nodes, values } = stage()
  const [node] = nodes
  fetcher.add(
    given([
      [0, 5],
      [1, 9],
    ]),
  )
  expect(node.openFetches).toBe(1)
  const backlog = { highWatermark: 100 }
  node.answer(
    { partitionIndex: 0, records: recordsFrom(5, 2), ...backlog },
    { partitionIndex: 1, records: recordsFrom(9, 1), ...backlog },
  )
  const asked = (): unknown[] =>
    node.asked.map(({ topics }) =>
      topics[0]?.partitions.map(({ partition, fetchOffset }) => [partition, fetchOffset]),
    )
  expect(asked().slice(1)).toEqual([[[0, 7]], [[1, 10]]])
  node.answer({ partitionIndex: 0, records: recordsFrom(7, 1), ...backlog })
  expect(asked().slice(3)).toEqual([[[0, 8]]])
  // At its end: a Fetch of it would wait, and hold up those of the other.
  node.answer({ partitionIndex: 1, records: recordsFrom(10, 1), highWatermark: 11 })
  expect([node.openFetches, node.asked.length]).toEqual([1, 4])
  node.answer({ partitionIndex: 0, records: recordsFrom(8, 1), ...backlog })
  expect([node.openFetches, ...asked().slice(4)]).toEqual([
    1,
    [
      [1, 11],
      [0, 9],
    ],
  ])
  expect(values).toEqual(['0:v5', '0:v6', '1:v9', '0:v7', '1:v10', '0:v8'])
})

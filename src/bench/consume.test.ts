import { describe, expect, it } from 'vitest'
import { type BenchTest, benchTest } from '../../test/support/bench-run.ts'
import type { RecordRun, RenderedRecord } from '../clients/driver.ts'
import type { Check, RunResult } from '../results/result.ts'
import type { RunOptions } from './options.ts'
import { createPayloadPlan } from './payload.ts'

const checkOf = (result: RunResult, name: string): Check | undefined =>
  result.checks.find((check) => check.name === name)

const codesOf = (result: RunResult): string[] => result.warnings.map((warning) => warning.code)

/** Records of an earlier run, dense from `firstSequence`. */
const recordsOf = (count: number, firstSequence = 0): RenderedRecord[] => {
  const payload = createPayloadPlan(
    {
      messageSizeBytes: 50,
      payloadPattern: 'zeros',
      payloadFile: null,
      compressibility: null,
      seed: 1,
    },
    { runId: 'aaaaaaaaaaaa', producer: 0, epochOffsetUs: 0 },
  )
  const run: RecordRun = {
    partition: 0,
    count,
    firstSequence,
    intendedAtNs: new Float64Array(count),
    sentAtNs: 0,
    payload,
    keys: null,
  }
  return Array.from({ length: count }, (_, index) => payload.render(run, index))
}

const filled = (counts: readonly number[]): BenchTest => {
  const test = benchTest()
  test.cluster.topics.set(
    't',
    counts.map((count) => recordsOf(count)),
  )
  return test
}

const consume = (test: BenchTest, options: Partial<RunOptions> = {}) =>
  test.start({ mode: 'consume', topic: 't', durationMs: 30_000, ...options })

describe('a drained group', () => {
  it('accounts for every record of every partition', async () => {
    const test = filled([1_000, 1_000, 1_000])
    const { result } = await test.finish(consume(test))
    expect(result.status).toBe('completed')
    expect(result.totals.records).toBe(3_000)
    expect(result.totals.bytes).toBe(150_000)
    for (const one of result.partitions) {
      expect(one).toMatchObject({ fromOffset: 0, consumed: 1_000, missing: 0, duplicates: 0 })
    }
    expect(result.checks.filter((check) => !check.ok)).toEqual([])
    // The first assignment comes after 100 ms, then 100 records per partition and 10 ms.
    expect(result.totals.elapsedMs).toBeGreaterThan(150)
    expect(result.totals.elapsedMs).toBeLessThan(300)
    expect(result.latencyUs.endToEnd).toBeNull()
    expect(result.latencyUs.service?.count).toBe(30)
  })

  it('is not over before every staggered member has had a settled generation', async () => {
    const test = filled([100, 100, 100])
    const { result } = await test.finish(consume(test, { consumers: 3, staggerMs: 1_000 }))
    expect(test.clock.elapsedMs).toBeGreaterThan(2_000)
    expect(result.consumers.map((one) => one.startedAtMs)).toEqual([0, 1_000, 2_000])
    expect(result.consumers.map((one) => one.partitions)).toEqual([[0], [1], [2]])
    expect(result.consumers.every((one) => one.firstAssignmentMs === 100)).toBe(true)
    expect(result.consumers.map((one) => one.rebalances)).toEqual([2, 1, 0])
    expect(result.consumers.map((one) => one.assignments)).toEqual([
      [
        { atMs: 100, generation: 1, partitions: [0, 1, 2] },
        { atMs: 1_000, generation: 1, partitions: [] },
        { atMs: 1_100, generation: 2, partitions: [0, 2] },
        { atMs: 2_000, generation: 2, partitions: [] },
        { atMs: 2_100, generation: 3, partitions: [0] },
      ],
      [
        { atMs: 1_100, generation: 2, partitions: [1] },
        { atMs: 2_000, generation: 2, partitions: [] },
        { atMs: 2_100, generation: 3, partitions: [1] },
      ],
      [{ atMs: 2_100, generation: 3, partitions: [2] }],
    ])
    expect(result.timeline.map(({ lag }) => lag)).toEqual([0, 0, 0])
    // Waiting for members after the last record does not thin the rate.
    expect(result.totals.elapsedMs).toBeLessThan(300)
    expect(checkOf(result, 'every-member-served')?.ok).toBe(true)
    expect(codesOf(result)).toEqual(['member-without-records', 'member-without-records'])
  })

  it('starts from the commits of the group and leaves its own', async () => {
    const test = filled([1_000])
    test.cluster.group('g').committed.set(0, 600)
    const { result } = await test.finish(consume(test, { consumerGroup: 'g' }))
    expect(result.partitions[0]).toMatchObject({ fromOffset: 600, consumed: 400, missing: 0 })
    expect(test.cluster.group('g').committed.get(0)).toBe(1_000)
    const again = await test.finish(consume(test, { consumerGroup: 'g' }))
    expect(again.result.totals.records).toBe(0)
    expect(again.result.checks.filter((check) => !check.ok)).toEqual([])
  })

  it('resets the offsets of an empty group, and refuses one that has members', async () => {
    const test = filled([1_000])
    test.cluster.group('g').committed.set(0, 600)
    const first = await test.finish(consume(test, { consumerGroup: 'g', from: 'earliest' }))
    expect(first.result.totals.records).toBe(1_000)
    const last = await test.finish(consume(test, { consumerGroup: 'g', from: 'latest' }))
    expect(last.result.totals.records).toBe(0)
    const running = consume(test, { consumerGroup: 'g', until: 'duration', durationMs: 2_000 })
    await test.clock.advanceAsync(500)
    const refused = consume(test, { consumerGroup: 'g', from: 'earliest' })
    await expect(refused).rejects.toMatchObject({ exitCode: 3 })
    await test.finish(running)
  })

  it('commits nothing with auto-commit off', async () => {
    const test = filled([100])
    await test.finish(consume(test, { consumerGroup: 'g', autoCommit: false }))
    expect(test.cluster.group('g').committed.size).toBe(0)
  })

  it('takes exactly n, and commits right there', async () => {
    const test = filled([1_000])
    const options = { consumerGroup: 'g', messageCount: 250 }
    const { result } = await test.finish(consume(test, options))
    expect(result.totals.records).toBe(250)
    expect(checkOf(result, 'message-count')?.ok).toBe(true)
    expect(checkOf(result, 'no-missing')?.ok).toBe(true)
    expect(test.cluster.group('g').committed.get(0)).toBe(250)
  })

  it('fills a fresh topic when none is given', async () => {
    const test = benchTest()
    const { result } = await test.finish(
      consume(test, { topic: null, messageCount: 500, keepTopic: false }),
    )
    expect(result.totals.records).toBe(500)
    expect(result.checks.filter((check) => !check.ok)).toEqual([])
    expect(test.cluster.deletedTopics).toEqual(['bench-0123456789ab'])
    expect(test.cluster.groups.size).toBe(0)
  })

  it('measures end-to-end only for records produced since it began', async () => {
    const test = filled([100])
    const run = consume(test, { until: 'duration', durationMs: 2_000 })
    await test.clock.advanceAsync(1_000)
    const producer = test.start({ topic: 't', messageCount: 10, durationMs: null }, 'bbbbbbbbbbbb')
    await test.finish(producer)
    const { result } = await test.finish(run)
    expect(result.totals.records).toBe(110)
    expect(result.latencyUs.endToEnd?.count).toBe(10)
    expect(result.latencyUs.endToEnd?.max).toBeLessThan(20_000)
  })
})

describe('a member that gets nothing', () => {
  it('fails the check when it was never assigned a partition while there was lag', async () => {
    const test = filled([100_000, 100_000])
    test.cluster.assign = (members) =>
      Array.from({ length: members }, (_, member) => (member === 0 ? [0, 1] : []))
    const { result } = await test.finish(consume(test, { consumers: 2, staggerMs: 1_000 }))
    const check = checkOf(result, 'every-member-served')
    expect(check?.ok).toBe(false)
    expect(check?.actual).toContain('consumer-2 was never assigned a partition')
    expect(result.consumers[1]).toMatchObject({ firstAssignmentMs: null, partitions: [] })
  })

  it('fails the check when a settled generation left it out for long', async () => {
    const test = filled([100_000, 100_000, 100_000])
    test.cluster.assign = (members) => (members === 2 ? [[0, 1, 2], []] : [[0], [1], [2]])
    const options = { consumers: 3, staggerMs: 7_000, until: 'duration' } as const
    const { result } = await test.finish(consume(test, options))
    expect(checkOf(result, 'every-member-served')?.actual).toBe(
      'consumer-2 had no partition for 6.9 s in a settled generation, while 3 members shared 3 partitions',
    )
    expect(result.consumers[1]?.partitions).toEqual([1])
  })

  it('is a note when members outnumber partitions', async () => {
    const test = filled([100])
    const { result } = await test.finish(consume(test, { consumers: 2 }))
    expect(checkOf(result, 'every-member-served')?.ok).toBe(true)
    expect(codesOf(result)).toEqual(['member-idle'])
  })

  it('ends at the duration when nothing arrives at all, and fails', async () => {
    const test = filled([100])
    test.cluster.isDelivering = false
    const { result } = await test.finish(consume(test, { durationMs: 8_000 }), 9_000)
    expect(result.totals).toMatchObject({ records: 0, recordsPerSec: 0 })
    expect(checkOf(result, 'every-member-served')?.ok).toBe(false)
    expect(checkOf(result, 'no-stall')?.ok).toBe(false)
    expect(codesOf(result)).toContain('not-drained')
  })

  it('ends a topic that is empty', async () => {
    const test = filled([0, 0])
    const { result } = await test.finish(consume(test), 2_000)
    expect(result.totals.records).toBe(0)
    expect(result.checks.filter((check) => !check.ok)).toEqual([])
  })
})

describe('verdicts', () => {
  it('finds a hole in a sequence', async () => {
    const test = benchTest()
    test.cluster.topics.set('t', [[...recordsOf(100), ...recordsOf(100, 105)]])
    const { result } = await test.finish(consume(test))
    expect(checkOf(result, 'no-missing')).toMatchObject({ ok: false, actual: 5 })
    expect(result.partitions[0]).toMatchObject({ consumed: 200, missing: 5 })
  })

  it('finds a record that was damaged', async () => {
    const test = filled([100])
    const value = test.cluster.log('t', 0)[50]?.value as Buffer
    value[40] = 1
    const { result } = await test.finish(consume(test))
    expect(checkOf(result, 'no-corrupt')).toMatchObject({ ok: false, actual: 1 })
    expect(checkOf(result, 'no-missing')?.ok).toBe(true)
  })

  it('warns of records that are delivered again after their partition moved', async () => {
    const test = filled([20_000])
    test.cluster.isCommittedAtRebalance = false
    const { result } = await test.finish(consume(test, { consumers: 2, staggerMs: 300 }))
    expect(result.totals.records).toBe(20_000)
    expect(result.partitions[0]?.duplicates).toBeGreaterThan(0)
    expect(codesOf(result)).toContain('duplicates')
    expect(result.checks.filter((check) => !check.ok)).toEqual([])
  })
})

describe('several commands in one group', () => {
  it('each ends when the group is drained, and neither misses what the other read', async () => {
    const test = filled([5_000, 5_000])
    const first = consume(test, { consumerGroup: 'g' })
    await test.clock.advanceAsync(300)
    const second = test.start(
      { mode: 'consume', topic: 't', durationMs: 30_000, consumerGroup: 'g' },
      'cccccccccccc',
    )
    const results = [await test.finish(first), await test.finish(second)].map((one) => one.result)
    for (const result of results) {
      expect(result.status).toBe('completed')
      expect(result.checks.filter((check) => !check.ok)).toEqual([])
    }
    const total = results.reduce((sum, result) => sum + result.totals.records, 0)
    expect(total).toBeGreaterThanOrEqual(10_000)
    expect(test.clock.elapsedMs).toBeLessThan(10_000)
  })
})

describe('ends', () => {
  it.each([
    ['range', 0, 4_000],
    ['cooperative-sticky', 5_000, 9_000],
  ] as const)(
    '%s: waits for a member without partitions as long as others may hand some over',
    async (assignor, leastMs, mostMs) => {
      const test = filled([100, 100])
      test.cluster.assign = (members) =>
        Array.from({ length: members }, (_, at) => (at ? [] : [0, 1]))
      await test.finish(consume(test, { consumers: 2, assignor }))
      expect(test.clock.elapsedMs).toBeGreaterThanOrEqual(leastMs)
      expect(test.clock.elapsedMs).toBeLessThan(mostMs)
    },
  )

  it('stops at a signal, commits and judges what was read', async () => {
    const test = filled([100_000])
    const run = consume(test, { consumerGroup: 'g' })
    await test.clock.advanceAsync(1_000)
    test.stop.abort()
    const { result } = await test.finish(run, 5_000)
    expect(result.status).toBe('interrupted')
    expect(result.totals.records).toBeGreaterThan(0)
    expect(test.cluster.group('g').committed.get(0)).toBe(result.totals.records)
    expect(result.checks.filter((check) => !check.ok)).toEqual([])
  })

  it('ends as failed when the broker is lost', async () => {
    const test = filled([100_000])
    const run = consume(test)
    await test.clock.advanceAsync(1_000)
    test.lost.abort('the broker died')
    const { result, lost } = await test.finish(run, 5_000)
    expect(lost).toBe('the broker died')
    expect(result.status).toBe('failed')
  })
})

import { describe, expect, it } from 'vitest'
import { benchTest } from '../../test/support/bench-run.ts'
import type { Check, RunResult } from '../results/result.ts'

const checkOf = (result: RunResult, name: string): Check | undefined =>
  result.checks.find((check) => check.name === name)

const deltaOf = (result: RunResult): number =>
  result.partitions.reduce((sum, one) => sum + one.highAfter - one.highBefore, 0)

const produce = async (
  answerFor: (index: number) => 'ack' | 'fail' | 'unknown-landed' | 'ack-lost' | 'silent',
  options = {},
) => {
  const test = benchTest()
  let index = 0
  test.cluster.answer = () => answerFor(index++)
  const run = test.start({ messageCount: 300, durationMs: null, concurrency: 3, ...options })
  return (await test.finish(run)).result
}

describe('time base', () => {
  it('counts elapsed time from the first send to the last ack, not to a report tick', async () => {
    const test = benchTest()
    test.cluster.ackDelayMs = 7
    const { result } = await test.finish(test.start({ durationMs: 2_500, reportIntervalMs: 1_000 }))
    // Sends go on before 2,500 ms: every 7 ms, the last one at 2,499 ms, acked at 2,506 ms.
    expect(result.totals.elapsedMs).toBe(2_506)
    expect(result.totals.recordsPerSec).toBeCloseTo((result.totals.records * 1_000) / 2_506, 6)
  })

  it('runs for a duration below a second', async () => {
    const test = benchTest()
    const { result } = await test.finish(test.start({ durationMs: 200 }), 10_000)
    expect(result.totals.elapsedMs).toBe(200)
    expect(result.totals.records).toBe(64 * 200)
  })

  it('has a timeline point per second that adds up to the totals', async () => {
    const test = benchTest()
    const { result } = await test.finish(test.start({ durationMs: 2_500 }))
    expect(result.timeline.map((point) => point.atMs)).toEqual([1_000, 2_000, 2_500])
    const sum = result.timeline.reduce((total, point) => total + point.records, 0)
    expect(sum).toBe(result.totals.records)
  })
})

describe('closed loop', () => {
  it('sends exactly n, keeps within the concurrency, and packs a turn into one send', async () => {
    const test = benchTest()
    const { result } = await test.finish(test.start({ messageCount: 1_000, durationMs: null }))
    expect(result.totals).toMatchObject({ records: 1_000, failed: 0, unknown: 0, requests: 16 })
    expect(test.cluster.mostInFlightRecords).toBe(64)
    expect(test.cluster.sends[0]?.map((run) => run.partition)).toEqual([0, 1, 2])
    expect(deltaOf(result)).toBe(1_000)
    expect(result.checks.every((check) => check.ok)).toBe(true)
  })

  it('gives every record a sequence that is dense per partition', async () => {
    const test = benchTest()
    await test.finish(test.start({ messageCount: 100, durationMs: null }))
    const next = [0, 0, 0]
    for (const run of test.cluster.sends.flat()) {
      expect(run.firstSequence).toBe(next[run.partition])
      next[run.partition] = run.firstSequence + run.count
    }
    expect(next).toEqual([34, 33, 33])
  })

  it('never makes a run larger than the batch size', async () => {
    const test = benchTest()
    await test.finish(
      test.start({ messageCount: 90, durationMs: null, batchSizeBytes: 450, partitions: 1 }),
    )
    expect(Math.max(...test.cluster.sends.flat().map((run) => run.count))).toBe(4)
  })

  it('fills the batches of one partition after the other when sticky', async () => {
    const test = benchTest()
    const options = { messageCount: 400, durationMs: null, concurrency: 12, batchSizeBytes: 450 }
    await test.finish(test.start({ ...options, partitioner: 'sticky' }))
    const counts = test.cluster.sends.flat().map((run) => run.count)
    expect(counts.filter((count) => count === 4)).toHaveLength(100)
    const requests = { messageCount: 400, durationMs: null, batchRecords: 2, batchSizeBytes: 450 }
    const other = benchTest()
    await other.finish(other.start({ ...requests, partitioner: 'sticky' }))
    const partitions = other.cluster.sends.flat().map((run) => run.partition)
    for (let at = 0; at < partitions.length; at += 2) {
      expect(partitions[at + 1]).toBe(partitions[at])
    }
    expect(new Set(partitions)).toEqual(new Set([0, 1, 2]))
  })

  it('waits for linger to fill a batch, and no longer', async () => {
    const test = benchTest()
    const outcome = test.start({
      messageCount: 3,
      durationMs: null,
      concurrency: 1,
      lingerMs: 5,
      partitions: 1,
    })
    const { result } = await test.finish(outcome)
    expect(result.latencyUs.response?.p50).toBeGreaterThanOrEqual(6_000)
    expect(result.latencyUs.service?.max).toBeLessThan(1_100)
  })

  it('sends exactly N records per request and counts requests as concurrency', async () => {
    const test = benchTest()
    const outcome = test.start({
      messageCount: 95,
      durationMs: null,
      batchRecords: 10,
      concurrency: 2,
    })
    const { result } = await test.finish(outcome)
    const sizes = test.cluster.sends.map((runs) => runs.reduce((sum, run) => sum + run.count, 0))
    expect(sizes).toEqual([10, 10, 10, 10, 10, 10, 10, 10, 10, 5])
    expect(test.cluster.mostInFlightRecords).toBe(20)
    expect(result.totals.requests).toBe(10)
  })

  it('does not spin when every send fails at once', async () => {
    const test = benchTest()
    test.cluster.ackDelayMs = 0
    test.cluster.answer = () => 'fail'
    const { result } = await test.finish(test.start({ durationMs: 1_000, concurrency: 1 }))
    expect(result.totals.failed).toBeGreaterThan(5)
    expect(result.totals.failed).toBeLessThan(30)
    expect(checkOf(result, 'no-failed-records')?.ok).toBe(false)
  })
})

describe('open loop', () => {
  it('sends exactly rate × duration, from intended times', async () => {
    const test = benchTest()
    const { result } = await test.finish(test.start({ durationMs: 2_000, rateRecordsPerSec: 500 }))
    expect(result.totals).toMatchObject({ records: 1_000, unsent: 0 })
    const intended = test.cluster.sends.flatMap((runs) => runs.flatMap((r) => [...r.intendedAtNs]))
    const fromStart = intended.map((ns) => ns - (intended[0] as number))
    expect(fromStart.slice(0, 3)).toEqual([0, 2e6, 4e6])
    expect(fromStart.at(-1)).toBe(1_998e6)
  })

  it('tells what the pacer missed from what had to wait for a slot', async () => {
    const test = benchTest()
    test.cluster.ackDelayMs = 100
    const kept = await test.finish(
      test.start({ durationMs: 1_000, rateRecordsPerSec: 100, concurrency: 64, pacer: 'spin' }),
    )
    expect(kept.result.pacing).toMatchObject({ pacer: 'spin', lateRecords: 0 })
    expect(kept.result.pacing?.latenessUs).toMatchObject({ count: 100, max: 0 })
    const blocked = benchTest()
    blocked.cluster.ackDelayMs = 100
    const { result } = await blocked.finish(
      blocked.start({ durationMs: 1_000, rateRecordsPerSec: 100, concurrency: 1 }),
    )
    // Only the first record had a slot when it was due; each of the others came due behind it.
    expect(result.totals.records).toBe(10)
    expect(result.pacing).toMatchObject({ pacer: 'timer', lateRecords: 9 })
    expect(result.pacing?.latenessUs).toMatchObject({ count: 1, max: 0 })
  })

  it('counts a request as late from the time that its last record is due', async () => {
    const test = benchTest()
    const { result } = await test.finish(
      test.start({ durationMs: 1_000, rateRecordsPerSec: 1_000, batchRecords: 10 }),
    )
    expect(result.pacing?.latenessUs).toMatchObject({ count: 1_000, max: 0 })
  })

  it('says nothing of pacing in a closed loop', async () => {
    const test = benchTest()
    const { result } = await test.finish(test.start({ durationMs: 100 }), 10_000)
    expect([result.pacing, result.config['pacer']]).toEqual([undefined, null])
  })

  it('keeps intended times while the concurrency holds records back, and counts the unsent', async () => {
    const test = benchTest()
    test.cluster.ackDelayMs = 100
    const { result } = await test.finish(
      test.start({ durationMs: 1_000, rateRecordsPerSec: 100, concurrency: 1 }),
    )
    expect(test.cluster.mostInFlightRecords).toBe(1)
    expect(result.totals).toMatchObject({ records: 10, unsent: 90 })
    expect(result.latencyUs.service?.max).toBeLessThan(101_000)
    expect(result.latencyUs.response?.max).toBeGreaterThan(900_000)
  })

  it('shows a stall in every record that was due meanwhile, where service time has it once', async () => {
    const test = benchTest()
    const startMs = test.clock.elapsedMs
    const stall = { fromMs: 500, toMs: 700 }
    const { driver } = test.cluster
    test.workers.driver = {
      ...driver,
      createProducer: async (connection, options, sink) => {
        const producer = await driver.createProducer(connection, options, sink)
        return {
          ...producer,
          send: (runs) => {
            const nowMs = test.clock.elapsedMs - startMs
            const isStalled = nowMs >= stall.fromMs && nowMs < stall.toMs
            test.cluster.ackDelayMs = isStalled ? stall.toMs - nowMs : 0.1
            producer.send(runs)
          },
        }
      },
    }
    const { result } = await test.finish(
      test.start({ durationMs: 1_000, rateRecordsPerSec: 1_000, concurrency: 1 }),
    )
    expect(result.totals).toMatchObject({ records: 1_000, unsent: 0 })
    const { response, service } = result.latencyUs
    expect(service).toMatchObject({ count: 1_000, p999: 100 })
    expect(service?.max).toBeCloseTo(200_000, -3)
    // A fifth of all records was due in the stall, evenly: half of those waited for half of it and for their elders.
    expect(response?.p90).toBeGreaterThan(100_000)
    expect(response?.p90).toBeLessThan(120_000)
    expect(response?.p50).toBeLessThan(200)
    expect(result.pacing?.lateRecords).toBeGreaterThanOrEqual(199)
  })
})

describe('warm-up', () => {
  it('is apart from the totals and in the watermark check', async () => {
    const test = benchTest()
    const { result } = await test.finish(test.start({ warmupDurationMs: 500, durationMs: 500 }))
    expect(result.warmup.records).toBe(64 * 500)
    expect(result.totals.records).toBe(64 * 500)
    expect(result.latencyUs.response?.count).toBe(64 * 500)
    expect(deltaOf(result)).toBe(64 * 1_000)
    expect(checkOf(result, 'acked-equals-watermark-delta')).toMatchObject({
      ok: true,
      expected: 64_000,
      actual: 64_000,
    })
  })
})

describe('the account', () => {
  it('fails when an acked record is not in the log', async () => {
    const result = await produce((index) => (index === 10 ? 'ack-lost' : 'ack'))
    expect(checkOf(result, 'acked-equals-watermark-delta')).toMatchObject({
      ok: false,
      expected: 300,
      actual: 299,
    })
    expect(result.partitions.reduce((sum, one) => sum + one.missing, 0)).toBe(1)
  })

  it('holds when an unknown send has landed, and says so', async () => {
    const result = await produce((index) => (index === 10 ? 'unknown-landed' : 'ack'))
    expect(result.totals).toMatchObject({ records: 299, unknown: 1 })
    expect(checkOf(result, 'acked-equals-watermark-delta')?.ok).toBe(true)
    expect(result.warnings.map((warning) => warning.code)).toContain('unknown-landed')
    expect(checkOf(result, 'message-count')).toMatchObject({ ok: false, actual: 299 })
  })

  it('holds when others write to the topic meanwhile, and counts them as foreign', async () => {
    const test = benchTest()
    test.cluster.topics.set('t', [[], []])
    const run = test.start({ topic: 't', messageCount: 300, durationMs: null })
    test.cluster.answer = () => {
      if (test.cluster.log('t', 0).length === 0) {
        test.cluster.append('t', 0, [{ value: Buffer.from('of another'), header: null }])
      }
      return 'ack'
    }
    const { result } = await test.finish(run)
    expect(deltaOf(result)).toBe(301)
    expect(checkOf(result, 'acked-equals-watermark-delta')?.ok).toBe(true)
    expect(result.partitions.reduce((sum, one) => sum + one.foreign, 0)).toBe(1)
    expect(result.warnings.map((warning) => warning.code)).toContain('foreign-records')
  })

  it('says from which offset on records are gone, and reads back those that are left', async () => {
    const test = benchTest()
    test.cluster.keptRecords = 60
    const { result } = await test.finish(
      test.start({ messageCount: 300, durationMs: null, validate: true }),
    )
    const [gone] = result.warnings.filter(({ code }) => code === 'records-gone')
    expect(gone?.text).toMatch(/0 below 40, 1 below 40, 2 below 40$/)
    expect(checkOf(result, 'acked-equals-watermark-delta')).toMatchObject({ ok: true })
    expect(result.partitions.map(({ consumed, missing }) => [consumed, missing])).toEqual([
      [60, 40],
      [60, 40],
      [60, 40],
    ])
    expect(checkOf(result, 'validated')).toMatchObject({ ok: false, expected: 300 })
  })

  it('reads every record back with --validate', async () => {
    const result = await produce(() => 'ack', { validate: true })
    expect(checkOf(result, 'validated')).toMatchObject({ ok: true, expected: 300, actual: 300 })
    expect(result.partitions.map((one) => one.consumed)).toEqual([100, 100, 100])
  })

  it('gives up what is never answered as unknown, after the message timeout', async () => {
    const result = await produce((index) => (index === 299 ? 'silent' : 'ack'), {
      messageTimeoutMs: 3_000,
    })
    expect(result.totals).toMatchObject({ records: 299, unknown: 1 })
  })

  it('evaluates thresholds as checks named by their text', async () => {
    const threshold = { text: 'rate<1', metric: 'rate', operator: '<', limit: 1 } as const
    const slow = { text: 'p99>0us', metric: 'p99', operator: '>', limit: 0 } as const
    const result = await produce(() => 'ack', { failIf: [threshold, slow] })
    expect(checkOf(result, 'rate<1')?.ok).toBe(true)
    expect(checkOf(result, 'p99>0us')?.ok).toBe(false)
  })
})

describe('ends', () => {
  it('stops at a signal, drains, and checks what was done', async () => {
    const test = benchTest()
    const run = test.start({ durationMs: 60_000 })
    await test.clock.advanceAsync(500)
    test.stop.abort()
    const { result, lost } = await test.finish(run, 10_000)
    expect(lost).toBeNull()
    expect(result.status).toBe('interrupted')
    expect(result.totals.records).toBeGreaterThan(0)
    expect(deltaOf(result)).toBe(result.totals.records)
    expect(result.checks.every((check) => check.ok)).toBe(true)
  })

  it('drains at most 5 s after a signal', async () => {
    const test = benchTest()
    test.cluster.answer = () => 'silent'
    const run = test.start({ durationMs: 60_000 })
    await test.clock.advanceAsync(500)
    test.stop.abort()
    const { result } = await test.finish(run, 6_000)
    expect(result.totals).toMatchObject({ records: 0, unknown: 64 })
  })

  it('ends as failed when the broker is lost', async () => {
    const test = benchTest()
    const run = test.start({ durationMs: 60_000 })
    await test.clock.advanceAsync(500)
    test.lost.abort(new Error('the broker died'))
    const { result, lost } = await test.finish(run, 10_000)
    expect(lost).toBe('the broker died')
    expect(result.status).toBe('failed')
    expect(checkOf(result, 'acked-equals-watermark-delta')).toMatchObject({ ok: false })
  })

  it('ends early when the broker cannot store records, and still checks what was done', async () => {
    const test = benchTest()
    let sends = 0
    test.cluster.answer = () => (sends++ < 5 ? 'ack' : 'disk-full')
    const { result, lost } = await test.finish(test.start({ durationMs: 60_000 }), 10_000)
    expect(lost).toBe('the broker cannot store records: disk full')
    expect(result.status).toBe('failed')
    expect(result.totals.records).toBeGreaterThan(0)
    expect(checkOf(result, 'acked-equals-watermark-delta')?.ok).toBe(true)
  })

  it('takes the broker for lost after 5 s of failing connections', async () => {
    const test = benchTest()
    test.cluster.answer = () => (test.clock.elapsedMs < 1_000 ? 'ack' : 'connection-lost')
    const { lost } = await test.finish(test.start({ durationMs: 60_000 }), 8_000)
    expect(lost).toBe('broker lost: connection refused')
  })

  it('ends -n without a time limit after 60 s without an ack', async () => {
    const test = benchTest()
    test.cluster.answer = () => 'silent'
    const outcome = test.finish(test.start({ messageCount: 100, durationMs: null }), 70_000)
    const { result } = await outcome
    expect(checkOf(result, 'message-count')).toMatchObject({ ok: false, expected: 100, actual: 0 })
  })
})

describe('the topic', () => {
  it('is deleted after the run when it was fresh and the checks held', async () => {
    const test = benchTest()
    await test.finish(test.start({ messageCount: 10, durationMs: null, keepTopic: false }))
    expect(test.cluster.deletedTopics).toEqual(['bench-0123456789ab'])
  })

  it('stays as evidence when a check failed', async () => {
    const test = benchTest()
    test.cluster.answer = () => 'fail'
    await test.finish(test.start({ messageCount: 10, durationMs: null, keepTopic: false }))
    expect(test.cluster.deletedTopics).toEqual([])
  })

  it('must not exist with --create-topic', async () => {
    const test = benchTest()
    test.cluster.topics.set('t', [[]])
    const run = test.start({ topic: 't', createTopic: true })
    await expect(test.finish(run)).rejects.toMatchObject({ exitCode: 2 })
  })

  it('is never created by consume', async () => {
    const test = benchTest()
    const run = test.start({ topic: 't', mode: 'consume' })
    await expect(test.finish(run)).rejects.toMatchObject({ exitCode: 3 })
    expect(test.cluster.topics.size).toBe(0)
  })
})

describe('acks=0', () => {
  it('checks that no more is in the log than was sent, with a warning', async () => {
    const test = benchTest()
    const run = test.start({ acks: 0, messageCount: 100, durationMs: null })
    const { result } = await test.finish(run)
    expect(checkOf(result, 'watermark-delta-at-most-sent')?.ok).toBe(true)
    expect(result.warnings.map((warning) => warning.code)).toContain('acks-0')
    expect(result.totals.records).toBe(100)
    expect(result.partitions.map(({ acked }) => acked)).toEqual([0, 0, 0])
  })
})

describe('metadata', () => {
  it('counts one operation per answer and verifies nothing', async () => {
    const test = benchTest()
    const run = test.start({ mode: 'metadata', messageCount: 500, durationMs: null })
    const { result } = await test.finish(run)
    expect(result.totals).toMatchObject({ records: 500, requests: 500, bytes: 0 })
    expect(result.latencyUs.response?.count).toBe(500)
    expect(result.partitions).toEqual([])
  })
})

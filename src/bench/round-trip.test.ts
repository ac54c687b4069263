import { expect, it } from 'vitest'
import { benchTest } from '../../test/support/bench-run.ts'

it('counts what comes back of this run, and nothing that others wrote', async () => {
  const test = benchTest()
  test.cluster.topics.set('t', [[{ value: Buffer.alloc(100, 7), header: null }], []])
  test.cluster.answer = () => {
    const log = test.cluster.log('t', 1)
    if (log.length < 5) log.push({ value: Buffer.from('of another'), header: null })
    return 'ack'
  }
  const { result } = await test.finish(
    test.start({ mode: 'round-trip', topic: 't', messageCount: 400, durationMs: null }),
  )
  expect(result.totals).toMatchObject({ records: 400, received: 400 })
  expect(result.latencyUs.endToEnd?.count).toBe(400)
  expect(result.partitions.reduce((sum, one) => sum + one.foreign, 0)).toBeGreaterThan(0)
  expect(result.checks.filter((check) => !check.ok)).toEqual([])
})

it('keeps the warm-up out of the received count and the latencies', async () => {
  const test = benchTest()
  const { result } = await test.finish(
    test.start({ mode: 'round-trip', warmupDurationMs: 100, durationMs: 200, concurrency: 4 }),
  )
  expect(result.warmup.records).toBeGreaterThan(0)
  expect(result.totals.received).toBe(result.totals.records)
  expect(result.latencyUs.endToEnd?.count).toBe(result.totals.records)
})

it('fails when a record does not come back, without waiting for ever', async () => {
  const test = benchTest()
  let sends = 0
  test.cluster.answer = () => (++sends === 5 ? 'ack-lost' : 'ack')
  const run = test.start({
    mode: 'round-trip',
    messageCount: 20,
    durationMs: null,
    concurrency: 1,
  })
  const { result } = await test.finish(run, 15_000)
  expect(result.checks.find((check) => check.name === 'sent-equals-received')).toMatchObject({
    ok: false,
    expected: 20,
    actual: 19,
  })
})

it('measures end-to-end from the intended send time', async () => {
  const test = benchTest()
  test.cluster.ackDelayMs = 50
  const { result } = await test.finish(
    test.start({ mode: 'round-trip', durationMs: 1_000, rateRecordsPerSec: 100, concurrency: 1 }),
  )
  expect(result.totals.unsent).toBeGreaterThan(50)
  expect(result.latencyUs.endToEnd?.max).toBeGreaterThan(700_000)
})

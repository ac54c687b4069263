import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BenchTest, benchTest } from '../../test/support/bench-run.ts'
import type { Driver } from '../clients/driver.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import type { RunResult } from '../results/result.ts'
import { createPacer } from './pacer.ts'
import { createHeader, parseHeader } from './record-header.ts'
import { partOf } from './workers.ts'

const checksOf = (result: RunResult) => result.checks.map(({ name, ok }) => [name, ok])

const heldChecks = [
  ['acked-equals-watermark-delta', true],
  ['no-failed-records', true],
]

/** Producer number and sequence of every record of the log, in order. */
const headersIn = (test: BenchTest, result: RunResult): string[] =>
  (test.cluster.topics.get(result.config.topic) ?? []).flatMap((log, partition) =>
    log.map(({ value }) => {
      const header = createHeader()
      expect(parseHeader(value, 0, value.length, header)).toBe('ok')
      return `${partition}/${header.producer}/${header.sequence}`
    }),
  )

describe('the parts of a whole', () => {
  it('add up, and none is more than one larger', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.integer({ min: 1, max: 64 }), (whole, count) => {
        const parts = Array.from({ length: count }, (_, index) => partOf(whole, index, count))
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(whole)
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('of intended times are those of the whole, whenever one looks', () => {
    const rate = fc.double({ min: 0.1, max: 1e7, noNaN: true })
    fc.assert(
      fc.property(rate, fc.integer({ min: 1, max: 8 }), fc.nat(1e9), (perSec, count, nowNs) => {
        const whole = createPacer(perSec)
        const shares = Array.from({ length: count }, (_, index) =>
          createPacer(perSec, { index, count }),
        )
        const due = shares.map((share) => share.dueCount(nowNs))
        expect(due.reduce((sum, one) => sum + one, 0)).toBe(whole.dueCount(nowNs))
        for (const [index, share] of shares.entries()) {
          expect(share.intendedNs(3, 0)).toBe(whole.intendedNs(3 * count + index, 0))
        }
      }),
    )
  })
})

describe('two workers', () => {
  it('send exactly n and the warm-up, each record under a number and a sequence of its own', async () => {
    const test = benchTest()
    const options = { workers: 2, messageCount: 1_001, durationMs: null, warmupDurationMs: 20 }
    const { result } = await test.finish(test.start(options))
    expect(checksOf(result)).toEqual([...heldChecks, ['message-count', true]])
    expect(result.totals).toMatchObject({ records: 1_001, failed: 0, unknown: 0, unsent: 0 })
    const headers = headersIn(test, result)
    expect(headers).toHaveLength(1_001 + result.warmup.records)
    expect(new Set(headers).size).toBe(headers.length)
    const producers = new Set(headers.map((header) => header.split('/')[1]))
    expect(producers).toEqual(new Set(['0', '1', '2', '3']))
    expect(test.workers.ended).toBe(2)
  })

  it('share the concurrency, and never exceed it', async () => {
    const test = benchTest()
    test.cluster.ackDelayMs = 7
    await test.finish(test.start({ workers: 2, concurrency: 5, durationMs: 300 }))
    expect(test.cluster.mostInFlightRecords).toBe(5)
  })

  it('keep the rate and the intended times of one', async () => {
    const run = async (workers: number) => {
      const test = benchTest()
      const options = { workers, durationMs: 1_000, rateRecordsPerSec: 500, concurrency: 2 }
      const { result } = await test.finish(test.start(options))
      const intended = test.cluster.sends.flatMap((runs) =>
        runs.flatMap((r) => [...r.intendedAtNs]),
      )
      const startNs = Math.min(...intended)
      return { result, intended: intended.map((ns) => ns - startNs).toSorted((a, b) => a - b) }
    }
    const [alone, shared] = [await run(1), await run(2)]
    expect(shared.intended).toEqual(alone.intended)
    expect(shared.result.totals.records).toBe(500)
    expect(shared.result.pacing?.latenessUs?.count).toBe(500)
  })

  it('add up what was late and what was never sent', async () => {
    const run = async (workers: number) => {
      const test = benchTest()
      test.cluster.ackDelayMs = 100
      const options = { workers, durationMs: 1_000, rateRecordsPerSec: 100, concurrency: 2 }
      return (await test.finish(test.start(options))).result
    }
    const [alone, shared] = [await run(1), await run(2)]
    // Two slots of 100 ms each: 20 of 100 are sent, and only the first two found theirs free.
    for (const { totals, pacing } of [alone, shared]) {
      expect(totals).toMatchObject({ records: 20, unsent: 80 })
      expect([pacing?.lateRecords, pacing?.latenessUs?.count]).toEqual([18, 2])
    }
  })

  it('have the percentiles of all samples together, and a timeline that adds up', async () => {
    const test = benchTest()
    const all = { response: new LatencyHistogram(), service: new LatencyHistogram() }
    const { driver } = test.cluster
    let sends = 0
    test.workers.driver = {
      ...driver,
      createProducer: (connection, options, sink) =>
        driver.createProducer(connection, options, {
          ...sink,
          onAck: (run, baseOffset, atNs) => {
            // The next send takes another time.
            test.cluster.ackDelayMs = 1 + ((++sends * 7) % 40)
            all.service.recordCount((atNs - run.sentAtNs) / 1e3, run.count)
            for (const intendedNs of run.intendedAtNs)
              all.response.record((atNs - intendedNs) / 1e3)
            sink.onAck(run, baseOffset, atNs)
          },
        }),
    }
    const { result } = await test.finish(
      test.start({ workers: 2, rateRecordsPerSec: 1_000, concurrency: 6, durationMs: 2_200 }),
    )
    const { service, response } = result.latencyUs
    expect([service, response]).toEqual([all.service.toLatency(), all.response.toLatency()])
    expect(service?.p50).not.toBe(service?.p99)
    const timed = result.timeline.reduce((sum, point) => sum + point.records, 0)
    expect([timed, result.timeline.length]).toEqual([result.totals.records, 3])
    expect(checksOf(result)).toEqual(heldChecks)
  })

  it('tell of failed records as one does', async () => {
    const test = benchTest()
    let index = 0
    test.cluster.answer = () => (index++ % 10 === 3 ? 'fail' : 'ack')
    const { result } = await test.finish(
      test.start({ workers: 2, messageCount: 300, durationMs: null, concurrency: 4 }),
    )
    expect(result.totals.failed).toBeGreaterThan(0)
    expect(result.totals.records + result.totals.failed).toBe(300)
    expect(result.warnings.map(({ text }) => text)).toContain(
      `${result.totals.failed} records failed: refused`,
    )
    const acked = result.partitions.reduce((sum, one) => sum + one.acked, 0)
    expect(acked).toBe(result.totals.records)
  })

  it('bring all records of a round trip back', async () => {
    const test = benchTest()
    const { result } = await test.finish(
      test.start({ mode: 'round-trip', workers: 2, messageCount: 200, durationMs: null }),
    )
    expect(result.totals).toMatchObject({ records: 200, received: 200 })
    expect(result.checks.every(({ ok }) => ok)).toBe(true)
  })

  it('both stop on a signal, with what they did accounted for', async () => {
    const test = benchTest()
    const run = test.start({ workers: 2, durationMs: 60_000 })
    await test.clock.advanceAsync(500)
    test.stop.abort()
    const { result } = await test.finish(run, 1_000)
    expect(result.status).toBe('interrupted')
    expect(result.totals.records).toBeGreaterThan(0)
    expect(checksOf(result)).toEqual(heldChecks)
  })

  it('both end when the broker is lost', async () => {
    const test = benchTest()
    const run = test.start({ workers: 2, durationMs: 60_000 })
    await test.clock.advanceAsync(500)
    test.lost.abort(new Error('the broker is gone'))
    const { result, lost } = await test.finish(run, 1_000)
    expect([result.status, lost]).toEqual(['failed', 'the broker is gone'])
  })

  it('fail as one when a thread dies', async () => {
    const test = benchTest()
    test.cluster.answer = () => 'silent'
    const run = test.start({ workers: 2, durationMs: 60_000 })
    const failed = expect(run).rejects.toThrow('worker 2: out of memory')
    await test.clock.advanceAsync(500)
    test.workers.die(1, 'out of memory')
    await test.clock.advanceAsync(10)
    await failed
    expect(test.workers.ended).toBe(2)
  })

  it('fail as one when one cannot connect', async () => {
    const test = benchTest()
    const { driver } = test.cluster
    let opened = 0
    test.workers.driver = {
      ...driver,
      createProducer: (...args) => {
        opened += 1
        return opened === 2 ? Promise.reject(new Error('refused')) : driver.createProducer(...args)
      },
    }
    await expect(test.finish(test.start({ workers: 2, durationMs: 100 }))).rejects.toThrow(
      /worker \d: refused/,
    )
  })
})

describe('more workers', () => {
  /** A broker that is 10 ms away and, as Kafka does, begins a request of a connection when the last one is answered. */
  const serial = (test: BenchTest): Driver => {
    const { driver } = test.cluster
    return {
      ...driver,
      createProducer: async (connection, options, sink) => {
        let freeAtMs = 0
        const producer = await driver.createProducer(connection, options, sink)
        return {
          ...producer,
          send: (runs) => {
            const nowMs = test.clock.elapsedMs
            freeAtMs = Math.max(freeAtMs, nowMs) + 10
            test.clock.setTimer(freeAtMs - nowMs - test.cluster.ackDelayMs, () =>
              producer.send(runs),
            )
          },
        }
      },
    }
  }

  const recordsOf = async (workers: number, isSerial: boolean): Promise<number> => {
    const test = benchTest()
    test.cluster.ackDelayMs = isSerial ? 1 : 10
    if (isSerial) test.workers.driver = serial(test)
    const options = { workers, batchRecords: 1, concurrency: 4, durationMs: 1_000 }
    const { result } = await test.finish(test.start(options))
    expect(checksOf(result)).toEqual(heldChecks)
    return result.totals.records
  }

  it('do more where each connection has a limit of its own', async () => {
    const [one, two, four] = [
      await recordsOf(1, true),
      await recordsOf(2, true),
      await recordsOf(4, true),
    ]
    // One each 10 ms and connection, and at the end what was waiting.
    expect([one, two, four]).toEqual([103, 202, 400])
  })

  it('do no more where the concurrency of all is the limit', async () => {
    expect([await recordsOf(1, false), await recordsOf(4, false)]).toEqual([400, 400])
  })
})

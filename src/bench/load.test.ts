import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/support/manual-clock.ts'
import type { RecordRun } from '../clients/driver.ts'
import { createPlacement } from './keys.ts'
import { Load, type LoadPlan } from './load.ts'
import { createPacer } from './pacer.ts'
import type { Waker } from './waker.ts'

const plan: LoadPlan = {
  partitionCount: 2,
  concurrency: 100,
  batchRecords: null,
  messageSizeBytes: 100,
  batchSizeBytes: 16_384,
  lingerMs: 0,
  messageCount: null,
  durationMs: 10,
  messageTimeoutMs: 1_000,
}

/** Rings at whole milliseconds only. */
const tickingWaker = (clock: ManualClock): Waker => {
  let cancel = (): void => {}
  return {
    set: (atNs, run) => {
      cancel()
      const timer = clock.setTimer(Math.ceil(atNs / 1e6) - clock.elapsedMs, run)
      cancel = () => timer.cancel()
    },
    cancel: () => cancel(),
    close: async () => cancel(),
  }
}

/** An open loop of 10 records per millisecond; a record is acked 0.3 ms after it was sent. */
const openLoop = async (changes: Partial<LoadPlan> = {}) => {
  const clock = new ManualClock()
  const sends: { atMs: number; records: number; runs: number }[] = []
  const latencies: { responseMs: number; serviceMs: number }[] = []
  const onAcked = (run: RecordRun, _offset: number, atNs: number): void => {
    for (const intendedNs of run.intendedAtNs) {
      const [responseMs, serviceMs] = [(atNs - intendedNs) / 1e6, (atNs - run.sentAtNs) / 1e6]
      latencies.push({ responseMs, serviceMs })
    }
  }
  const load: Load = new Load(
    { ...plan, ...changes },
    {
      clock,
      producer: {
        send: (runs) => {
          const records = runs.reduce((sum, { count }) => sum + count, 0)
          sends.push({ atMs: clock.elapsedMs, records, runs: runs.length })
          clock.setTimer(0.3, () => {
            for (const run of runs) load.onAck(run, 0, clock.nowNs())
          })
        },
        close: async () => {},
      },
      placement: createPlacement({ keyPattern: 'none', seed: 1, partitionCount: 2 }),
      payload: { render: () => ({ value: Buffer.alloc(0), header: null }) },
      pacer: createPacer(10_000),
      waker: tickingWaker(clock),
      stop: new AbortController().signal,
      lost: new AbortController().signal,
      listener: { takeSequences: () => 0, onAcked, onFailed: () => {} },
    },
  )
  const end = load.run()
  await clock.advanceAsync(12)
  return { load, sends, latencies, end: await end }
}

describe('an open loop', () => {
  it('sends what is due in a tick in one go, one run per partition, whatever was acked in between', async () => {
    const { load, sends, end } = await openLoop()
    expect([end, load.acked, load.unsent]).toEqual(['duration', 100, 0])
    expect(sends[0]).toEqual({ atMs: 0, records: 1, runs: 1 })
    expect(sends.slice(1, 10)).toEqual(
      Array.from({ length: 9 }, (_, tick) => ({ atMs: tick + 1, records: 10, runs: 2 })),
    )
  })

  it('counts response from the intended time and service from the sending', async () => {
    const { load, latencies } = await openLoop()
    const inOrder = latencies.toSorted((a, b) => a.responseMs - b.responseMs)
    expect(inOrder[0]?.responseMs).toBeCloseTo(0.3, 6)
    expect(inOrder.at(-1)?.responseMs).toBeCloseTo(1.2, 6)
    for (const { serviceMs } of latencies) expect(serviceMs).toBeCloseTo(0.3, 6)
    expect(load.lateness.us.max).toBe(900)
    expect(load.lateness.lateRecords).toBe(0)
  })

  it('that has no free slot sends as soon as an ack gives one', async () => {
    const { load, sends } = await openLoop({ concurrency: 2 })
    expect(sends.slice(0, 5).map(({ atMs }) => Number(atMs.toFixed(3)))).toEqual([
      0, 1, 1.3, 1.6, 1.9,
    ])
    expect(load.lateness.lateRecords).toBeGreaterThan(50)
    expect(load.acked + load.unsent).toBe(100)
  })
})

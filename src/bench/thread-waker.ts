/** The waker of `--pacer precise`: a thread sleeps to the microsecond and then posts a message to this one's loop. */
import { Worker } from 'node:worker_threads'
import { type Clock, systemClockOriginNs } from '../clock.ts'
import type { Waker } from './waker.ts'

/** What both threads see. */
export interface SharedAlarm {
  /** `[0]` counts the alarms set, `[1]` is 1 while the thread has to be told of a new one. */
  readonly order: Int32Array<SharedArrayBuffer>
  /** `[0]` is the time of the last alarm. */
  readonly atNs: Float64Array<SharedArrayBuffer>
  /** Where the clock of `atNs` has its 0, as `systemClockOriginNs`. */
  readonly originNs: number
  /** From one alarm to the next at least. */
  readonly tickNs: number
}

/** Each alarm wakes two threads, so what is due within a tick goes together: half of it is the lateness of most. */
const tickNs = 280_000

/** Resolves when the thread is up. `clock` has to be the system's, the only one that another thread can read. */
export const openThreadWaker = async (clock: Clock): Promise<Waker> => {
  const alarm: SharedAlarm = {
    order: new Int32Array(new SharedArrayBuffer(8)),
    atNs: new Float64Array(new SharedArrayBuffer(8)),
    originNs: systemClockOriginNs(),
    tickNs,
  }
  const thread = new Worker(new URL('./alarm-thread.js', import.meta.url), { workerData: alarm })
  let awaited: (() => void) | null = null
  let earliestNs = clock.nowNs()
  await new Promise<void>((resolve, reject) => thread.once('online', resolve).once('error', reject))
  // The load's own timers keep the process alive; a run that ends early must not be held by a thread.
  thread.unref()
  thread.on('message', (order: number) => {
    // An alarm that was moved or cancelled while it rang is none.
    if (awaited === null || order !== Atomics.load(alarm.order, 0)) return
    const run = awaited
    awaited = null
    earliestNs = (alarm.atNs[0] as number) + tickNs
    run()
  })
  return {
    set(atNs, run) {
      awaited = run
      alarm.atNs[0] = Math.max(atNs, earliestNs)
      Atomics.add(alarm.order, 0, 1)
      // In between alarms the thread looks by itself, which spares a call of the system in each tick.
      if (Atomics.load(alarm.order, 1) === 1) Atomics.notify(alarm.order, 0)
    },
    cancel() {
      awaited = null
    },
    async close() {
      await thread.terminate()
    },
  }
}

/** The thread of `ThreadWaker`: waits for an order, sleeps until its time, answers with its number. */
import { readlinkSync, writeFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock, systemClockOriginNs } from '../clock.ts'
import type { SharedAlarm } from './thread-waker.ts'

const { order, atNs, originNs, tickNs } = workerData as SharedAlarm
const clockOffsetNs = systemClockOriginNs() - originNs

/** Linux lets a sleep take 50 µs longer so that it can join wake-ups; a thread may ask for less, by its own number. */
const sleepExactly = (): void => {
  try {
    const thread = readlinkSync('/proc/thread-self').split('/').at(-1)
    writeFileSync(`/proc/${thread}/timerslack_ns`, '1')
  } catch {
    // Another system, or one that forbids it: alarms ring a little later, and the report says how much.
  }
}

/** Changed by nobody: to wait for it is to sleep. */
const never = new Int32Array(new SharedArrayBuffer(4))

const leftMs = (untilNs: number): number => (untilNs - systemClock.nowNs() - clockOffsetNs) / 1e6

/** Waits until an alarm is due; one that is set meanwhile takes the place of the one waited for. */
const nextDue = (answered: number): { order: number; dueNs: number } => {
  Atomics.store(order, 1, 1)
  for (;;) {
    const current = Atomics.load(order, 0)
    const dueNs = current === answered ? Number.POSITIVE_INFINITY : (atNs[0] as number)
    const waitMs = leftMs(dueNs)
    if (waitMs <= 0) {
      Atomics.store(order, 1, 0)
      return { order: current, dueNs }
    }
    Atomics.wait(order, 0, current, waitMs)
  }
}

sleepExactly()
for (let answered = 0; ; ) {
  const due = nextDue(answered)
  answered = due.order
  parentPort?.postMessage(answered, [])
  const restMs = leftMs(due.dueNs + tickNs)
  if (restMs > 0) Atomics.wait(never, 0, 0, restMs)
}

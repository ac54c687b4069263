/** The thread of `ThreadWaker`: waits for an order, sleeps until its time, answers with its number. */
import { readlinkSync, writeFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock, systemClockOriginNs } from '../clock.ts'
import type { SharedAlarm } from './thread-waker.ts'

const { order, atNs, originNs } = workerData as SharedAlarm
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

/** The order whose time has come; one that is set meanwhile takes the place of the one waited for. */
const nextDue = (answered: number): number => {
  Atomics.wait(order, 0, answered)
  for (;;) {
    const current = Atomics.load(order, 0)
    const leftNs = (atNs[0] as number) - systemClock.nowNs() - clockOffsetNs
    if (leftNs <= 0) return current
    Atomics.wait(order, 0, current, leftNs / 1e6)
  }
}

sleepExactly()
for (let answered = 0; ; ) {
  answered = nextDue(answered)
  parentPort?.postMessage(answered, [])
}

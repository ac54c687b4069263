/** Wakes a load when its next record is due: by the loop's own timer, from a thread, or by polling the clock. */
import type { Clock, Timer } from '../clock.ts'
import { openThreadWaker } from './thread-waker.ts'

export const pacerNames = ['timer', 'precise', 'spin'] as const
export type PacerName = (typeof pacerNames)[number]

/** One alarm at a time. */
export interface Waker {
  /** Calls `run` once at `atNs` of the clock, or as soon after it as it can; another call puts it in its place. */
  set(atNs: number, run: () => void): void
  cancel(): void
  close(): Promise<void>
}

/** A timer may fire this much late, so polling begins so long before the time. */
const pollingBeforeMs = 2

/** The loop's timer, which has whole milliseconds. */
export const createTimerWaker = (clock: Clock): Waker => {
  let timer: Timer | null = null
  const cancel = (): void => {
    timer?.cancel()
    timer = null
  }
  return {
    set(atNs, run) {
      cancel()
      timer = clock.setTimer(Math.max(0, (atNs - clock.nowNs()) / 1e6), run)
    },
    cancel,
    close: async () => cancel(),
  }
}

/** Asks the clock once per turn of the loop when the time is near: the most exact, and a whole core. */
export const createSpinWaker = (clock: Clock): Waker => {
  const timer = createTimerWaker(clock)
  let current = 0
  const poll = (alarm: number, atNs: number, run: () => void): void => {
    if (alarm !== current) return
    if (clock.nowNs() >= atNs) run()
    else setImmediate(poll, alarm, atNs, run)
  }
  const cancel = (): void => {
    current += 1
    timer.cancel()
  }
  return {
    set(atNs, run) {
      cancel()
      const alarm = current
      const pollNs = atNs - pollingBeforeMs * 1e6
      if (clock.nowNs() >= pollNs) setImmediate(poll, alarm, atNs, run)
      else timer.set(pollNs, () => poll(alarm, atNs, run))
    },
    cancel,
    close: async () => cancel(),
  }
}

/** The caller closes it. */
export const openWaker = async (pacer: PacerName, clock: Clock): Promise<Waker> => {
  if (pacer === 'precise') return openThreadWaker(clock)
  return pacer === 'spin' ? createSpinWaker(clock) : createTimerWaker(clock)
}

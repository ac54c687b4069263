import type { Clock, Timer } from '../../src/clock.ts'

/** Virtual time: stands still until a test moves it, and runs the timers that come due in their order. */
export class ManualClock implements Clock {
  #nowMs = 0
  #nextId = 0
  readonly #epochStartMs: number
  readonly #timers = new Map<number, { dueMs: number; run: () => void }>()

  constructor(epochStartMs = 1_700_000_000_000) {
    this.#epochStartMs = epochStartMs
  }

  /** Milliseconds since the clock was made. */
  get elapsedMs(): number {
    return this.#nowMs
  }

  /** How many timers are set and not yet run or cancelled. */
  get timerCount(): number {
    return this.#timers.size
  }

  nowNs(): number {
    return this.#nowMs * 1e6
  }

  epochMs(): number {
    return this.#epochStartMs + this.#nowMs
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const id = this.#nextId++
    this.#timers.set(id, { dueMs: this.#nowMs + Math.max(delayMs, 0), run })
    return { cancel: () => void this.#timers.delete(id) }
  }

  /** Moves time on by `ms`, running what comes due on the way, without letting promises settle in between. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    while (this.runNext(untilMs)) {
      // Each run may set or cancel further timers, so the next one is looked up anew.
    }
    this.#nowMs = untilMs
  }

  /** As `advance`, but lets promises settle before the first timer, between timers, and at the end. */
  async advanceAsync(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    do await settled()
    while (this.runNext(untilMs))
    this.#nowMs = untilMs
    await settled()
  }

  /** Moves time on to the next timer and runs it; false, and nothing happens, when none is due by then. */
  runNext(untilMs: number): boolean {
    let nextId = -1
    let nextDueMs = Number.POSITIVE_INFINITY
    for (const [id, { dueMs }] of this.#timers) {
      if (dueMs < nextDueMs) {
        nextId = id
        nextDueMs = dueMs
      }
    }
    const next = this.#timers.get(nextId)
    if (next === undefined || next.dueMs > untilMs) return false
    this.#timers.delete(nextId)
    this.#nowMs = next.dueMs
    next.run()
    return true
  }
}

/** Resolves once every promise that can settle now has done so. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

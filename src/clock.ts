/** The only file that reads time. Everything else takes a `Clock`, so that tests run on virtual time. */

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Monotonic time in ns since an arbitrary origin; a double, whole to 1 ns for 104 days. */
  nowNs(): number
  /** Wall-clock time in ms since 1970, fractional; steps when the system clock does. */
  epochMs(): number
  /** Calls `run` once after `delayMs` unless cancelled. */
  setTimer(delayMs: number, run: () => void): Timer
}

export const systemClock: Clock = {
  nowNs: () => performance.now() * 1e6,
  epochMs: () => Date.now(),
  setTimer(delayMs, run) {
    const handle = setTimeout(run, delayMs)
    return { cancel: () => clearTimeout(handle) }
  },
}

/**
 * Where `systemClock` of this thread has its 0, in ns of the machine's monotonic time: threads begin to count apart. What
 * passes between the two readings makes it too small, and in a new thread that is a lot, so the best of several counts.
 */
export const systemClockOriginNs = (): number => {
  const origins = Array.from(
    { length: 10 },
    () => Number(process.hrtime.bigint()) - systemClock.nowNs(),
  )
  return Math.max(...origins)
}

/** Resolves after `delayMs`, or at once and without error when `signal` aborts. */
export const sleep = (clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const timer = clock.setTimer(delayMs, done)
    function done(): void {
      timer.cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done, { once: true })
  })

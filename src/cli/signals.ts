import { setMaxListeners } from 'node:events'

/** Ctrl-C and SIGTERM: the first asks the run to stop, a second ends the process at once. */

export interface StopRequest {
  readonly signal: AbortSignal
  /** 130 or 143 once a signal came; else null. */
  exitCode(): 130 | 143 | null
  /** Gives the signals back. */
  dispose(): void
}

export const watchSignals = (): StopRequest => {
  const controller = new AbortController()
  // Everything that waits listens to it, in plays and consumers side by side; the count says nothing about a leak.
  setMaxListeners(0, controller.signal)
  let exitCode: 130 | 143 | null = null
  const onSignal = (name: NodeJS.Signals): void => {
    const code = name === 'SIGINT' ? 130 : 143
    // Files are written by rename and the broker ends with our connection, so ending here leaves nothing behind.
    if (exitCode !== null) process.exit(code)
    exitCode = code
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    dispose: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  }
}

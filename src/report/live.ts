import type { ProgressListener } from '../results/progress.ts'

/** What a user sees while a run goes on, always on standard error. */

export interface LiveView {
  onProgress: ProgressListener
  /** Clears the status line; the report follows. */
  stop(): void
}

export interface LiveViewOptions {
  stream: NodeJS.WritableStream
  /** A status line that is redrawn; otherwise one plain line per interval. */
  isTty: boolean
  /** Says nothing at all. */
  quiet: boolean
}

export const createLiveView = (_options: LiveViewOptions): LiveView => {
  throw new Error('not yet')
}

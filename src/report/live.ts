import type { Ora } from 'ora'
import type { ProgressEvent, ProgressListener } from '../results/progress.ts'
import { printable } from './box.ts'
import {
  formatCount,
  formatMegabytes,
  formatMilliseconds,
  formatRate,
  formatSeconds,
} from './format.ts'

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
  hasColor: boolean
  /** Says nothing at all. */
  quiet: boolean
}

const timeOf = (elapsedMs: number, durationMs: number | null): string =>
  durationMs === null
    ? formatSeconds(elapsedMs)
    : `${formatSeconds(elapsedMs)} of ${formatSeconds(durationMs)}`

const latencyOf = (label: string, us: number | null): string[] =>
  us === null ? [] : [`${label} ${formatMilliseconds(us)} ms`]

const intervalText = (event: Extract<ProgressEvent, { type: 'interval' }>): string =>
  [
    `${event.phase} ${timeOf(event.elapsedMs, event.durationMs)}`,
    `${formatCount(event.totalRecords)} messages`,
    `${formatRate(event.recordsPerSec)} msg/s`,
    `${formatMegabytes(event.bytesPerSec)} MB/s`,
    ...(event.failed > 0 ? [`${formatCount(event.failed)} FAILED`] : []),
    ...latencyOf('p50', event.p50Us),
    ...latencyOf('p99', event.p99Us),
    ...(event.lag === null ? [] : [`lag ${formatCount(event.lag)}`]),
  ].join('  ')

/** A phase is no news in a log. */
const createPlainView = (stream: NodeJS.WritableStream): LiveView => ({
  onProgress(event) {
    if (event.type === 'phase') return
    const text = event.type === 'note' ? event.text : intervalText(event)
    stream.write(`${printable(text)}\n`)
  },
  stop() {},
})

const phaseText = ({ phase, detail }: Extract<ProgressEvent, { type: 'phase' }>): string =>
  detail === '' ? phase : `${phase}: ${detail}`

const createStatusLine = (stream: NodeJS.WritableStream, hasColor: boolean): LiveView => {
  let spinner: Ora | null = null
  let status = ''
  let isStopped = false
  const load = async (): Promise<void> => {
    const { default: ora } = await import('ora')
    if (isStopped) return
    // Standard input stays as it is so that Ctrl-C is a signal, and the cursor stays visible: hiding it would install a signal handler.
    const options = {
      stream,
      isEnabled: true,
      discardStdin: false,
      hideCursor: false,
      interval: 250,
      color: hasColor && ('cyan' as const),
    }
    spinner = ora({ ...options, text: status }).start()
  }
  const note = (text: string): void => {
    const isSpinning = spinner?.isSpinning ?? false
    spinner?.stop()
    stream.write(`${text}\n`)
    if (isSpinning) spinner?.start()
  }
  // Without its status line a run goes on as well.
  load().catch(() => {})
  return {
    onProgress(event) {
      if (isStopped) return
      if (event.type === 'note') return note(printable(event.text))
      status = printable(event.type === 'interval' ? intervalText(event) : phaseText(event))
      if (spinner !== null) spinner.text = status
    },
    stop() {
      isStopped = true
      spinner?.stop()
    },
  }
}

export const createLiveView = ({ stream, isTty, hasColor, quiet }: LiveViewOptions): LiveView => {
  if (quiet) return { onProgress() {}, stop() {} }
  return isTty ? createStatusLine(stream, hasColor) : createPlainView(stream)
}

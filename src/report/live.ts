import type { Ora } from 'ora'
import type { MemberState, ProgressEvent, ProgressListener } from '../results/progress.ts'
import { cut, printable, widthOf } from './box.ts'
import {
  formatCount,
  formatMegabytes,
  formatMilliseconds,
  formatPartitions,
  formatRate,
  formatSeconds,
} from './format.ts'
import { sparkline } from './sparkline.ts'

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

type Interval = Extract<ProgressEvent, { type: 'interval' }>

const timeOf = (elapsedMs: number, durationMs: number | null): string =>
  durationMs === null
    ? formatSeconds(elapsedMs)
    : `${formatSeconds(elapsedMs)} of ${formatSeconds(durationMs)}`

const latencyOf = (label: string, us: number | null): string[] =>
  us === null ? [] : [`${label} ${formatMilliseconds(us)} ms`]

const mostMembers = 8

/** `consumer-1 [0-1] gen 3`. */
const memberText = ({ name, generation, partitions }: MemberState): string =>
  generation === null
    ? `${name} joining`
    : `${name} [${partitions.length === 0 ? '' : formatPartitions(partitions)}] gen ${generation}`

const memberTexts = (members: readonly MemberState[]): string[] => [
  ...members.slice(0, mostMembers).map(memberText),
  ...(members.length > mostMembers
    ? [`and ${formatCount(members.length - mostMembers)} more`]
    : []),
]

/** What is said of an interval: all of it in a log, on a status line the rates of late in place of the sums. */
const fieldsOf = (event: Interval, rates: readonly number[] | null): string[] => [
  `${event.phase} ${timeOf(event.elapsedMs, event.durationMs)}`,
  ...(rates === null ? [`${formatCount(event.totalRecords)} messages`] : []),
  `${formatRate(event.recordsPerSec)} msg/s`,
  ...(rates === null || rates.length < 2 ? [] : [sparkline(rates)]),
  ...(rates === null ? [`${formatMegabytes(event.bytesPerSec)} MB/s`] : []),
  ...(event.failed > 0 ? [`${formatCount(event.failed)} FAILED`] : []),
  ...(rates === null ? latencyOf('p50', event.p50Us) : []),
  ...latencyOf('p99', event.p99Us),
  ...(event.lag === null ? [] : [`lag ${formatCount(event.lag)}`]),
]

const gap = '  '

/** The fields in as many lines as they take, none wider than `width`. */
const pack = (fields: readonly string[], width: number): string[] => {
  const lines: string[] = []
  for (const field of fields.map((text) => cut(printable(text), width))) {
    const last = lines.at(-1)
    if (last === undefined || widthOf(last + gap + field) > width) lines.push(field)
    else lines[lines.length - 1] = last + gap + field
  }
  return lines
}

/** A phase is no news in a log. */
const createPlainView = (stream: NodeJS.WritableStream): LiveView => ({
  onProgress(event) {
    if (event.type === 'phase') return
    const text =
      event.type === 'note'
        ? event.text
        : [...fieldsOf(event, null), ...memberTexts(event.members)].join(gap)
    stream.write(`${printable(text)}\n`)
  },
  stop() {},
})

const phaseText = ({ phase, detail }: Extract<ProgressEvent, { type: 'phase' }>): string =>
  detail === '' ? phase : `${phase}: ${detail}`

/** Terminals that do not tell have this many. */
const usualColumns = 80
/** The spinner and its space stand before the text, and a full line would wrap in some terminals. */
const reservedColumns = 3
const sparkWidth = 16

const widthOfStream = (stream: NodeJS.WritableStream & { columns?: number }): number =>
  Math.max(20, (stream.columns ?? usualColumns) - reservedColumns)

const createStatusLine = (stream: NodeJS.WritableStream, hasColor: boolean): LiveView => {
  let spinner: Ora | null = null
  const rates: number[] = []
  const linesOf = (event: Interval): string => {
    rates.push(event.recordsPerSec)
    if (rates.length > sparkWidth) rates.shift()
    const width = widthOfStream(stream)
    return [
      ...pack(fieldsOf(event, rates), width),
      ...pack(memberTexts(event.members), width),
    ].join('\n')
  }
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
      if (event.type === 'phase') rates.length = 0
      status =
        event.type === 'interval'
          ? linesOf(event)
          : cut(printable(phaseText(event)), widthOfStream(stream))
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

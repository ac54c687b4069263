import { readFileSync } from 'node:fs'
import type { Clock } from '../clock.ts'
import { messageOf, SurroundingsError, UsageError } from '../errors.ts'
import { type Address, addressText } from './addresses.ts'
import { BatchWriter } from './batch-writer.ts'
import type { Exchange, Finding } from './exchange.ts'
import { PcapngWriter } from './pcapng.ts'
import type { RecordSink } from './proxy.ts'

/** Recordings as files: JSON lines (a head, then a line per exchange or note) or pcapng for Wireshark. */

export const captureFormats = ['jsonl', 'pcapng'] as const
export type CaptureFormat = (typeof captureFormats)[number]

interface Head {
  readonly type: 'recording'
  readonly schemaVersion: 1
  readonly upstream: string
  readonly startedAt: string
}

interface ExchangeLine extends Exchange {
  readonly type: 'exchange'
}

interface NoteLine {
  readonly type: 'note'
  readonly connection: number
  readonly atUs: number
  readonly finding: Finding
}

export interface Recording {
  readonly upstream: string
  readonly startedAt: string
  /** In the order in which they were asked. */
  readonly exchanges: readonly Exchange[]
  readonly notes: readonly NoteLine[]
}

export interface CaptureFile {
  readonly sink: RecordSink
  /** Exchanges so far, and those with findings. */
  counts(): { readonly exchanges: number; readonly marked: number }
  /** Writes what is left; rejects with a `SurroundingsError` when the file could not be written. */
  close(): Promise<void>
}

export interface CaptureOptions {
  readonly file: string
  readonly format: CaptureFormat
  readonly upstream: Address
  readonly clock: Clock
  /** Wall-clock time in ms of what the recording calls 0. */
  readonly startedMs: number
  /** Called once, with the reason, when nothing more can be written. */
  readonly onFailure: (error: SurroundingsError) => void
}

const headLine = ({ upstream, startedMs }: CaptureOptions): string => {
  const startedAt = new Date(startedMs).toISOString()
  const head: Head = {
    type: 'recording',
    schemaVersion: 1,
    upstream: addressText(upstream),
    startedAt,
  }
  return `${JSON.stringify(head)}\n`
}

const linesSink = (options: CaptureOptions, write: (text: string) => void): RecordSink => ({
  onBegin: () => write(headLine(options)),
  onOpen() {},
  onClose() {},
  onFrame() {},
  onExchange(exchange) {
    const line: ExchangeLine = { type: 'exchange', ...exchange }
    write(`${JSON.stringify(line)}\n`)
  },
  onNote(connection, atUs, finding) {
    const line: NoteLine = { type: 'note', connection, atUs, finding }
    write(`${JSON.stringify(line)}\n`)
  },
})

const sinkOf = (options: CaptureOptions, write: (part: string | Buffer) => void): RecordSink =>
  options.format === 'jsonl'
    ? linesSink(options, write)
    : new PcapngWriter(write, options.startedMs)

/** A recording's file. It is created or emptied when the sink begins, which throws a `SurroundingsError` if it cannot be. */
export const createCapture = (options: CaptureOptions): CaptureFile => {
  const { file, clock, onFailure } = options
  const failureOf = (error: unknown): SurroundingsError =>
    new SurroundingsError(`--output '${file}': cannot be written (${messageOf(error)})`)
  let writer: BatchWriter | null = null
  const inner = sinkOf(options, (part) => writer?.write(part))
  let exchanges = 0
  let marked = 0
  const sink: RecordSink = {
    onBegin() {
      try {
        writer = new BatchWriter(file, clock, (error) => onFailure(failureOf(error)))
      } catch (error) {
        throw failureOf(error)
      }
      inner.onBegin()
    },
    onOpen: (seen) => inner.onOpen(seen),
    onClose: (connection, atUs) => inner.onClose(connection, atUs),
    onFrame: (seen) => inner.onFrame(seen),
    onExchange(exchange) {
      exchanges++
      if (exchange.findings.length > 0) marked++
      inner.onExchange(exchange)
    },
    onNote: (connection, atUs, finding) => inner.onNote(connection, atUs, finding),
  }
  return {
    sink,
    counts: () => ({ exchanges, marked }),
    async close() {
      await writer?.close().catch((error: unknown) => {
        throw failureOf(error)
      })
    },
  }
}

const isLine = (line: unknown): line is Head | ExchangeLine | NoteLine =>
  typeof line === 'object' && line !== null && 'type' in line

const parseLines = (file: string, text: string): (Head | ExchangeLine | NoteLine)[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line, index, lines) => {
      try {
        const parsed: unknown = JSON.parse(line)
        if (isLine(parsed)) return [parsed]
      } catch {
        // Told below, like JSON of another kind; but a recorder that was killed leaves half a line.
        if (index > 0 && index === lines.length - 1 && !text.endsWith('\n')) return []
      }
      throw new UsageError(
        `'${file}': line ${index + 1} is none of a recording; JSON lines of bench record are allowed`,
      )
    })

/** Reads JSON lines. Throws a `UsageError` for any other file. */
export const readRecording = (file: string): Recording => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`'${file}': a readable recording is allowed (${messageOf(error)})`)
  }
  if (text.startsWith('\n\r\r\n')) {
    throw new UsageError(
      `'${file}': a pcapng recording, which Wireshark reads; JSON lines (--format jsonl) are allowed here`,
    )
  }
  const lines = parseLines(file, text)
  const head = lines[0]
  if (head?.type !== 'recording' || head.schemaVersion !== 1) {
    throw new UsageError(`'${file}': not a recording; JSON lines of bench record are allowed`)
  }
  return {
    upstream: head.upstream,
    startedAt: head.startedAt,
    exchanges: lines
      .filter((line) => line.type === 'exchange')
      .toSorted((a, b) => a.requestedAtUs - b.requestedAtUs),
    notes: lines.filter((line) => line.type === 'note'),
  }
}

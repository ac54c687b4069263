import { isatty } from 'node:tty'

/** The streams of a command, injected so that tests see what a user would. */

export interface Io {
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
  isStdoutTty: boolean
  isStderrTty: boolean
  /** Of the terminal that reads the report; null when there is none. */
  columns: number | null
}

/** How a report may look there: as wide as the terminal and in colour, unless NO_COLOR says otherwise; plain on a pipe. */
export const styleOn = (
  io: Io,
  stream: 'stdout' | 'stderr' = 'stdout',
): { width?: number; color: boolean } => {
  const isTty = stream === 'stdout' ? io.isStdoutTty : io.isStderrTty
  const width = isTty && io.columns !== null ? { width: io.columns } : {}
  return { ...width, color: isTty && !process.env['NO_COLOR'] }
}

/** A reader that goes away (`| head -1`) is no failure: later writes vanish. Anything else, such as a full disk, is told to `onFailure` once. */
export const guardStream = (
  stream: NodeJS.WritableStream,
  onFailure: (error: Error) => void,
): void => {
  let isBroken = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    const isFirst = !isBroken
    isBroken = true
    if (isFirst && error.code !== 'EPIPE') onFailure(error)
  })
}

/**
 * The streams of this process. When a reader goes away the command goes on and keeps its exit code; when standard output
 * cannot be written for another reason the process ends with 3, unless a signal's code takes precedence.
 */
export const realIo = (): Io => {
  const { stdout, stderr } = process
  guardStream(stdout, (error) => {
    stderr.write(`bench: standard output cannot be written (${error.message})\n`)
    process.once('exit', (exitCode) => {
      if (exitCode <= 1) process.exitCode = 3
    })
  })
  guardStream(stderr, () => {})
  return {
    stdout,
    stderr,
    isStdoutTty: isatty(stdout.fd),
    isStderrTty: isatty(stderr.fd),
    columns: stdout.isTTY ? stdout.columns : stderr.isTTY ? stderr.columns : null,
  }
}

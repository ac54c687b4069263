/** The streams of a command, injected so that tests see what a user would. */

export interface Io {
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
  isStdoutTty: boolean
  isStderrTty: boolean
  /** Of the terminal; null when standard output is none. */
  columns: number | null
}

/** The streams of this process. A reader that goes away (`| head -1`) makes further writes vanish; the command goes on and keeps its exit code. */
export const realIo = (): Io => {
  throw new Error('not yet')
}

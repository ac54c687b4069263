import { BenchError, messageOf } from '../errors.ts'
import type { Io } from './io.ts'

/** Tells what went wrong, and gives the exit code for it. */
export const tellFailure = (error: unknown, args: readonly string[], io: Io): number => {
  io.stderr.write(`bench: ${messageOf(error)}\n`)
  if (error instanceof BenchError) return error.exitCode
  if (args.includes('--verbose') || args.includes('-v')) {
    io.stderr.write(`${error instanceof Error ? error.stack : ''}\n`)
  }
  return 3
}

import { BenchError, messageOf, UsageError } from '../errors.ts'
import type { Io } from './io.ts'

/** Tells what went wrong, and gives the exit code for it. */
export const tellFailure = (error: unknown, args: readonly string[], io: Io): number => {
  // A file may have several mistakes, a line for each.
  const lines = error instanceof UsageError ? error.message.split('\n') : [messageOf(error)]
  for (const line of lines) io.stderr.write(`bench: ${line}\n`)
  if (error instanceof BenchError) return error.exitCode
  if (args.includes('--verbose') || args.includes('-v')) {
    io.stderr.write(`${error instanceof Error ? error.stack : ''}\n`)
  }
  return 3
}

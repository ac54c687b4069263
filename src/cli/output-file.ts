import { messageOf, SurroundingsError, UsageError } from '../errors.ts'
import { writeAtomically } from '../results/store.ts'
import type { Io } from './io.ts'

/** Files that flags ask for, `-` being standard output. */

/** Before anything starts: throws a `UsageError` that names the flag whose path is empty, or the second that asks for standard output. */
export const checkOutputPaths = (files: Readonly<Record<string, string | undefined>>): void => {
  for (const [flag, file] of Object.entries(files)) {
    if (file === '') throw new UsageError(`--${flag} '': a path is needed`)
  }
  const [taker, second] = Object.keys(files).filter((flag) => files[flag] === '-')
  if (second !== undefined) {
    throw new UsageError(`--${second} -: standard output is taken by --${taker} -`)
  }
}

/** Throws a `SurroundingsError` that names the flag and the file when it cannot be written. */
export const writeOutput = (flag: string, file: string, text: string, io: Io): void => {
  if (file === '-') {
    io.stdout.write(text)
    return
  }
  try {
    writeAtomically(file, text)
  } catch (error) {
    throw new SurroundingsError(`--${flag}: ${messageOf(error)}`, { cause: error })
  }
}

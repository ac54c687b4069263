import type { RunResult } from './result.ts'

/** Results as files: written whole or not at all, and read back only when they are what they claim to be. */

export interface SavedResult {
  /** Absolute. */
  path: string
  /** Why the file lies in the temp folder and not in the wanted one; null when it lies where it was wanted. */
  problem: string | null
}

/** Writes `DIR/<started>-<mode>-<runId>.json`, or to the temp folder when DIR cannot be written (exit code 3 for the caller). Throws `SurroundingsError` when neither works. */
export const saveResult = (_result: RunResult, _dir: string): SavedResult => {
  throw new Error('not yet')
}

/** The bytes of a result file, the same for a saved one and for `--json-output`. */
export const serializeResult = (_result: RunResult): string => {
  throw new Error('not yet')
}

/** Replaces `path` as a whole: a reader or a crash sees the old content or the new one. Makes missing folders. Throws `SurroundingsError`. */
export const writeAtomically = (_path: string, _text: string): void => {
  throw new Error('not yet')
}

/** Throws `UsageError` naming the file and what is wrong with it. */
export const loadResult = (_path: string): RunResult => {
  throw new Error('not yet')
}

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { messageOf, SurroundingsError, UsageError } from '../errors.ts'
import { makeFolder } from '../folder.ts'
import { jsonIn } from './embedded.ts'
import type { RunResult } from './result.ts'
import { runResult } from './result-shape.ts'
import type { ScenarioResult } from './scenario-result.ts'

/** Results as files: written whole or not at all, and read back only when they are what they claim to be. */

const schemaVersion = 1

export interface SavedResult {
  /** Absolute. */
  path: string
  /** Why the file lies in the temp folder and not in the wanted one; null when it lies where it was wanted. */
  problem: string | null
}

/** Node's message without the call and the path, which the caller names: `EACCES: permission denied`. */
const reasonOf = (error: unknown): string => messageOf(error).replace(/, \w+( '.*)?$/, '')

const safeFileName = (name: string): string => name.replace(/[^A-Za-z0-9_-]/g, '-')

/** The bytes of a result file, the same for a saved one and for `--json-output`. */
export const serializeResult = (result: RunResult | ScenarioResult): string =>
  `${JSON.stringify(result, null, 2)}\n`

const fsyncFolder = (folder: string): void => {
  let descriptor: number | null = null
  try {
    descriptor = openSync(folder, 'r')
    fsyncSync(descriptor)
  } catch {
    // Some file systems refuse to sync a folder; the file itself is synced and whole.
  } finally {
    if (descriptor !== null) closeSync(descriptor)
  }
}

const replaceFile = (path: string, text: string, existing: Stats | undefined): void => {
  const folder = dirname(path)
  makeFolder(folder)
  const draft = join(folder, `.bench-${randomBytes(8).toString('hex')}.tmp`)
  try {
    const descriptor = openSync(draft, 'wx', existing === undefined ? 0o666 : existing.mode & 0o777)
    try {
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  fsyncFolder(folder)
}

/**
 * Replaces `path` as a whole: a reader or a crash sees the old content or the new one. Missing folders are made, a link
 * is followed, and a device or pipe is written to. Throws a `SurroundingsError` that names the path.
 */
export const writeAtomically = (path: string, text: string): void => {
  try {
    const existing = statSync(path, { throwIfNoEntry: false })
    if (existing === undefined) replaceFile(resolve(path), text, existing)
    else if (existing.isFile()) replaceFile(realpathSync(path), text, existing)
    else writeFileSync(path, text)
  } catch (error) {
    throw new SurroundingsError(`'${path}' cannot be written (${reasonOf(error)})`, {
      cause: error,
    })
  }
}

const save = (nameParts: readonly string[], content: string, dir: string): SavedResult => {
  const name = nameParts.map(safeFileName).join('-')
  const path = resolve(dir, `${name}.json`)
  try {
    writeAtomically(path, content)
    return { path, problem: null }
  } catch (error) {
    const fallback = join(tmpdir(), `${name}.json`)
    writeAtomically(fallback, content)
    return { path: fallback, problem: messageOf(error) }
  }
}

/**
 * Writes `DIR/<started>-<mode>-<runId>.json`, or to the temp folder when DIR cannot be written (exit code 3 for the
 * caller). Throws a `SurroundingsError` when neither can.
 */
export const saveResult = (result: RunResult, dir: string): SavedResult =>
  save([result.startedAt, result.config.mode, result.runId], serializeResult(result), dir)

/** The same for a scenario: `DIR/<started>-scenario-<runId>.json`. */
export const saveScenario = (result: ScenarioResult, dir: string): SavedResult =>
  save([result.startedAt, 'scenario', result.runId], serializeResult(result), dir)

const readText = (path: string): string => {
  let problem: string
  try {
    const stat = statSync(path)
    if (stat.isFile() || stat.isFIFO()) return readFileSync(path, 'utf8')
    problem = stat.isDirectory() ? 'is a folder' : 'is not a file'
  } catch (error) {
    problem =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'does not exist'
        : `cannot be read (${reasonOf(error)})`
  }
  throw new UsageError(`'${path}' ${problem}; a saved result is needed, such as results/….json`)
}

const parseJson = (path: string, content: string): unknown => {
  try {
    return JSON.parse(content)
  } catch (error) {
    const hint = content.trim() === '' ? 'it is empty' : messageOf(error)
    throw new UsageError(`'${path}' is not JSON (${hint}); a saved result is needed`, {
      cause: error,
    })
  }
}

/**
 * A saved result, or the one inside an HTML report. Throws a `UsageError` that names the file and what is wrong with it.
 */
export const loadResult = (path: string): RunResult => {
  const content = parseJson(path, jsonIn(readText(path)) ?? '')
  const version = (content as { schemaVersion?: unknown } | null)?.schemaVersion
  if (typeof version !== 'number') {
    throw new UsageError(`'${path}' is not a bench result: it has no schemaVersion`)
  }
  if (version > schemaVersion) {
    throw new UsageError(
      `'${path}' has schemaVersion ${version}, made by a newer bench; this one reads up to ${schemaVersion}`,
    )
  }
  const problem = runResult(content, '')
  if (problem !== null) throw new UsageError(`'${path}' is not a bench result: ${problem}`)
  return content as RunResult
}

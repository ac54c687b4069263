import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { messageOf, UsageError } from '../errors.ts'
import type { RunResult } from '../results/result.ts'
import { loadResult } from '../results/store.ts'
import type { Side } from './comparison.ts'

/** From what a user names to the runs of one side: a file, a folder, a pattern, a label or a series. */

/** What `bench scenario run` saves in the same folder has no speed to compare. */
const isScenario = (name: string): boolean => /-scenario-[\da-f]+\.json$/.test(name)

const isWanted = (name: string): boolean =>
  name.endsWith('.json') && !name.startsWith('.') && !isScenario(name)

const byStart = (a: RunResult, b: RunResult): number => a.startedAt.localeCompare(b.startedAt)

const filesIn = (folder: string, accepts: (name: string) => boolean): string[] => {
  try {
    return readdirSync(folder)
      .filter((name) => isWanted(name) && accepts(name))
      .toSorted()
      .map((name) => join(folder, name))
  } catch (error) {
    throw new UsageError(`'${folder}' cannot be read (${messageOf(error)})`, { cause: error })
  }
}

/** `*` and `?` in the file's name. */
const patternOf = (glob: string): RegExp => {
  const source = glob.replace(/[.*+?^${}()|[\]\\]/g, (mark) =>
    mark === '*' ? '.*' : mark === '?' ? '.' : `\\${mark}`,
  )
  return new RegExp(`^${source}$`)
}

const sideSuffix = /^(?<name>.+):(?<side>[ab])$/

/** A folder of results may hold other JSON too: that is passed over only where a label is looked for. */
const loadIfResult = (path: string): RunResult[] => {
  try {
    return [loadResult(path)]
  } catch (error) {
    if (error instanceof UsageError) return []
    throw error
  }
}

/** Every result in a folder; none when there is no such folder. */
export const loadFolder = (folder: string): RunResult[] =>
  statSync(folder, { throwIfNoEntry: false })?.isDirectory()
    ? filesIn(folder, () => true).flatMap(loadIfResult)
    : []

const labelled = (name: string, resultsDir: string): RunResult[] => {
  const runs = loadFolder(resultsDir)
  const found = runs.filter(({ label, series }) => label === name || series?.seriesId === name)
  if (found.length > 0) return found
  const groups = sideSuffix.exec(name)?.groups
  return groups === undefined
    ? []
    : runs.filter(
        ({ series }) => series?.seriesId === groups['name'] && series?.side === groups['side'],
      )
}

const load = (input: string, resultsDir: string): RunResult[] => {
  const stat = statSync(input, { throwIfNoEntry: false })
  if (stat?.isDirectory()) return filesIn(input, () => true).map(loadResult)
  if (stat !== undefined) return [loadResult(input)]
  if (/[*?]/.test(input)) {
    const pattern = patternOf(basename(input))
    const folder = dirname(input)
    const isThere = statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false
    return isThere ? filesIn(folder, (name) => pattern.test(name)).map(loadResult) : []
  }
  return labelled(input, resultsDir)
}

/**
 * The runs of one side, by start. A name that is no path is a label, a series id, or `SERIES:a` and `SERIES:b`, among
 * the results in `resultsDir`. Throws a `UsageError` that names the input when nothing is found.
 */
export const loadSide = (input: string, resultsDir: string): Side => {
  if (input === '') throw new UsageError("'': a file, folder, pattern, label or series is needed")
  const runs = load(input, resultsDir).toSorted(byStart)
  if (runs.length > 0) return { title: titleOf(input, runs), runs }
  throw new UsageError(
    `'${input}': no results; a file, a folder, a pattern such as 'results/*.json', or a label or series in '${resultsDir}' is needed`,
  )
}

/** The label that all runs share, or what the user typed. */
const titleOf = (input: string, runs: readonly RunResult[]): string => {
  const labels = new Set(runs.map(({ label }) => label))
  const [label = null] = labels
  return labels.size === 1 && label !== null ? label : input
}

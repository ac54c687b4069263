import type { RunResult } from '../results/result.ts'

/** Whether two sides did the same work in the same place: otherwise their figures say nothing about either. */

export interface Difference {
  key: string
  baseline: string
  candidate: string
  isIgnored: boolean
}

/** Options that say where or how long, not what: they may differ. The broker may too: it is what is compared. */
const freeOptions = new Set([
  'topic',
  'consumerGroup',
  'durationMs',
  'messageCount',
  'seed',
  'label',
  'keepTopic',
  'createTopic',
  'deleteTopicAfter',
  'reportIntervalMs',
  'failIf',
  'connectTimeoutMs',
])

const textOf = (value: unknown): string =>
  value === undefined || value === null
    ? 'not set'
    : typeof value === 'string'
      ? value
      : JSON.stringify(value)

/** What must be the same, by key. */
const keysOf = ({ config, environment }: RunResult): Map<string, string> => {
  const keys = new Map<string, string>()
  for (const [option, value] of Object.entries(config)) {
    if (!freeOptions.has(option)) keys.set(option, textOf(value))
  }
  for (const key of ['client', 'benchVersion', 'node', 'os', 'cpu', 'cores'] as const) {
    keys.set(key, textOf(environment[key]))
  }
  return keys
}

/** The same text for runs of the same work in the same place, whatever bench made them. */
export const workOf = (run: RunResult): string => {
  const keys = keysOf(run)
  keys.delete('benchVersion')
  return JSON.stringify([...keys].toSorted(([a], [b]) => a.localeCompare(b)))
}

/** All values of a key over a side's runs; one side that does not agree with itself is a difference too. */
const valuesOf = (runs: readonly RunResult[]): Map<string, Set<string>> => {
  const values = new Map<string, Set<string>>()
  for (const run of runs) {
    for (const [key, value] of keysOf(run)) {
      values.set(key, (values.get(key) ?? new Set()).add(value))
    }
  }
  return values
}

const listOf = (values: ReadonlySet<string>): string => [...values].toSorted().join(' and ')

/**
 * The keys in which the sides differ, those in `ignored` marked. What one side's results do not hold is not judged: an
 * earlier bench did not know the option.
 */
export const differencesBetween = (
  baseline: readonly RunResult[],
  candidate: readonly RunResult[],
  ignored: readonly string[],
): Difference[] => {
  const after = valuesOf(candidate)
  return [...valuesOf(baseline)].flatMap(([key, before]) => {
    const sides = { baseline: listOf(before), candidate: listOf(after.get(key) ?? before) }
    const isSame = sides.baseline === sides.candidate && before.size === 1
    return isSame ? [] : [{ key, ...sides, isIgnored: ignored.includes(key) }]
  })
}

import type { RunResult } from '../results/result.ts'
import { workOf } from './comparability.ts'
import { isValid } from './comparison.ts'
import { type Metric, metrics } from './metrics.ts'
import { compareIndependent } from './rank-test.ts'
import { compareMeans } from './student.ts'

/** Runs of the same work in the same place as lines over time, and where such a line has stepped. */

export interface ChangePoint {
  /** Index of the first value after the step. */
  at: number
  /** After / before by Hodges–Lehmann. */
  ratio: number
  pValue: number
}

export interface Trend {
  metric: Metric
  /** In the order of the runs, without those that were not correct. */
  values: number[]
  /** Null: none, or fewer than ten values to tell. */
  change: ChangePoint | null
}

export interface HistoryLine {
  /** What tells this line's work and place from the others'. */
  title: string
  environment: string
  /** By start. */
  runs: RunResult[]
  trends: Trend[]
}

const fewestValues = 10
const windowValues = 30
/**
 * A step is looked for at every place, so that chance has many tries. Exact ranks reach so small a probability from 14
 * runs on only, and a rule that cannot find what ten runs show is no rule.
 */
const significance = 0.001
const fewestAround = 3

/**
 * The step that the means before and after it tell most clearly, in the last thirty values. Fewer than ten runs say
 * nothing.
 */
export const findChange = (values: readonly number[], threshold: number): ChangePoint | null => {
  if (values.length < fewestValues) return null
  const offset = Math.max(0, values.length - windowValues)
  const logs = values.slice(offset).map(Math.log)
  let clearest = 0
  let found: ChangePoint | null = null
  for (let at = fewestAround; at <= logs.length - fewestAround; at += 1) {
    const sides = [logs.slice(0, at), logs.slice(at)] as const
    const { t, pValue } = compareMeans(...sides)
    if (!(Math.abs(t) > clearest)) continue
    clearest = Math.abs(t)
    const { shift } = compareIndependent(...sides)
    const isStep = pValue < significance && Math.abs(shift) >= Math.log1p(threshold)
    found = isStep ? { at: offset + at, ratio: Math.exp(shift), pValue } : null
  }
  return found
}

const isPositive = (value: number | null): value is number => value !== null && value > 0

const trendsOf = (runs: readonly RunResult[]): Trend[] =>
  metrics
    .filter(({ isPrimary }) => isPrimary)
    .flatMap((metric) => {
      const values = runs.map((run) => metric.valueOf(run)).filter(isPositive)
      return values.length === 0
        ? []
        : [{ metric, values, change: findChange(values, metric.threshold) }]
    })

const titleOf = ({ config, environment }: RunResult): string =>
  [
    config.mode,
    `${config.messageSizeBytes} B`,
    `${config.concurrency} in flight`,
    config.compression,
    environment.client,
  ].join(', ')

const environmentOf = ({ environment }: RunResult): string =>
  `${environment.cpu}, ${environment.cores} cores, ${environment.os}, node ${environment.node}`

/** Completed runs only, a line for each kind of work in each place, the longest lines first. */
export const historyOf = (results: readonly RunResult[]): HistoryLine[] => {
  const lines = new Map<string, RunResult[]>()
  const completed = results.filter(({ status }) => status === 'completed')
  for (const run of completed.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt))) {
    const key = workOf(run)
    lines.set(key, [...(lines.get(key) ?? []), run])
  }
  return [...lines.values()]
    .map((runs) => {
      const [first] = runs as [RunResult, ...RunResult[]]
      return {
        title: titleOf(first),
        environment: environmentOf(first),
        runs,
        trends: trendsOf(runs.filter(isValid)),
      }
    })
    .toSorted((a, b) => b.runs.length - a.runs.length)
}

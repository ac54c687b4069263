import type { RunResult, Series } from '../results/result.ts'
import { serializeResult, writeAtomically } from '../results/store.ts'

/**
 * What the command that makes a series tells each of its runs, which are processes of their own so that none is warmed
 * up by the one before.
 */

export interface SeriesOrder extends Series {
  /** Where the run leaves its result for the one who ordered it. */
  resultFile: string
}

const variable = 'BENCH_SERIES'

export const seriesVariables = (order: SeriesOrder): NodeJS.ProcessEnv => ({
  [variable]: JSON.stringify(order),
})

/** Null for a run that nobody ordered. */
export const readSeriesOrder = (env: NodeJS.ProcessEnv): SeriesOrder | null => {
  const text = env[variable]
  return text ? (JSON.parse(text) as SeriesOrder) : null
}

/** The result with its place in the series, left where the order says. */
export const withSeries = (result: RunResult, order: SeriesOrder | null): RunResult => {
  if (order === null) return result
  const { resultFile, ...series } = order
  const placed = { ...result, series }
  writeAtomically(resultFile, serializeResult(placed))
  return placed
}

import type { RunResult } from '../results/result.ts'

/** One header line and one row: the columns of chronik-bench first, under their names, then those of bench. */

export const formatCsv = (_result: RunResult): string => {
  throw new Error('not yet')
}

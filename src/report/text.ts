import type { RunResult } from '../results/result.ts'

/** The boxed report of one run. */

export interface TextReportOptions {
  /** Code points per line, at least 40; 78 unless told. */
  width?: number
  color: boolean
}

/** Ends in a line feed. */
export const formatReport = (_result: RunResult, _options: TextReportOptions): string => {
  throw new Error('not yet')
}

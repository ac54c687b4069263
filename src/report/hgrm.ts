import type { RunResult } from '../results/result.ts'

/** The percentile distribution that HdrHistogram plotters read. */

export const formatHgrm = (_result: RunResult): string => {
  throw new Error('not yet')
}

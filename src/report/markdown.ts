import type { RunResult } from '../results/result.ts'

/** The report as Markdown tables, for an issue or a job summary. */

export const formatMarkdown = (_result: RunResult): string => {
  throw new Error('not yet')
}

/** What a result says of the pacer: only an open loop has one. */
import type { Pacing } from '../results/result.ts'
import type { LoadFigures } from './load-figures.ts'
import type { RunOptions } from './options.ts'
import type { PacerName } from './waker.ts'

/** Null in a closed loop, where nothing has to be waited for. */
export const pacerOf = ({ pacer, rateRecordsPerSec }: RunOptions): PacerName | null =>
  rateRecordsPerSec === null ? null : pacer

/** The field of `RunFigures`; nothing for a closed loop. */
export const pacingOf = (options: RunOptions, { lateness }: LoadFigures): { pacing?: Pacing } => {
  const pacer = pacerOf(options)
  if (pacer === null) return {}
  const { us, lateRecords } = lateness
  return { pacing: { pacer, latenessUs: us.toLatency(), lateRecords } }
}

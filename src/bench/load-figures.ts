import type { LatencyHistogram } from '../results/histogram.ts'

/** What a load was, of one loop or of several together. */
export interface LoadFigures {
  readonly sent: number
  readonly acked: number
  readonly failed: number
  readonly unknown: number
  readonly unsent: number
  readonly requests: number
  readonly elapsedMs: number
  readonly connectionError: string | null
  readonly storageError: string | null
  readonly lateness: { readonly us: LatencyHistogram; readonly lateRecords: number }
}

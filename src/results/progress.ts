/** What a run says while it runs; the report turns it into a live line. */

export type Phase = 'start' | 'prepare' | 'fill' | 'warm-up' | 'measure' | 'drain' | 'verify'

/** What a member of the group holds at this moment. */
export interface MemberState {
  name: string
  /** Null before its first. */
  generation: number | null
  partitions: readonly number[]
}

export type ProgressEvent =
  | { type: 'phase'; phase: Phase; detail: string }
  | {
      type: 'interval'
      phase: Phase
      /** Since the phase began. */
      elapsedMs: number
      /** What the phase is bound to take; null when it has no time limit. */
      durationMs: number | null
      /** In this interval. */
      records: number
      bytes: number
      recordsPerSec: number
      bytesPerSec: number
      failed: number
      /** Since the phase began. */
      totalRecords: number
      p50Us: number | null
      p90Us: number | null
      p99Us: number | null
      p999Us: number | null
      /** Records still to read; null when not consuming. */
      lag: number | null
      /** The members of this command; empty when not consuming. */
      members: readonly MemberState[]
    }
  | { type: 'note'; text: string }

export type ProgressListener = (event: ProgressEvent) => void

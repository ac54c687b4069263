/** What `--find-max` found: its steps make the curve of latency against offered load. Plain data, schemaVersion 1. */

export interface MaxRate {
  schemaVersion: 1
  kind: 'max-rate'
  /** Every step is also a saved run with this id in `series`. */
  seriesId: string
  startedAt: string
  command: string[]
  /** A rate holds while none of these is true. */
  conditions: string[]
  /** The most that lies between the two rates, as a share. */
  precision: number
  /** Highest offered rate that held, seen at least twice; null when none did. */
  sustainedPerSec: number | null
  /** Lowest offered rate that did not hold, seen at least twice; null when none was. */
  exceededPerSec: number | null
  /** False when the search ended early, and the rates are only the best known. */
  isConverged: boolean
  /** Why there is no rate, why it is not final, or what else than the broker may have been the limit; null when all went well. */
  problem: string | null
  /** In the order they were run. */
  steps: MaxRateStep[]
}

export interface MaxRateStep {
  runId: string
  offeredPerSec: number
  achievedPerSec: number
  /** Response time in produce and metadata, end-to-end time in round-trip; null when nothing was acked. */
  p50Us: number | null
  p99Us: number | null
  unsent: number
  hasHeld: boolean
  /** What was true of the conditions; empty when it held. */
  reasons: string[]
}

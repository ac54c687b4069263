/** What every mode is given, and what it gives back for the result. */
import type { Admin, ConnectionOptions, Driver } from '../clients/driver.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { ProgressListener } from '../results/progress.ts'
import type {
  Check,
  ConsumerResult,
  Pacing,
  PartitionResult,
  RunResult,
  TimelinePoint,
  Totals,
  WarmupTotals,
  Warning,
} from '../results/result.ts'
import type { RunOptions } from './options.ts'
import type { RunTopic } from './topic.ts'
import type { WorkerPool } from './worker-messages.ts'

export interface RunContext {
  readonly options: RunOptions
  readonly driver: Driver
  readonly admin: Admin
  readonly clock: Clock
  readonly connection: ConnectionOptions
  readonly runId: string
  readonly topic: RunTopic
  /** The group of `--consumer-group`, else a fresh name. */
  readonly groupId: string
  readonly onProgress: ProgressListener
  /** How to start threads; absent where one loop is enough. */
  readonly workers?: WorkerPool
  readonly stop: AbortSignal
  readonly lost: AbortSignal
}

export interface RunFigures {
  totals: Totals
  warmup: WarmupTotals
  latencyUs: RunResult['latencyUs']
  /** Only of an open loop. */
  pacing?: Pacing
  timeline: TimelinePoint[]
  partitions: PartitionResult[]
  consumers: ConsumerResult[]
  checks: Check[]
  warnings: Warning[]
  /** Why the surroundings failed mid-run; null when they held. */
  lost: string | null
}

export const noWarmup: WarmupTotals = { records: 0, failed: 0, unknown: 0, bytes: 0, elapsedMs: 0 }

export const lossOf = (lost: AbortSignal): string | null =>
  lost.aborted ? messageOf(lost.reason ?? 'the broker is gone') : null

export const zeroCheck = (name: string, actual: number): Check => ({
  name,
  ok: actual === 0,
  expected: 0,
  actual,
})

export const sumOf = <T>(items: Iterable<T>, of: (item: T) => number): number => {
  let sum = 0
  for (const item of items) sum += of(item)
  return sum
}

/** Rates are 0 when no time passed. */
export const withRates = (totals: Omit<Totals, 'recordsPerSec' | 'bytesPerSec'>): Totals => {
  const seconds = totals.elapsedMs / 1_000
  return {
    ...totals,
    recordsPerSec: seconds > 0 ? totals.records / seconds : 0,
    bytesPerSec: seconds > 0 ? totals.bytes / seconds : 0,
  }
}

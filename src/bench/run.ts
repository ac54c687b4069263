/** One run from its options to its result: prepare, warm up, measure, drain, verify. */
import type { Admin, Driver } from '../clients/driver.ts'
import type { Clock } from '../clock.ts'
import type { ProgressListener } from '../results/progress.ts'
import type { Environment, RunResult } from '../results/result.ts'
import type { RunOptions } from './options.ts'

/** What a run is given besides its wish. */
export interface RunEnvironment {
  driver: Driver
  /** Called once; the run closes what it gets. */
  openAdmin: () => Promise<Admin>
  clock: Clock
  target: { kind: 'embedded' | 'external'; bootstrapServers: readonly string[]; dataDir?: string }
  runId: string
  /** The command line as typed, without secrets. */
  command: string[]
  /** `broker` may be empty: the run then asks the broker. */
  environment: Environment
  onProgress: ProgressListener
  /** First Ctrl-C: the load stops, drains at most 5 s, and what was done is checked. */
  stop: AbortSignal
  /** The broker is gone; `reason` says so (an `Error` or a text). */
  lost: AbortSignal
}

export interface RunOutcome {
  result: RunResult
  /** Why the surroundings failed mid-run (exit code 3); null when they held. */
  lost: string | null
}

/**
 * Runs once. Findings are checks and warnings of the result.
 * Throws a `UsageError` (the topic of `--create-topic` exists) or a `SurroundingsError` (no such topic, broker
 * unreachable, group busy) only before the load has begun.
 */
export const runBench = (
  _options: RunOptions,
  _environment: RunEnvironment,
): Promise<RunOutcome> => {
  throw new Error('not yet')
}

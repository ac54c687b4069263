/** What a run and the threads of its `--workers` say to each other: plain data, one answer to each order but `abort`. */
import type { ConnectionOptions } from '../clients/driver.ts'
import type { LoadEnd } from './load.ts'
import type { RunOptions } from './options.ts'
import type { Share } from './pacer.ts'
import type { LedgerSnapshot } from './produce-ledger.ts'
import type { FailureCounts } from './produce-verdict.ts'
import type { Bounds, ProducePhase } from './producing.ts'
import type { RunTopic } from './topic.ts'

/** What a worker is to do; its options have its part of the concurrency. */
export interface WorkerTask {
  readonly options: RunOptions
  readonly connection: ConnectionOptions
  readonly runId: string
  readonly topic: RunTopic
  readonly share: Share
  readonly phases: readonly ProducePhase[]
  /** Epoch µs − µs of the run's clock. */
  readonly epochOffsetUs: number
  /** Where the run's clock has its 0; see `systemClockOriginNs`. */
  readonly originNs: number
}

export type WorkerOrder =
  | { readonly type: 'open'; readonly task: WorkerTask }
  | { readonly type: 'run'; readonly phase: ProducePhase; readonly bounds: Bounds }
  | { readonly type: 'abort'; readonly why: 'stop' | 'lost' }
  | { readonly type: 'close' }

/** A phase of one worker, when it is closed. Times are on the run's clock, histograms are their cells. */
export interface PhaseReport {
  readonly end: LoadEnd
  readonly sent: number
  readonly acked: number
  readonly failed: number
  readonly unknown: number
  readonly unsent: number
  readonly requests: number
  readonly firstSentNs: number | null
  readonly lastAckNs: number | null
  readonly connectionError: string | null
  readonly storageError: string | null
  readonly lateRecords: number
  readonly latenessUs: Float64Array
  readonly responseUs: Float64Array
  readonly serviceUs: Float64Array
  readonly ledger: LedgerSnapshot
}

/** What happened since the last one. */
interface Progress {
  readonly records: number
  readonly bytes: number
  readonly failed: number
  readonly latenciesUs: Float64Array
}

export type WorkerAnswer =
  | { readonly type: 'opened' }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'phase-ended'; readonly end: LoadEnd }
  | {
      readonly type: 'closed'
      readonly phases: readonly PhaseReport[]
      readonly failures: FailureCounts
    }
  /** An order could not be carried out. */
  | { readonly type: 'broken'; readonly message: string }

/** The thread's end of the line. */
export interface WorkerPort {
  post(answer: WorkerAnswer): void
  onOrder(listener: (order: WorkerOrder) => void): void
}

/** The run's end of the line. */
export interface WorkerThread {
  post(order: WorkerOrder): void
  onAnswer(listener: (answer: WorkerAnswer) => void): void
  /** Called once when the thread ends without having been told to. */
  onDeath(listener: (reason: string) => void): void
  end(): Promise<void>
}

export interface WorkerPool {
  open(index: number): WorkerThread
  readonly originNs: number
}

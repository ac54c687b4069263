import type { Acks, Assignor, Compression, Isolation, SecurityOptions } from '../clients/driver.ts'
import type { Mode } from '../results/result.ts'
import type { PacerName } from './waker.ts'

/** The parsed, checked, immutable wish of one run. `cli/options.ts` makes it; nothing after that refuses its values. */
export interface RunOptions {
  readonly mode: Mode
  /** null: the embedded broker. */
  readonly bootstrapServers: readonly string[] | null
  readonly connectTimeoutMs: number
  /** null: a fresh `bench-<runId>`. */
  readonly topic: string | null
  readonly createTopic: boolean
  readonly keepTopic: boolean
  readonly deleteTopicAfter: boolean
  readonly concurrency: number
  /** Exactly so many records per request; `concurrency` then counts requests. */
  readonly batchRecords: number | null
  readonly messageSizeBytes: number
  /** null: no time limit (`-n` alone). From the end of the warm-up. */
  readonly durationMs: number | null
  readonly messageCount: number | null
  readonly warmupDurationMs: number
  /** null: closed loop. */
  readonly rateRecordsPerSec: number | null
  /** What wakes the open loop; nothing does in a closed one. */
  readonly pacer: PacerName
  readonly client: 'kafkajs' | 'platformatic' | 'librdkafka' | 'wire'
  /** Threads that produce, each with a part of the rest. */
  readonly workers: number
  readonly partitions: number
  readonly replicationFactor: number
  readonly acks: Acks
  readonly compression: Compression
  readonly lingerMs: number
  readonly batchSizeBytes: number
  readonly isIdempotent: boolean
  readonly requestTimeoutMs: number
  readonly messageTimeoutMs: number
  readonly keyPattern: KeyPattern
  /** Where records without keys go. */
  readonly partitioner: Partitioner
  readonly payloadPattern: PayloadPattern
  /** The file of `--payload-pattern FILE`, read before anything starts. */
  readonly payloadFile: { readonly path: string; readonly content: Buffer } | null
  /** 0 (random) to 1 (all alike); null leaves the pattern as it is. */
  readonly compressibility: number | null
  readonly seed: number
  /** null: a fresh group per run. */
  readonly consumerGroup: string | null
  readonly consumers: number
  readonly staggerMs: number
  readonly autoCommit: boolean
  readonly from: 'committed' | 'earliest' | 'latest'
  readonly until: 'drained' | 'duration'
  readonly fetchMinBytes: number
  readonly fetchMaxWaitMs: number
  readonly maxPartitionFetchBytes: number
  readonly isolation: Isolation
  readonly sessionTimeoutMs: number
  readonly assignor: Assignor
  readonly reportIntervalMs: number
  readonly failIf: readonly Threshold[]
  readonly validate: boolean
  readonly security: SecurityOptions
  readonly clientProperties: Readonly<Record<string, string>>
  readonly dataDir: string
  readonly brokerConfig: Readonly<Record<string, string>>
  /** Bugs for the embedded broker to have, by name; null: none asked for. */
  readonly defect: string | null
  readonly label: string | null
}

export type KeyPattern = 'none' | 'random' | 'sequential' | 'fixed' | 'zipf'
type Partitioner = 'round-robin' | 'sticky'
export type PayloadPattern = 'random' | 'zeros' | 'text' | 'file'

/** `--fail-if 'p99>10ms'`: the run fails when it is true. */
export interface Threshold {
  /** As typed. */
  readonly text: string
  readonly metric: ThresholdMetric
  readonly operator: '>' | '>=' | '<' | '<='
  /** In the metric's own unit: µs for latencies, ms for assign-time, records/s for rate, records else. */
  readonly limit: number
}

export const thresholdMetrics = [
  'rate',
  'failed',
  'unsent',
  'p50',
  'p90',
  'p95',
  'p99',
  'p999',
  'max',
  'missing',
  'duplicates',
  'rebalances',
  'assign-time',
] as const
export type ThresholdMetric = (typeof thresholdMetrics)[number]

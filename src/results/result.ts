/** The record of one run: what `results/*.json` holds and every report is made from. Plain data, schemaVersion 1. */

export type Mode = 'produce' | 'consume' | 'round-trip' | 'metadata'
export type RunStatus = 'completed' | 'interrupted' | 'failed'

export interface RunResult {
  schemaVersion: 1
  runId: string
  label: string | null
  /** Which of several runs made to be compared; absent for a run of its own. */
  series?: Series
  status: RunStatus
  startedAt: string
  command: string[]
  environment: Environment
  target: { kind: 'embedded' | 'external'; bootstrapServers: string; dataDir?: string }
  /** Every option with its effective value, units in the names. */
  config: RunConfig
  totals: Totals
  warmup: WarmupTotals
  latencyUs: { response: Latency | null; service: Latency | null; endToEnd: Latency | null }
  /** Only of an open loop; absent in results of earlier versions. */
  pacing?: Pacing
  timeline: TimelinePoint[]
  partitions: PartitionResult[]
  consumers: ConsumerResult[]
  /** What the run cost and what else went on; absent in results of earlier versions. */
  resources?: Resources
  checks: Check[]
  warnings: Warning[]
}

export interface Series {
  /** The same for all runs of one `--repeat` or one `bench ab`. */
  seriesId: string
  /** From 0; in an A/B the number of the pair. */
  index: number
  side: 'a' | 'b' | null
}

/** Measured from the end of the warm-up to the last ack or record. */
export interface Resources {
  generator: GeneratorResources
  /** Null when the broker is not the embedded one. */
  broker: { cpuMs: number; maxMemoryBytes: number } | null
  machine: MachineLoad
  /** What the client can do at most here; absent unless `bench calibrate` has measured this very work. */
  ceiling?: Ceiling
}

export interface Ceiling {
  recordsPerSec: number
  /** The run's rate over it, 0 to 1 and a little more. */
  share: number
}

export interface GeneratorResources {
  cpuMs: number
  maxMemoryBytes: number
  /** Share of the time that the event loop was busy, 0 to 1. */
  eventLoopUtilization: number
  eventLoopDelayP99Ms: number
  eventLoopDelayMaxMs: number
  gcMs: number
  gcMaxMs: number
  /** Garbage collections over 50 ms, times as in the timeline; absent in results of earlier versions. */
  gcPauses?: GcPause[]
}

export interface GcPause {
  /** Its beginning. */
  atMs: number
  durationMs: number
}

export interface MachineLoad {
  /** CPU that neither the generator nor the embedded broker used, in cores; null where the system does not tell. */
  foreignCores: number | null
  /** Share of the time the hypervisor gave to others, 0 to 1; null where the system does not tell. */
  steal: number | null
}

export interface RunConfig {
  mode: Mode
  topic: string
  concurrency: number
  messageSizeBytes: number
  durationMs: number | null
  compression: string
  [option: string]: unknown
}

export interface Environment {
  benchVersion: string
  node: string
  os: string
  cpu: string
  cores: number
  memoryBytes: number
  client: string
  broker: string
}

export interface Totals {
  /** Acked (produce, round-trip), distinct consumed (consume), answers (metadata). */
  records: number
  failed: number
  unknown: number
  /** Due under `--rate` and never sent. */
  unsent: number
  bytes: number
  /** First send to last counted ack. */
  elapsedMs: number
  recordsPerSec: number
  bytesPerSec: number
  requests: number
  /** Round-trip: own records that came back. */
  received?: number
}

export interface WarmupTotals {
  records: number
  failed: number
  unknown: number
  bytes: number
  elapsedMs: number
}

export interface Latency {
  count: number
  mean: number
  p50: number
  p90: number
  p95: number
  p99: number
  p999: number
  max: number
  /** HdrHistogram V2, compressed, base64; values in µs. */
  hdr: string
}

/** How well the intended send times were kept. */
export interface Pacing {
  pacer: 'timer' | 'precise' | 'spin'
  /**
   * The pacer's own error: from the intended time to when the generator came to the record, of records that had a free
   * slot all the while; null when there were none.
   */
  latenessUs: Latency | null
  /** Records that came due while every slot was taken: they waited for the broker, which the response time shows. */
  lateRecords: number
}

export interface TimelinePoint {
  /** End of the interval, ms since the measurement began. */
  atMs: number
  records: number
  failed: number
  bytes: number
  p50Us: number | null
  p99Us: number | null
  /** Records still to read at its end; only where the run consumes. */
  lag?: number
}

export interface PartitionResult {
  partition: number
  lowBefore: number
  highBefore: number
  lowAfter: number
  highAfter: number
  fromOffset: number
  acked: number
  consumed: number
  missing: number
  duplicates: number
  outOfOrder: number
  foreign: number
  corrupt: number
  /** Records between fromOffset and the target that members of other commands hold and that cannot be judged. */
  notJudged?: number
}

export interface ConsumerResult {
  name: string
  memberId: string | null
  startedAtMs: number
  /** From the member's start to its first non-empty assignment; null if never. */
  firstAssignmentMs: number | null
  firstRecordMs: number | null
  rebalances: number
  generations: number[]
  /** The last non-empty assignment. */
  partitions: number[]
  records: number
  /** What it held from when on, in order; absent in results of earlier versions. */
  assignments?: Assignment[]
}

export interface Assignment {
  /** As in the timeline. */
  atMs: number
  /** -1 where the client does not tell. */
  generation: number
  /** Empty: nothing from here on, revoked or left out. */
  partitions: number[]
}

export interface Check {
  name: string
  ok: boolean
  expected: string | number
  actual: string | number
}

export interface Warning {
  code: string
  text: string
  advice: string
}

import type {
  Assignment,
  Ceiling,
  Check,
  ConsumerResult,
  Environment,
  GcPause,
  GeneratorResources,
  Latency,
  MachineLoad,
  Pacing,
  PartitionResult,
  Resources,
  RunConfig,
  RunResult,
  Series,
  TimelinePoint,
  Totals,
  WarmupTotals,
  Warning,
} from './result.ts'
import { either, list, nullable, number, oneOf, optional, record, text, truth } from './shape.ts'

/** `RunResult` as a check at run time, for results that come from files. */

const latency = record<Latency>({
  count: number,
  mean: number,
  p50: number,
  p90: number,
  p95: number,
  p99: number,
  p999: number,
  max: number,
  hdr: text,
})

const partition = record<PartitionResult>({
  partition: number,
  lowBefore: number,
  highBefore: number,
  lowAfter: number,
  highAfter: number,
  fromOffset: number,
  acked: number,
  consumed: number,
  missing: number,
  duplicates: number,
  outOfOrder: number,
  foreign: number,
  corrupt: number,
  notJudged: optional(number),
})

const consumer = record<ConsumerResult>({
  name: text,
  memberId: nullable(text),
  startedAtMs: number,
  firstAssignmentMs: nullable(number),
  firstRecordMs: nullable(number),
  rebalances: number,
  generations: list(number),
  partitions: list(number),
  records: number,
  assignments: optional(
    list(record<Assignment>({ atMs: number, generation: number, partitions: list(number) })),
  ),
})

const numberOrText = either(number, text, 'a number or a text')

const environment = record<Environment>({
  benchVersion: text,
  node: text,
  os: text,
  cpu: text,
  cores: number,
  memoryBytes: number,
  client: text,
  broker: text,
})

const config = record<RunConfig>({
  mode: oneOf('produce', 'consume', 'round-trip', 'metadata'),
  topic: text,
  concurrency: number,
  messageSizeBytes: number,
  durationMs: nullable(number),
  compression: text,
})

const totals = record<Totals>({
  records: number,
  failed: number,
  unknown: number,
  unsent: number,
  bytes: number,
  elapsedMs: number,
  recordsPerSec: number,
  bytesPerSec: number,
  requests: number,
  received: optional(number),
})

const warmup = record<WarmupTotals>({
  records: number,
  failed: number,
  unknown: number,
  bytes: number,
  elapsedMs: number,
})

const pacing = record<Pacing>({
  pacer: oneOf('timer', 'precise', 'spin'),
  latenessUs: nullable(latency),
  lateRecords: number,
})

const timelinePoint = record<TimelinePoint>({
  atMs: number,
  records: number,
  failed: number,
  bytes: number,
  p50Us: nullable(number),
  p99Us: nullable(number),
  lag: optional(number),
})

const series = record<Series>({
  seriesId: text,
  index: number,
  side: nullable(oneOf('a', 'b')),
})

const resources = record<Resources>({
  generator: record<GeneratorResources>({
    cpuMs: number,
    maxMemoryBytes: number,
    eventLoopUtilization: number,
    eventLoopDelayP99Ms: number,
    eventLoopDelayMaxMs: number,
    gcMs: number,
    gcMaxMs: number,
    gcPauses: optional(list(record<GcPause>({ atMs: number, durationMs: number }))),
  }),
  broker: nullable(
    record<NonNullable<Resources['broker']>>({ cpuMs: number, maxMemoryBytes: number }),
  ),
  machine: record<MachineLoad>({ foreignCores: nullable(number), steal: nullable(number) }),
  ceiling: optional(record<Ceiling>({ recordsPerSec: number, share: number })),
})

export const runResult = record<RunResult>({
  schemaVersion: oneOf(1),
  runId: text,
  label: nullable(text),
  series: optional(series),
  status: oneOf('completed', 'interrupted', 'failed'),
  startedAt: text,
  command: list(text),
  environment,
  target: record<RunResult['target']>({
    kind: oneOf('embedded', 'external'),
    bootstrapServers: text,
    dataDir: optional(text),
  }),
  config,
  totals,
  warmup,
  latencyUs: record<RunResult['latencyUs']>({
    response: nullable(latency),
    service: nullable(latency),
    endToEnd: nullable(latency),
  }),
  pacing: optional(pacing),
  timeline: list(timelinePoint),
  partitions: list(partition),
  consumers: list(consumer),
  resources: optional(resources),
  checks: list(
    record<Check>({ name: text, ok: truth, expected: numberOrText, actual: numberOrText }),
  ),
  warnings: list(record<Warning>({ code: text, text, advice: text })),
})

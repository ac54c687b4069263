/** The records of a scenario: produced by bench's own engine, past the recording, and read back from the log. */
import { ConsumeLedger } from '../bench/consume-ledger.ts'
import type { RunOptions } from '../bench/options.ts'
import { epochOffsetOf } from '../bench/produce.ts'
import { balanceLog, type ProduceLedger } from '../bench/produce-ledger.ts'
import { Producing } from '../bench/producing.ts'
import { readRanges } from '../bench/read-range.ts'
import type { RunContext } from '../bench/run-context.ts'
import type { Driver, PartitionWatermarks } from '../clients/driver.ts'
import type { Clock } from '../clock.ts'
import type { LogScan } from './evidence.ts'
import type { ScenarioProduce } from './schema.ts'
import type { Stage } from './stage.ts'

const runOptions = (produce: ScenarioProduce | null): RunOptions => ({
  mode: 'produce',
  bootstrapServers: null,
  connectTimeoutMs: 10_000,
  topic: null,
  createTopic: false,
  keepTopic: false,
  deleteTopicAfter: false,
  concurrency: produce?.concurrency ?? 64,
  batchRecords: null,
  messageSizeBytes: produce?.size ?? 256,
  durationMs: produce?.duration ?? null,
  messageCount: produce?.records ?? null,
  warmupDurationMs: 0,
  rateRecordsPerSec: produce?.rate ?? null,
  pacer: 'timer',
  client: 'kafkajs',
  workers: 1,
  partitions: 1,
  replicationFactor: 1,
  acks: -1,
  compression: 'none',
  lingerMs: 0,
  batchSizeBytes: 16_384,
  isIdempotent: false,
  requestTimeoutMs: 30_000,
  messageTimeoutMs: 60_000,
  keyPattern: 'none',
  partitioner: 'round-robin',
  payloadPattern: 'random',
  payloadFile: null,
  compressibility: null,
  seed: 1,
  consumerGroup: null,
  consumers: 1,
  staggerMs: 0,
  autoCommit: true,
  from: 'committed',
  until: 'drained',
  fetchMinBytes: 1,
  fetchMaxWaitMs: 500,
  maxPartitionFetchBytes: 1_048_576,
  isolation: 'read-uncommitted',
  sessionTimeoutMs: 45_000,
  assignor: 'range',
  reportIntervalMs: 0,
  failIf: [],
  validate: false,
  security: { tls: null, sasl: null },
  clientProperties: {},
  dataDir: 'memory',
  defect: null,
  brokerConfig: {},
  label: null,
})

export interface RecordParts {
  readonly stage: Stage
  readonly driver: Driver
  readonly clock: Clock
  readonly partitionCount: number
  readonly runId: string
  readonly stop: AbortSignal
}

const contextOf = (parts: RecordParts, produce: ScenarioProduce | null): RunContext => {
  const { stage, driver, clock, partitionCount, runId, stop } = parts
  const { admin, connection, topic, groupId } = stage
  return {
    options: runOptions(produce),
    driver,
    admin,
    clock,
    connection,
    runId,
    topic: { name: topic, partitionCount, isFresh: true },
    groupId,
    onProgress: () => {},
    stop,
    lost: new AbortController().signal,
  }
}

/** Sends what `produce` says; the ledger tells what became of it. Rejects when the broker cannot be reached. */
export const produceRecords = async (
  parts: RecordParts,
  produce: ScenarioProduce,
): Promise<ProduceLedger> => {
  const context = contextOf(parts, produce)
  const producing = await Producing.open(context, ['measure'], epochOffsetOf(context))
  try {
    const { duration: durationMs, records: messageCount } = produce
    const { ledgers } = await producing.run('measure', { durationMs, messageCount })
    return ledgers[0] as ProduceLedger
  } finally {
    await producing.close()
  }
}

/** Reads the whole log without a group, and holds it against what was sent. */
export const scanLog = async (
  parts: RecordParts,
  before: readonly PartitionWatermarks[],
  after: readonly PartitionWatermarks[],
  produced: readonly ProduceLedger[],
): Promise<LogScan> => {
  const ledger = new ConsumeLedger(parts.partitionCount, parts.runId)
  const ranges = after.map(({ partition, low, high }) => {
    const fromOffset = Math.max(low, before.find((one) => one.partition === partition)?.high ?? low)
    return { partition, fromOffset, toOffset: high }
  })
  await readRanges(contextOf(parts, null), ranges, ledger)
  const balances = ranges.map((range) => balanceLog(produced, ledger, range.partition, range))
  return { ledger, balances }
}

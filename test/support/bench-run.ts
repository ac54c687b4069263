import type { RunOptions } from '../../src/bench/options.ts'
import { type RunOutcome, runBench } from '../../src/bench/run.ts'
import type { ProgressEvent } from '../../src/results/progress.ts'
import { FakeCluster } from './fake-cluster.ts'
import { InlineWorkers } from './inline-workers.ts'
import { ManualClock, settled } from './manual-clock.ts'

/** A whole run of the engine on virtual time. */

const defaults: RunOptions = {
  mode: 'produce',
  bootstrapServers: null,
  connectTimeoutMs: 10_000,
  topic: null,
  createTopic: false,
  keepTopic: true,
  deleteTopicAfter: false,
  concurrency: 64,
  batchRecords: null,
  messageSizeBytes: 100,
  durationMs: 5_000,
  messageCount: null,
  warmupDurationMs: 0,
  rateRecordsPerSec: null,
  pacer: 'timer',
  client: 'kafkajs',
  workers: 1,
  partitions: 3,
  replicationFactor: 1,
  acks: 1,
  compression: 'none',
  lingerMs: 0,
  batchSizeBytes: 16_384,
  isIdempotent: false,
  requestTimeoutMs: 30_000,
  messageTimeoutMs: 60_000,
  keyPattern: 'none',
  partitioner: 'round-robin',
  payloadPattern: 'zeros',
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
  dataDir: '.bench',
  brokerConfig: {},
  defect: null,
  label: null,
}

const environment = {
  benchVersion: '0',
  node: 'v20',
  os: 'test',
  cpu: 'test',
  cores: 2,
  memoryBytes: 1,
  client: 'fake 1',
  broker: '',
}

export interface BenchTest {
  readonly clock: ManualClock
  readonly cluster: FakeCluster
  readonly stop: AbortController
  readonly lost: AbortController
  readonly progress: ProgressEvent[]
  /** Of `workers` above 1, which run in this thread. Their driver is that of every run. */
  readonly workers: InlineWorkers
  /** Starts a run; time then moves by `finish` or by the test itself. */
  start(options?: Partial<RunOptions>, runId?: string): Promise<RunOutcome>
  /** Lets time pass until `run` has ended; fails the test when that takes more than `limitMs` of virtual time. */
  finish<T>(run: Promise<T>, limitMs?: number): Promise<T>
}

export const benchTest = (): BenchTest => {
  const clock = new ManualClock()
  const cluster = new FakeCluster(clock)
  const stop = new AbortController()
  const lost = new AbortController()
  const progress: ProgressEvent[] = []
  const workers = new InlineWorkers(cluster.driver, clock)
  return {
    clock,
    cluster,
    stop,
    lost,
    progress,
    workers,
    start: (options = {}, runId = '0123456789ab') =>
      runBench(
        { ...defaults, ...options },
        {
          driver: workers.driver,
          openAdmin: async () => cluster.admin,
          clock,
          target: { kind: 'external', bootstrapServers: ['fake:9092'] },
          runId,
          command: [],
          environment,
          onProgress: (event) => void progress.push(event),
          workers,
          stop: stop.signal,
          lost: lost.signal,
        },
      ),
    finish: async (run, limitMs = 200_000) => {
      const state = { isOver: false }
      const end = (): void => {
        state.isOver = true
      }
      run.then(end, end)
      const untilMs = clock.elapsedMs + limitMs
      while (!state.isOver && clock.elapsedMs < untilMs) {
        await clock.advanceAsync(1)
        await settled()
      }
      if (!state.isOver) throw new Error(`the run did not end within ${limitMs} ms`)
      return run
    },
  }
}

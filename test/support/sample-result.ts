import type {
  Latency,
  Mode,
  PartitionResult,
  Resources,
  RunResult,
} from '../../src/results/result.ts'

/** Results for tests: the figures of the founding report, or of a group of three that read its records. */

export const sampleLatency = (fields: Partial<Latency> = {}): Latency => ({
  count: 1_794_747,
  mean: 2_111,
  p50: 1_901,
  p90: 2_807,
  p95: 3_411,
  p99: 5_903,
  p999: 10_447,
  max: 30_207,
  hdr: '',
  ...fields,
})

export const sampleResources = (fields: Partial<Resources['generator']> = {}): Resources => ({
  generator: {
    cpuMs: 21_540,
    maxMemoryBytes: 180 * 2 ** 20,
    eventLoopUtilization: 0.71,
    eventLoopDelayP99Ms: 2.4,
    eventLoopDelayMaxMs: 18.26,
    gcMs: 310,
    gcMaxMs: 9.5,
    ...fields,
  },
  broker: { cpuMs: 6_120, maxMemoryBytes: 96 * 2 ** 20 },
  machine: { foreignCores: 0.05, steal: 0 },
})

export const samplePartition = (fields: Partial<PartitionResult> = {}): PartitionResult => ({
  partition: 0,
  lowBefore: 0,
  highBefore: 0,
  lowAfter: 0,
  highAfter: 0,
  fromOffset: 0,
  acked: 0,
  consumed: 0,
  missing: 0,
  duplicates: 0,
  outOfOrder: 0,
  foreign: 0,
  corrupt: 0,
  ...fields,
})

const base = (mode: Mode): RunResult => ({
  schemaVersion: 1,
  runId: '0123456789ab',
  label: null,
  status: 'completed',
  startedAt: '2026-11-21T10:00:00.000Z',
  command: ['--mode', mode],
  environment: {
    benchVersion: '0.1.0',
    node: 'v20.20.2',
    os: 'Linux 6.1.0 x64',
    cpu: 'A processor',
    cores: 2,
    memoryBytes: 4 * 2 ** 30,
    client: 'kafkajs 2.2.4',
    broker: 'bench 0.1.0',
  },
  target: { kind: 'embedded', bootstrapServers: '127.0.0.1:40001', dataDir: '.bench' },
  config: {
    mode,
    topic: 'bench-test',
    concurrency: 128,
    messageSizeBytes: 256,
    durationMs: 30_000,
    compression: 'none',
    acks: 1,
    rateRecordsPerSec: null,
    consumerGroup: 'test-group',
    validate: false,
  },
  totals: {
    records: 1_794_747,
    failed: 0,
    unknown: 0,
    unsent: 0,
    bytes: 459_455_232,
    elapsedMs: 35_001.4,
    recordsPerSec: 51_276.57,
    bytesPerSec: 13_126_810.5,
    requests: 89_737,
  },
  warmup: { records: 1_000, failed: 0, unknown: 0, bytes: 256_000, elapsedMs: 5_002 },
  latencyUs: { response: sampleLatency(), service: sampleLatency(), endToEnd: null },
  timeline: [
    { atMs: 1_000, records: 51_277, failed: 0, bytes: 13_126_912, p50Us: 1_901, p99Us: 5_903 },
  ],
  partitions: [598_583, 598_582, 598_582].map((acked, partition) =>
    samplePartition({ partition, acked, highAfter: acked }),
  ),
  consumers: [],
  checks: [
    { name: 'acked-equals-watermark-delta', ok: true, expected: 1_795_747, actual: 1_795_747 },
  ],
  warnings: [],
})

export const produceResult = (fields: Partial<RunResult> = {}): RunResult => ({
  ...base('produce'),
  ...fields,
})

/** A group of three, one second apart, that reads what was produced. */
export const consumeResult = (fields: Partial<RunResult> = {}): RunResult => {
  const result = base('consume')
  return {
    ...result,
    totals: { ...result.totals, records: 1_795_747, elapsedMs: 9_120, requests: 4_210 },
    warmup: { records: 0, failed: 0, unknown: 0, bytes: 0, elapsedMs: 0 },
    latencyUs: { response: null, service: sampleLatency({ count: 4_210 }), endToEnd: null },
    partitions: result.partitions.map((partition) => ({
      ...partition,
      highBefore: partition.highAfter,
      acked: 0,
      consumed: partition.highAfter,
    })),
    consumers: [0, 1, 2].map((index) => ({
      name: `consumer-${index + 1}`,
      memberId: `bench-${index}-aabbccdd`,
      startedAtMs: index * 1_000,
      firstAssignmentMs: index === 0 ? 105 : 3_040.4,
      firstRecordMs: index === 0 ? 131 : 3_055,
      rebalances: 3 - index,
      generations: [1, 2, 3].slice(index),
      partitions: [index],
      records: [1_200_000, 300_000, 295_747][index] ?? 0,
    })),
    checks: [
      { name: 'all-consumed', ok: true, expected: 1_795_747, actual: 1_795_747 },
      { name: 'every-member-assigned', ok: true, expected: 3, actual: 3 },
    ],
    ...fields,
  }
}

export const roundTripResult = (fields: Partial<RunResult> = {}): RunResult => {
  const result = base('round-trip')
  return {
    ...result,
    config: { ...result.config, rateRecordsPerSec: 5_000 },
    totals: { ...result.totals, received: 1_795_747 },
    latencyUs: {
      response: sampleLatency(),
      service: sampleLatency({ p99: 4_100, max: 20_000 }),
      endToEnd: sampleLatency({ p50: 2_500, p999: 12_000, max: 33_333 }),
    },
    partitions: result.partitions.map((partition) => ({
      ...partition,
      consumed: partition.acked,
    })),
    checks: [{ name: 'sent-equals-received', ok: true, expected: 1_795_747, actual: 1_795_747 }],
    ...fields,
  }
}

export const metadataResult = (fields: Partial<RunResult> = {}): RunResult => {
  const result = base('metadata')
  return {
    ...result,
    config: { ...result.config, topic: '', concurrency: 64, messageSizeBytes: 0 },
    totals: { ...result.totals, records: 20_000, bytes: 0, bytesPerSec: 0, requests: 20_000 },
    warmup: { records: 0, failed: 0, unknown: 0, bytes: 0, elapsedMs: 0 },
    latencyUs: { response: sampleLatency({ count: 20_000 }), service: null, endToEnd: null },
    partitions: [],
    checks: [],
    ...fields,
  }
}

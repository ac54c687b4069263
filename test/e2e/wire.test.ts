import { afterAll, describe, expect, it } from 'vitest'
import type { RunResult } from '../../src/results/result.ts'
import { benchResult, deltaOf, failedChecks, makeFolder, start, until } from './bin.ts'

/** The wire client through the real bin. What it wrote is counted, and read back, by kafkajs. */

const { folder, remove } = makeFolder()
afterAll(remove)

const small = ['--client', 'wire', '-c', '32', '-s', '100']

const expectCounted = (result: RunResult, records: number): void => {
  expect(failedChecks(result)).toEqual([])
  expect(result.totals.records).toBe(records)
  expect(deltaOf(result)).toBe(records)
  expect(result.config['client']).toBe('wire')
}

/** Reads the topic with kafkajs: every record there once, with a checksum that is right. */
const readBack = async (topic: string, records: number): Promise<void> => {
  const { result } = await benchResult(folder, '--mode', 'consume', '--topic', topic)
  expect(failedChecks(result)).toEqual([])
  expect(result.totals.records).toBe(records)
  for (const partition of result.partitions) {
    expect(partition).toMatchObject({ missing: 0, duplicates: 0, outOfOrder: 0, corrupt: 0 })
  }
}

describe('produce with the wire client', () => {
  it.concurrent.each([
    ['none', []],
    ['gzip', ['--compression', 'gzip', '--payload-pattern', 'text']],
    ['snappy', ['--compression', 'snappy', '--payload-pattern', 'text']],
    ['lz4', ['--compression', 'lz4', '--payload-pattern', 'text']],
    ['zstd', ['--compression', 'zstd', '--payload-pattern', 'text']],
    ['keys', ['--key-pattern', 'zipf']],
    ['sticky', ['--partitioner', 'sticky']],
    ['idempotence', ['--idempotent']],
    ['whole-batches', ['--batch-records', '70', '-c', '8']],
    ['detached', ['-s', '5']],
    ['large', ['-s', '200000', '-n', '40']],
  ])('%s: counts are exact and kafkajs reads every record once', async (name, args) => {
    const records = args.includes('-n') ? 40 : 2_000
    const flags = [...small, '--topic', name, '--acks', 'all', '-n', '2000', ...args]
    const { result, code } = await benchResult(folder, ...flags)
    expect(code).toBe(0)
    expectCounted(result, records)
    await readBack(name, records)
  })

  it.concurrent.each(['0', '1'])('counts with acks %s', async (acks) => {
    const flags = [...small, '--topic', `acks-${acks}`, '-n', '1500', '--acks', acks]
    const { result, code } = await benchResult(folder, ...flags)
    expect(code).toBe(0)
    expect(deltaOf(result)).toBe(1_500)
    await readBack(`acks-${acks}`, 1_500)
  })

  it('records that are too large fail for certain', async () => {
    const flags = ['--client', 'wire', '-s', '3000000', '-n', '3']
    const { result, code } = await benchResult(folder, ...flags)
    expect(code).toBe(1)
    expect(result.totals.failed).toBe(3)
    expect(deltaOf(result)).toBe(0)
  })

  it.concurrent('has no more records in flight than asked for, and accounts for the warm-up', async () => {
    const flags = [...small, '-c', '1', '-d', '400ms', '-w', '200ms']
    const { result, code } = await benchResult(folder, ...flags)
    expect(code).toBe(0)
    expect(result.warmup.records).toBeGreaterThan(0)
    expect(result.totals.records + result.warmup.records).toBe(deltaOf(result))
    // One in flight: each request has one record.
    expect(result.totals.requests).toBe(result.totals.records)
  })
})

describe('produce with the wire client to a cluster', () => {
  it('sends each partition to its leader', async () => {
    const cluster = makeFolder()
    const broker = start(cluster.folder, ['broker', '--port', '0', '--brokers', '3'])
    try {
      await until('the brokers', () => broker.stderr().includes('listening on'))
      const address = /127\.0\.0\.1:\d+/.exec(broker.stderr())?.[0] ?? ''
      for (const extra of [[], ['--idempotent']]) {
        const flags = [...small, '-b', address, '-p', '6', '-n', '3000', '--acks', 'all', ...extra]
        const { result, code } = await benchResult(cluster.folder, ...flags)
        expect(code).toBe(0)
        expectCounted(result, 3_000)
        expect(result.partitions).toHaveLength(6)
      }
    } finally {
      broker.child.kill('SIGINT')
      await broker.ended
      await cluster.remove()
    }
  })
})

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import type { RunResult } from '../../src/results/result.ts'
import {
  bench,
  benchResult,
  deltaOf,
  failedChecks,
  makeFolder,
  type Running,
  start,
  until,
} from './bin.ts'

/** One broker process that is three nodes: what is told of it, and that moves of leaders and coordinators lose nothing. */

const { folder, remove } = makeFolder()
afterAll(remove)

interface Cluster {
  broker: Running
  /** `host:port` of each node, with commas between. */
  servers: string
  stop: () => Promise<void>
}

const startCluster = async (...args: string[]): Promise<Cluster> => {
  const broker = start(folder, ['broker', '--brokers', '3', '--port', '0', ...args])
  onTestFinished(() => void broker.child.kill('SIGKILL'))
  await until('the broker', () => broker.stderr().includes('listening on '))
  const [, servers = ''] = /listening on (\S+)/.exec(broker.stderr()) ?? []
  return {
    broker,
    servers,
    async stop() {
      broker.child.kill('SIGTERM')
      expect((await broker.ended).code).toBe(0)
    },
  }
}

/** Each partition, of which there are `count`, to the node after the one that led it; `step` tells how often before. */
const move = async (servers: string, topic: string, count: number, step: number): Promise<void> => {
  const kafka = new Kafka({ brokers: servers.split(','), logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const partitionAssignment = Array.from({ length: count }, (_, partition) => ({
    partition,
    replicas: [((partition + step) % 3) + 1],
  }))
  await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] })
  await admin.disconnect()
}

const resultOf = async (running: Running): Promise<RunResult> => {
  const { stdout } = await running.ended
  return JSON.parse(stdout) as RunResult
}

describe('bench broker --brokers 3', () => {
  it('takes three ports, tells them all, and lets a run on its folder join it', async () => {
    const data = path.join(folder, 'data')
    const settings = ['-X', 'default.replication.factor=3']
    const { broker, servers, stop } = await startCluster('--data-dir', data, ...settings)
    expect(new Set(servers.split(',')).size).toBe(3)
    const lock = readFileSync(path.join(data, 'broker.lock'), 'utf8')
    expect((JSON.parse(lock) as { endpoint: string }).endpoint).toBe(servers)

    const { result } = await benchResult(folder, '-n', '900', '-p', '6', '--data-dir', data)
    expect(result.target).toMatchObject({ kind: 'embedded', bootstrapServers: servers })
    expect(deltaOf(result)).toBe(900)
    const [, port = ''] = servers.split(',')[1]?.split(':') ?? []
    const taken = await bench(folder, 'broker', '--port', port, '--data-dir', 'memory')
    expect(taken).toMatchObject({ code: 3 })
    expect(taken.stderr).toContain(`127.0.0.1:${port}: the port is taken`)
    await stop()
    const last = broker.stderr().trimEnd().split('\n').at(-1)
    expect(last).toBe('stopping: SIGTERM')
  })

  it.each(['0', '1.5', '17', 'x'])('refuses --brokers %s', async (brokers) => {
    const { code, stderr } = await bench(folder, 'broker', '--brokers', brokers)
    expect(code).toBe(2)
    expect(stderr).toBe(`bench: --brokers '${brokers}': a whole number from 1 to 16 is allowed\n`)
  })

  // Without idempotence what is sent again may land behind what was sent later, as with Kafka.
  it.each([
    ['nothing', []],
    ['nothing and keeps the order', ['--idempotent', '--validate']],
  ])('loses %s while the leaders of a produce run move', async (_what, flags) => {
    const { servers, stop } = await startCluster('--data-dir', 'memory')
    const load = ['--rate', '500', '-d', '5s', '-w', '0s', '-s', '100', '-p', '6', '-t', 'moved']
    const args = ['--mode', 'produce', '-b', servers, ...load, ...flags, '--json-output', '-']
    const running = start(folder, args)
    await until('the load', () => running.stderr().includes('measure'))
    for (const step of [0, 1, 2]) await move(servers, 'moved', 6, step)
    expect(running.child.exitCode).toBeNull()
    const result = await resultOf(running)
    expect(failedChecks(result)).toEqual([])
    expect(result.totals.records).toBeGreaterThan(0)
    expect(deltaOf(result)).toBe(result.totals.records)
    await stop()
  })

  it('serves a staggered group of three to the last record while leaders and coordinator move', async () => {
    const { broker, servers, stop } = await startCluster('--data-dir', 'memory')
    const topic = ['-b', servers, '-t', 'read', '-p', '6']
    const produced = await benchResult(folder, ...topic, '-n', '9000', '-s', '100')
    expect(failedChecks(produced.result)).toEqual([])
    // Small fetches that wait, so that there is lag left when the third member has come.
    const slow = ['--max-partition-fetch-bytes', '5000', '--fetch-min-bytes', '1000000']
    const group = ['--consumers', '3', '--stagger', '300ms', '--fetch-max-wait-ms', '100', ...slow]
    const args = ['--mode', 'consume', ...topic, ...group, '--json-output', '-']
    const running = start(folder, args)
    await until('three members', () => broker.stderr().includes('has 3 members'))
    await move(servers, 'read', 6, 1)
    await move(servers, '__consumer_offsets', 50, 1)
    await move(servers, 'read', 6, 2)
    expect(running.child.exitCode).toBeNull()
    const result = await resultOf(running)
    expect(failedChecks(result)).toEqual([])
    const consumed = result.partitions.map((partition) => partition.consumed)
    expect(consumed).toEqual(Array.from({ length: 6 }, () => 1_500))
    await stop()
  })
})

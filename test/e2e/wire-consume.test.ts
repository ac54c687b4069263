import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunResult } from '../../src/results/result.ts'
import { benchResult, failedChecks, makeFolder, pause, start, until } from './bin.ts'

/** Groups whose members are the wire client, through the real bin. What they read was written by kafkajs. */

const { folder, remove } = makeFolder()
beforeAll(async () => {
  const { code } = await benchResult(folder, '--topic', 'three', '-n', '3000', '-s', '100')
  expect(code).toBe(0)
})
afterAll(remove)

const consume = (...args: string[]) =>
  benchResult(folder, '--mode', 'consume', '--client', 'wire', ...args)

const threeStaggered = ['--consumers', '3', '--stagger', '1s']

const expectExact = (result: RunResult, records: number): void => {
  expect(failedChecks(result)).toEqual([])
  expect(result.totals.records).toBe(records)
  for (const partition of result.partitions) {
    expect(partition).toMatchObject({ missing: 0, duplicates: 0, outOfOrder: 0, corrupt: 0 })
    expect(partition.consumed).toBe(partition.highAfter - partition.fromOffset)
  }
}

const expectAllOwned = (results: readonly RunResult[]): void => {
  const owned = results.flatMap(({ consumers }) => consumers.flatMap((one) => one.partitions))
  expect(owned.toSorted((a, b) => a - b)).toEqual([0, 1, 2])
}

describe('a group of wire members', () => {
  it.concurrent.each(['range', 'round-robin', 'cooperative-sticky'])(
    '%s: three, 1 s apart, own a partition each and read every record once',
    async (assignor) => {
      const flags = ['--topic', 'three', '--assignor', assignor, ...threeStaggered]
      const { result, code } = await consume(...flags)
      expect(code).toBe(0)
      expectExact(result, 3_000)
      expectAllOwned([result])
      expect(result.consumers.every(({ generations }) => generations.length > 0)).toBe(true)
    },
  )

  it.concurrent.each([
    ['none', []],
    ['gzip', ['--compression', 'gzip']],
    ['snappy', ['--compression', 'snappy']],
    ['lz4', ['--compression', 'lz4']],
    ['zstd', ['--compression', 'zstd']],
    ['detached', ['-s', '5']],
    ['large', ['-s', '200000', '-n', '40']],
    ['idempotence', ['--idempotent']],
  ])('reads what kafkajs wrote: %s', async (name, args) => {
    const records = args.includes('-n') ? 40 : 2_000
    const flags = ['--topic', name, '-n', '2000', '-s', '100', '--payload-pattern', 'text', ...args]
    const written = await benchResult(folder, ...flags)
    expect(written.code).toBe(0)
    const { result, code } = await consume('--topic', name, '-X', 'check.crcs=true')
    expect(code).toBe(0)
    expectExact(result, records)
    expect(result.latencyUs.service).not.toBeNull()
  })

  it.concurrent('resumes where it committed, and commits nothing when it is not to', async () => {
    const group = ['--topic', 'three', '--consumer-group', 'w-resume']
    expect((await consume(...group)).result.totals.records).toBe(3_000)
    expect((await consume(...group)).result.totals.records).toBe(0)
    const silent = ['--topic', 'three', '--consumer-group', 'w-silent', '--disable-auto-commit']
    expect((await consume(...silent)).result.totals.records).toBe(3_000)
    expect((await consume(...silent)).result.totals.records).toBe(3_000)
  })

  it.concurrent('reads a round trip', async () => {
    const flags = [
      '--mode',
      'round-trip',
      '--client',
      'wire',
      '-n',
      '2000',
      '-s',
      '100',
      '-w',
      '0s',
    ]
    const { result, code } = await benchResult(folder, ...flags)
    expect(code).toBe(0)
    expect(failedChecks(result)).toEqual([])
    expect(result.totals.received).toBe(2_000)
  })
})

describe('a topic that is being written', () => {
  /** A member that stays for so long, as a command of its own. */
  const live = (client: string, group: string, durationMs: number, ...args: string[]) =>
    start(folder, [
      ...['--mode', 'consume', '--client', client, '--topic', 'live', '--consumer-group', group],
      ...['--until', 'duration', '--duration', `${durationMs}ms`, '--json-output', '-', ...args],
    ])

  const resultOf = async (running: ReturnType<typeof start>): Promise<RunResult> => {
    const { code, stdout, stderr } = await running.ended
    if (stdout === '') throw new Error(stderr)
    expect({ code, stderr }).toMatchObject({ code: 0 })
    return JSON.parse(stdout) as RunResult
  }

  it('members of kafkajs share a group with them, and a cooperative group hands over what moves only', async () => {
    const written = ['--topic', 'live', '--rate', '600', '-s', '100', '-w', '0s', '-d', '13s']
    const producer = start(folder, [...written, '--json-output', '-'])
    await pause(2_000)
    const mixed = [live('wire', 'mixed', 9_000)]
    const cooperative = [live('wire', 'coop', 9_000, '--assignor', 'cooperative-sticky')]
    await pause(1_000)
    mixed.push(live('kafkajs', 'mixed', 8_000))
    cooperative.push(live('wire', 'coop', 8_000, '--assignor', 'cooperative-sticky'))
    await pause(1_000)
    mixed.push(live('wire', 'mixed', 6_000))
    for (const running of [mixed, cooperative]) {
      const results = await Promise.all(running.map(resultOf))
      for (const result of results) {
        expect(failedChecks(result)).toEqual([])
        expect(result.consumers[0]?.records).toBeGreaterThan(0)
      }
      // They read at the end of the topic: more than there is could only be records read twice.
      const read = results.reduce((sum, { totals }) => sum + totals.records, 0)
      const ends = results.map((one) => one.partitions.reduce((sum, p) => sum + p.highAfter, 0))
      expect(read).toBeLessThanOrEqual(Math.max(...ends))
    }
    await resultOf(producer)
  })
})

describe('a cluster of three', () => {
  it('reads each partition from its leader, cooperatively too', async () => {
    const cluster = makeFolder()
    const broker = start(cluster.folder, ['broker', '--port', '0', '--brokers', '3'])
    try {
      await until('the brokers', () => broker.stderr().includes('listening on'))
      const address = /127\.0\.0\.1:\d+/.exec(broker.stderr())?.[0] ?? ''
      const topic = ['-b', address, '--topic', 'six']
      const written = await benchResult(
        cluster.folder,
        ...topic,
        '-p',
        '6',
        '-n',
        '3000',
        '-s',
        '100',
      )
      expect(written.code).toBe(0)
      for (const assignor of ['range', 'cooperative-sticky']) {
        const flags = ['--mode', 'consume', '--client', 'wire', '--assignor', assignor]
        const { result, code } = await benchResult(
          cluster.folder,
          ...[...topic, ...flags, ...threeStaggered],
        )
        expect(code).toBe(0)
        expectExact(result, 3_000)
        expect(result.partitions).toHaveLength(6)
      }
    } finally {
      broker.child.kill('SIGINT')
      await broker.ended
      await cluster.remove()
    }
  })
})

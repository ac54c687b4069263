import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunResult } from '../../src/results/result.ts'
import { bench, benchResult, failedChecks, makeFolder, pause, start } from './bin.ts'

/** Staggered groups of real kafkajs members through the real bin. */

const { folder, remove } = makeFolder()

beforeAll(async () => {
  const ended = await bench(folder, '--topic', 'three', '-n', '3000', '-s', '100')
  expect(ended.code).toBe(0)
})
afterAll(remove)

const consume = (...args: string[]) =>
  benchResult(folder, '--mode', 'consume', '--client', 'kafkajs', ...args)

const expectComplete = (result: RunResult): void => {
  expect(failedChecks(result)).toEqual([])
  for (const partition of result.partitions) {
    expect(partition).toMatchObject({ missing: 0, duplicates: 0, outOfOrder: 0, corrupt: 0 })
    expect(partition.consumed).toBe(partition.highAfter - partition.fromOffset)
  }
}

describe('a group in one command', () => {
  it.concurrent.each([
    ['at once', '0s'],
    ['50 ms apart', '50ms'],
    ['1 s apart', '1s'],
    ['5 s apart', '5s'],
  ])('three members started %s all own partitions and read 3 × 1,000 once', async (_, stagger) => {
    const { result, code } = await consume(
      ...['--topic', 'three', '--consumers', '3', '--stagger', stagger],
    )
    expect(code).toBe(0)
    expect(result.totals.records).toBe(3_000)
    expectComplete(result)
    expect(result.partitions.map((partition) => partition.consumed)).toEqual([1000, 1000, 1000])
    expect(result.consumers).toHaveLength(3)
    for (const consumer of result.consumers) expect(consumer.firstAssignmentMs).not.toBeNull()
    const owned = result.consumers
      .flatMap((consumer) => consumer.partitions)
      .toSorted((a, b) => a - b)
    expect(owned).toEqual([0, 1, 2])
    expect(new Set(result.consumers.map((consumer) => consumer.memberId)).size).toBe(3)
  })

  it.concurrent('a single member owns everything', async () => {
    const { result, code } = await consume('--topic', 'three')
    expect(code).toBe(0)
    expectComplete(result)
    expect(result.consumers[0]?.partitions).toEqual([0, 1, 2])
    expect(result.latencyUs.endToEnd).toBeNull()
    expect(result.latencyUs.service).not.toBeNull()
  })

  it.concurrent('more members than partitions: the idle one is a note, not a failure', async () => {
    const { result, code } = await consume('--topic', 'three', '--consumers', '4')
    expect(code).toBe(0)
    expect(result.totals.records).toBe(3_000)
    const idle = result.consumers.filter((consumer) => consumer.partitions.length === 0)
    expect(idle.every((consumer) => consumer.firstAssignmentMs === null)).toBe(true)
  })

  it.concurrent('round-robin assigns as well', async () => {
    const { result, code } = await consume(
      ...['--topic', 'three', '--consumers', '3', '--assignor', 'round-robin'],
    )
    expect(code).toBe(0)
    expectComplete(result)
  })

  it.concurrent('fills a fresh topic when none is given', async () => {
    const { result, code } = await consume('-n', '2000', '-s', '64')
    expect(code).toBe(0)
    expect(result.totals.records).toBe(2_000)
    expectComplete(result)
  })

  it.concurrent('a topic without records ends by itself and is no failure (quirk 3)', async () => {
    await bench(folder, '--topic', 'emptied', '-n', '1')
    await consume('--topic', 'emptied', '--consumer-group', 'e')
    const { result, code } = await consume(
      ...['--topic', 'emptied', '--consumer-group', 'e', '-d', '20s'],
    )
    expect(code).toBe(0)
    expect(result.totals.records).toBe(0)
  })

  it.concurrent('resumes at the commits, and --from earliest reads all again', async () => {
    const group = ['--topic', 'three', '--consumer-group', 'resume']
    expect((await consume(...group)).result.totals.records).toBe(3_000)
    expect((await consume(...group)).result.totals.records).toBe(0)
    expect((await consume(...group, '--from', 'earliest')).result.totals.records).toBe(3_000)
    expect((await consume(...group, '--from', 'latest')).result.totals.records).toBe(0)
  })

  it.concurrent('commits nothing with auto-commit off', async () => {
    const group = ['--topic', 'three', '--consumer-group', 'no-commit', '--disable-auto-commit']
    expect((await consume(...group)).result.totals.records).toBe(3_000)
    expect((await consume(...group)).result.totals.records).toBe(3_000)
  })
})

describe('separate commands in one group', () => {
  const live = (group: string, durationMs: number) =>
    start(folder, [
      ...['--mode', 'consume', '--topic', 'live', '--consumer-group', group],
      ...['--until', 'duration', '--duration', `${durationMs}ms`, '--json-output', '-'],
    ])

  const resultOf = async (running: ReturnType<typeof start>) => {
    const { code, stdout, stderr } = await running.ended
    if (stdout === '') throw new Error(stderr)
    return { code, result: JSON.parse(stdout) as RunResult }
  }

  it('a fourth joins a long-running group, one leaves and comes back: everyone is served', async () => {
    const producing = ['--topic', 'live', '--rate', '600', '-s', '100', '-w', '0s', '-p', '4']
    const producer = start(folder, [...producing, '-d', '24s', '--json-output', '-'])
    await pause(2_000)
    const staying = [live('l', 20_000)]
    await pause(1_000)
    staying.push(live('l', 19_000))
    const leaving = live('l', 6_000)
    await pause(8_000)
    const fourth = [live('l', 9_000)]
    await pause(1_000)
    fourth.push(live('l', 8_000))
    const all = await Promise.all([...staying, leaving, ...fourth].map(resultOf))
    for (const { code, result } of all) {
      expect(code).toBe(0)
      expect(result.consumers[0]?.records).toBeGreaterThan(0)
      expect(result.consumers[0]?.firstAssignmentMs).not.toBeNull()
      expect(failedChecks(result)).toEqual([])
    }
    const produced = await resultOf(producer)
    expect(produced.code).toBe(0)
    expect(produced.result.totals.records).toBe(
      produced.result.partitions.reduce((sum, p) => sum + p.highAfter - p.highBefore, 0),
    )
  })

  it('three drain one topic together: between them every record once or more', async () => {
    const ended = await Promise.all(
      [0, 1, 2].map(async (i) => {
        await pause(i * 300)
        return consume('--topic', 'three', '--consumer-group', 'together', '-d', '40s')
      }),
    )
    for (const { code, result } of ended) {
      expect(code).toBe(0)
      expect(failedChecks(result)).toEqual([])
    }
    const sum = ended.reduce((total, { result }) => total + result.totals.records, 0)
    expect(sum).toBeGreaterThanOrEqual(3_000)
  })
})

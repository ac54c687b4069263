import { afterAll, describe, expect, it } from 'vitest'
import type { RunResult } from '../../src/results/result.ts'
import { bench, benchResult, failedChecks, makeFolder, pause, start, until } from './bin.ts'

/** Brokers with a defect, and what the runs on them say. */

const folders: ReturnType<typeof makeFolder>[] = []
const ownFolder = (): string => {
  const made = makeFolder()
  folders.push(made)
  return made.folder
}
afterAll(async () => {
  for (const { remove } of folders) await remove()
})

const startBroker = async (folder: string, defect: string) => {
  const broker = start(folder, ['broker', '--port', '0', '--defect', defect])
  await until('the broker', () => broker.stderr().includes('listening on'))
  return {
    stderr: () => broker.stderr(),
    stop: async (): Promise<void> => {
      broker.child.kill('SIGINT')
      await broker.ended
    },
  }
}

const live = ['--topic', 'live', '--consumer-group', 'g', '--until', 'duration', '--duration']

describe('three consumers one second apart, under a live producer', () => {
  it.concurrent('fail on a broker that answers joins of a Stable group early, and name who was left out', async () => {
    const folder = ownFolder()
    const broker = await startBroker(folder, 'stable-join-early-return')
    expect(broker.stderr()).toContain('this broker has a defect: stable-join-early-return')
    const load = ['--topic', 'live', '--rate', '500', '-s', '100', '-w', '0s', '-d', '15s']
    const producer = benchResult(folder, ...load)
    await pause(2_000)
    const consumers: ReturnType<typeof benchResult>[] = []
    for (let n = 0; n < 3; n++) {
      consumers.push(benchResult(folder, '--mode', 'consume', ...live, '10s'))
      await pause(1_000)
    }
    const [first, ...others] = await Promise.all(consumers)
    expect((await producer).code).toBe(0)
    await broker.stop()
    expect(first?.code).toBe(0)
    for (const { result, code } of others) {
      expect(code).toBe(1)
      expect(failedChecks(result)).toContain('every-member-served')
      expect(servedOf(result)).toMatch(/^consumer-1 (had no partition for|was never assigned)/)
      expect(result.environment.broker).toContain('with the defect stable-join-early-return')
      expect(result.warnings.map(({ code: name }) => name)).toContain('defect')
    }
  })
})

const servedOf = ({ checks }: RunResult): unknown =>
  checks.find(({ name }) => name === 'every-member-served')?.actual

describe('a run that starts its broker with a defect', () => {
  it.concurrent('finds that no member is given anything', async () => {
    const folder = ownFolder()
    const { result, code } = await benchResult(
      folder,
      ...['--mode', 'consume', '-n', '300', '--data-dir', 'memory', '--defect', 'canary'],
      ...['--until', 'duration', '--duration', '4s'],
    )
    expect(code).toBe(1)
    expect(failedChecks(result)).toContain('every-member-served')
    expect(result.config['defect']).toBe('canary')
  })

  it.concurrent('finds that acknowledged records are not in the log', async () => {
    const folder = ownFolder()
    const { result, code } = await benchResult(
      folder,
      ...['-n', '2000', '-s', '100', '--data-dir', 'memory', '--defect', 'record-lost'],
    )
    expect(code).toBe(1)
    expect(failedChecks(result)).toEqual(['acked-equals-watermark-delta'])
  })

  it.concurrent('joins no broker that lacks it, and refuses one that there is not', async () => {
    const folder = ownFolder()
    const broker = await startBroker(folder, 'commit-lost')
    const other = await bench(folder, '-n', '1', '--defect', 'no-expire')
    expect(other.code).toBe(3)
    expect(other.stderr).toMatch(/^bench: --defect 'no-expire': .* has commit-lost; /)
    expect((await bench(folder, '-n', '1', '-s', '100', '--defect', 'commit-lost')).code).toBe(0)
    await broker.stop()
    for (const args of [['broker'], ['-n', '1']]) {
      const mistyped = await bench(folder, ...args, '--defect', 'no-expires')
      expect(mistyped.code).toBe(2)
      expect(mistyped.stderr).toMatch(/^bench: --defect: defect 'no-expires': allowed are canary, /)
      expect(mistyped.stderr).toContain("did you mean 'no-expire'?")
    }
  })
})

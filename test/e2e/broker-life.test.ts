import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type LockContent, processStartOf } from '../../src/broker/lock.ts'
import type { RunResult } from '../../src/results/result.ts'
import { bench, bin, deltaOf, isCompiled, makeFolder, processesOf, start, until } from './bin.ts'

/** The embedded broker's life on the real bin: started once, joined, ended with its last user, found again. */

const cleanups: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const ownFolder = (): string => {
  const { folder, remove } = makeFolder()
  cleanups.push(remove)
  return folder
}

const produce = (topic: string, ...rest: string[]): string[] => {
  const load = ['--mode', 'produce', '--topic', topic, '-c', '16', '-s', '100', '-w', '0s']
  return [...load, '--json-output', `${topic}.json`, ...rest]
}

const lockOf = (folder: string): string => path.join(folder, '.bench', 'broker.lock')

const readLock = (folder: string): LockContent =>
  JSON.parse(readFileSync(lockOf(folder), 'utf8')) as LockContent

const readResult = (folder: string, topic: string): RunResult =>
  JSON.parse(readFileSync(path.join(folder, `${topic}.json`), 'utf8')) as RunResult

const expectAllEnded = async (folder: string): Promise<void> => {
  await until('the broker to end', () => processesOf(folder).length === 0)
  expect(existsSync(lockOf(folder))).toBe(false)
}

const isServing = (folder: string) => (): boolean =>
  existsSync(lockOf(folder)) && readLock(folder).state === 'running'

describe('the build', () => {
  it('has compiled what a broker needs to start', async () => {
    const file = path.join(path.dirname(bin), '..', 'src', 'cli', 'broker-process.cjs')
    expect(await isCompiled(file)).toBe(true)
  })
})

describe('commands on one folder', () => {
  it('five at once end in one broker, which all join and which ends after the last', async () => {
    const folder = ownFolder()
    const topics = ['a', 'b', 'c', 'd', 'e']
    const ended = await Promise.all(
      topics.map((topic) => bench(folder, ...produce(topic, '-n', '500'))),
    )
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0])
    for (const topic of topics) expect(deltaOf(readResult(folder, topic))).toBe(500)
    const ports = topics.map((topic) => readResult(folder, topic).target.bootstrapServers)
    expect(new Set(ports).size).toBe(1)
    await expectAllEnded(folder)
  })

  it('the starter killed with -9, the other goes on to the end', async () => {
    const folder = ownFolder()
    const first = start(folder, produce('a', '-d', '60s'))
    await until('the broker', isServing(folder))
    const { pid } = readLock(folder)
    const second = start(folder, produce('b', '-d', '3s'))
    await until('the second', () => second.stderr().split('\n').length > 1)
    first.child.kill('SIGKILL')
    expect((await second.ended).code).toBe(0)
    const result = readResult(folder, 'b')
    expect(result.totals.records).toBeGreaterThan(0)
    expect(deltaOf(result)).toBe(result.totals.records)
    expect(pid).not.toBe(first.pid)
    await expectAllEnded(folder)
  })

  it('the only user killed with -9, the broker ends and its records are found again', async () => {
    const folder = ownFolder()
    const only = start(folder, produce('a', '-d', '60s'))
    await until('the load', () => only.stderr().split('\n').length > 2)
    only.child.kill('SIGKILL')
    await expectAllEnded(folder)
    const args = ['--mode', 'consume', '--topic', 'a', '--json-output', 'r.json', '-d', '40s']
    expect((await bench(folder, ...args)).code).toBe(0)
    const { partitions } = readResult(folder, 'r')
    for (const { consumed, missing, highAfter, fromOffset } of partitions) {
      expect(missing).toBe(0)
      expect(consumed).toBe(highAfter - fromOffset)
    }
    expect(Math.max(...partitions.map(({ highAfter }) => highAfter))).toBeGreaterThan(0)
  })

  it('other settings than the running broker has are exit 3, and say which', async () => {
    const folder = ownFolder()
    const first = start(folder, produce('a', '-d', '60s'))
    await until('the broker', isServing(folder))
    const args = produce('b', '-n', '1', '--broker-config', 'num.partitions=9')
    const { code, stderr } = await bench(folder, ...args)
    expect(code).toBe(3)
    expect(stderr).toContain('num.partitions=9')
    const same = produce('c', '-n', '1', '--broker-config', 'num.partitions=1')
    expect((await bench(folder, ...same)).code).toBe(0)
    first.child.kill('SIGINT')
    await first.ended
  })
})

describe('a lock that is left behind', () => {
  it('by a broker killed with -9 is taken over, and the records are there', async () => {
    const folder = ownFolder()
    const first = start(folder, produce('a', '-d', '60s'))
    await until('the load', () => first.stderr().split('\n').length > 2)
    process.kill(readLock(folder).pid, 'SIGKILL')
    expect((await first.ended).code).toBe(3)
    expect(existsSync(lockOf(folder))).toBe(true)
    const topics = ['b', 'c', 'd']
    const ended = await Promise.all(
      topics.map((topic) => bench(folder, ...produce(topic, '-n', '100'))),
    )
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0])
    const args = ['--mode', 'consume', '--topic', 'a', '--json-output', 'r.json', '-d', '40s']
    expect((await bench(folder, ...args)).code).toBe(0)
    expect(readResult(folder, 'r').totals.records).toBeGreaterThan(0)
    await expectAllEnded(folder)
  })

  it('with the pid of a process that is another by now is taken over', async () => {
    const folder = ownFolder()
    expect((await bench(folder, ...produce('a', '-n', '10'))).code).toBe(0)
    await expectAllEnded(folder)
    const content = { pid: process.pid, processStart: 'long ago', token: 't', state: 'running' }
    writeFileSync(
      lockOf(folder),
      JSON.stringify({ ...content, endpoint: '127.0.0.1:1', leasePort: 1 }),
    )
    expect(processStartOf(process.pid)).not.toBeNull()
    expect((await bench(folder, ...produce('a', '-n', '10'))).code).toBe(0)
    await expectAllEnded(folder)
  })
})

describe('bench broker', () => {
  it('is joined by commands on its folder, stays when they end, and ends on Ctrl-C', async () => {
    const folder = ownFolder()
    const broker = start(folder, ['broker', '--port', '0'])
    await until('the broker', isServing(folder))
    expect((await bench(folder, ...produce('a', '-n', '10'))).code).toBe(0)
    const { endpoint, pid } = readLock(folder)
    expect(pid).toBe(broker.pid)
    expect(readResult(folder, 'a').target.bootstrapServers).toBe(endpoint)
    const second = await bench(folder, 'broker', '--port', '0')
    expect(second.code).toBe(3)
    expect(second.stderr).toContain(`pid ${pid}`)
    expect(broker.child.exitCode).toBeNull()
    broker.child.kill('SIGINT')
    expect((await broker.ended).code).toBe(0)
    await expectAllEnded(folder)
  })

  it('a value that is not allowed is exit 2, and nothing was made', async () => {
    const folder = ownFolder()
    for (const flag of ['--brokers', '--profile', '--defect']) {
      const { code, stderr } = await bench(folder, 'broker', flag, 'x')
      expect(code).toBe(2)
      expect(stderr).toContain(flag)
    }
    expect(existsSync(path.join(folder, '.bench'))).toBe(false)
  })
})

describe('a private broker', () => {
  it.each(['memory', 'ring'])('%s keeps nothing and leaves nothing', async (store) => {
    const folder = ownFolder()
    const running = start(folder, produce('a', '-d', '60s', '--data-dir', store))
    await until('the load', () => running.stderr().split('\n').length > 2)
    expect(processesOf(folder).length).toBeGreaterThan(1)
    running.child.kill('SIGKILL')
    await once(running.child, 'exit')
    await until('the broker to end', () => processesOf(folder).length === 0)
    expect(existsSync(path.join(folder, '.bench'))).toBe(false)
    expect(existsSync(path.join(folder, store))).toBe(false)
  })
})

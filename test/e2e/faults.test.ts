import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { RunResult } from '../../src/results/result.ts'
import { bench, bin, deltaOf, makeFolder, processesOf, start, until } from './bin.ts'

/** Ctrl-C, a broker that dies, a broker that is not there, a taken port, a full disk, a closed pipe: on the real bin. */

const { folder, remove } = makeFolder()
afterAll(remove)

const producing = ['--mode', 'produce', '-c', '16', '-s', '100', '-w', '0s']

const brokerPid = (dataDir: string): number => {
  const lock = JSON.parse(readFileSync(path.join(dataDir, 'broker.lock'), 'utf8')) as {
    pid: number
  }
  return lock.pid
}

/** The embedded broker in the foreground on a free port; resolves with its address. */
const foregroundBroker = async (...args: string[]) => {
  const running = start(folder, ['broker', '--port', '0', '--data-dir', 'memory', ...args])
  await until('the broker', () => /127\.0\.0\.1:\d+/.test(running.stdout() + running.stderr()))
  const address = /127\.0\.0\.1:\d+/.exec(running.stdout() + running.stderr())?.[0] ?? ''
  return { running, address }
}

describe('signals', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: drains, checks, reports, saves, exits %d', async (signal, expected) => {
    const own = makeFolder()
    const args = [...producing, '--topic', 's', '-d', '60s', '--json-output', 'r.json']
    const running = start(own.folder, args)
    await until('the first interval', () => /\d/.test(running.stderr()) && hasRecords(running))
    running.child.kill(signal)
    const { code, stdout } = await running.ended
    expect(code).toBe(expected)
    expect(stdout).toContain('THROUGHPUT')
    const file = path.join(own.folder, 'r.json')
    const result = JSON.parse(readFileSync(file, 'utf8')) as RunResult
    expect(result.status).toBe('interrupted')
    expect(result.totals.records).toBeGreaterThan(0)
    expect(result.totals.records).toBe(deltaOf(result))
    await own.remove()
  })

  const hasRecords = (running: ReturnType<typeof start>) => running.stderr().split('\n').length > 3

  it('a second signal ends at once and leaves nothing torn or running', async () => {
    const own = makeFolder()
    const running = start(own.folder, [...producing, '-d', '60s', '--json-output', 'r.json'])
    await until('the load', () => hasRecords(running))
    running.child.kill('SIGINT')
    running.child.kill('SIGTERM')
    const { code } = await running.ended
    expect([130, 143]).toContain(code)
    const file = path.join(own.folder, 'r.json')
    if (existsSync(file)) expect(() => JSON.parse(readFileSync(file, 'utf8'))).not.toThrow()
    await own.remove()
  })

  it('an interrupted consumer commits and leaves', async () => {
    const own = makeFolder()
    await bench(own.folder, '--topic', 'i', '-n', '100')
    const args = ['--mode', 'consume', '--topic', 'i', '--until', 'duration', '-d', '60s']
    const running = start(own.folder, [...args, '--consumer-group', 'g', '--json-output', '-'])
    await until('the records', () => /100/.test(running.stderr()))
    running.child.kill('SIGINT')
    const { code, stdout } = await running.ended
    expect(code).toBe(130)
    expect((JSON.parse(stdout) as RunResult).totals.records).toBe(100)
    const again = await bench(
      own.folder,
      ...['--mode', 'consume', '--topic', 'i', '--consumer-group', 'g', '--json-output', '-'],
    )
    expect((JSON.parse(again.stdout) as RunResult).totals.records).toBe(0)
    await own.remove()
  })
})

describe('a broker that dies mid-run', () => {
  it('embedded: exit 3, the result is saved as failed, nothing hangs', async () => {
    const own = makeFolder()
    const running = start(own.folder, [...producing, '-d', '60s', '--json-output', 'r.json'])
    await until('the load', () => running.stderr().split('\n').length > 3)
    process.kill(brokerPid(path.join(own.folder, '.bench')), 'SIGKILL')
    const { code, stderr } = await running.ended
    expect(code).toBe(3)
    expect(stderr).not.toMatch(/^ +at /m)
    const result = JSON.parse(readFileSync(path.join(own.folder, 'r.json'), 'utf8')) as RunResult
    expect(result.status).toBe('failed')
    expect(result.totals.records).toBeGreaterThan(0)
    await own.remove()
  })

  it.each(['produce', 'consume', 'round-trip', 'metadata'])(
    'external, %s: exit 3',
    async (mode) => {
      const { running: broker, address } = await foregroundBroker()
      const topic = ['--topic', 'ext', '-b', address]
      await bench(folder, ...topic, '-n', '100', '--no-save')
      const until60 = mode === 'consume' ? ['--until', 'duration'] : ['--rate', '200', '-w', '0s']
      const running = start(folder, [
        '--mode',
        mode,
        ...topic,
        ...until60,
        '-d',
        '60s',
        '--no-save',
      ])
      await until('the load', () => running.stderr().split('\n').length > 3)
      broker.child.kill('SIGKILL')
      await broker.ended
      const { code, stderr } = await running.ended
      expect({ mode, code }).toEqual({ mode, code: 3 })
      expect(stderr).not.toMatch(/^ +at /m)
    },
  )
})

/** A mount namespace of its own gives a small disk without touching the machine's. */
const mount = (command: string) => ['-rm', 'sh', '-c', command]
// Where there are none, the same rule is held by src/broker/store on a disk that is injected.
const canMount = spawnSync('unshare', mount('mount -t tmpfs -o size=1m tmpfs /mnt')).status === 0

describe('surroundings that are not as they should be', () => {
  it('an unreachable broker: exit 3, one line that names it', async () => {
    const ended = await bench(folder, '-b', '127.0.0.1:1', '-n', '1', '--connect-timeout', '2s')
    expect(ended.code).toBe(3)
    expect(ended.stdout).toBe('')
    expect(ended.stderr).toContain('127.0.0.1:1')
    expect(ended.stderr.trim().split('\n').length).toBeLessThanOrEqual(4)
  })

  it('something that answers but is no Kafka broker: exit 3', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const args = ['-b', `127.0.0.1:${port}`, '-n', '1', '--connect-timeout', '3s']
    const ended = await bench(folder, ...args)
    server.close()
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain(String(port))
  })

  it('a port that is taken: exit 3, the port is named', async () => {
    const { running, address } = await foregroundBroker()
    const port = address.split(':')[1] ?? ''
    const ended = await bench(folder, 'broker', '--port', port, '--data-dir', 'memory')
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain(port)
    running.child.kill('SIGINT')
    await running.ended
  })

  it.runIf(canMount)('a full disk: exit 3 and one clear line', async () => {
    const own = makeFolder()
    mkdirSync(path.join(own.folder, '.bench'))
    const command = `mount -t tmpfs -o size=16m tmpfs .bench && exec "${process.execPath}" "${bin}" ${producing.join(' ')} -d 30s --no-save`
    const child = spawn('unshare', mount(command), { cwd: own.folder })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(3)
    expect(stderr).toMatch(/space/i)
    await own.remove()
  })

  it('a closed pipe ends quietly', async () => {
    const own = makeFolder()
    const command = `"${process.execPath}" "${bin}" -n 2000 --no-save | head -1`
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], { cwd: own.folder })
    let stderr = ''
    let stdout = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(0)
    expect(stdout).toMatch(/^╔/)
    expect(stderr).not.toMatch(/EPIPE|^ +at /m)
    await own.remove()
  })

  it('leaves nothing running', async () => {
    await until('the end of all brokers', () => processesOf(folder).length === 0)
    expect(processesOf(folder)).toEqual([])
  })
})

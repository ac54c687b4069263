import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { SurroundingsError } from '../errors.ts'
import {
  isAlive,
  type LockContent,
  lockFile,
  processStartOf,
  readLiveLock,
  takeLock,
} from './lock.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const makeFolder = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lock-test-'))
  folders.push(folder)
  return folder
}

const own = { store: 'disk', settings: { 'num.partitions': 1 }, defect: null } as const

/** A process that has ended and been waited for. */
const deadProcess = async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'])
  const pid = child.pid ?? 0
  const processStart = processStartOf(pid)
  child.kill('SIGKILL')
  await once(child, 'exit')
  return { pid, processStart: processStart ?? '' }
}

const writeLock = (folder: string, change: Partial<LockContent>): void => {
  const content = { pid: 1, processStart: 'x', token: 't', state: 'running', ...own, ...change }
  writeFileSync(lockFile(folder), JSON.stringify(content))
}

describe('the start of a process', () => {
  it('is the same each time, differs between processes, and is null for one that has ended', async () => {
    expect(processStartOf(process.pid)).toBe(processStartOf(process.pid))
    const { pid, processStart } = await deadProcess()
    expect(processStart).not.toBe('')
    expect(processStart).not.toBe(processStartOf(process.pid))
    expect(processStartOf(pid)).toBeNull()
  })

  it.runIf(process.platform === 'linux')('is null for a zombie', async () => {
    // The long `sleep` that replaces the shell never waits for the shell's child.
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [text] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(text.toString())
    const stateOf = () => /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]
    while (stateOf() !== 'Z') await new Promise((resolve) => setImmediate(resolve))
    expect(processStartOf(pid)).toBeNull()
    parent.kill('SIGKILL')
    await once(parent, 'exit')
  })
})

describe('the lock', () => {
  it('is taken once, tells who holds it, and goes with its release', () => {
    const folder = path.join(makeFolder(), 'new', 'folder')
    const lock = takeLock(folder, own)
    expect(takeLock(folder, own)).toBeNull()
    expect(readLiveLock(folder)).toMatchObject({
      pid: process.pid,
      state: 'starting',
      endpoint: null,
    })
    lock?.update({ state: 'running', endpoint: '127.0.0.1:1', leasePort: 2 })
    expect(readLiveLock(folder)).toEqual(lock?.content)
    expect(readLiveLock(folder)).toMatchObject({ state: 'running', leasePort: 2, ...own })
    lock?.release()
    expect(readdirSync(folder)).toEqual([])
    expect(takeLock(folder, own)).not.toBeNull()
  })

  it.each([
    ['of a dead process', deadProcess],
    [
      "of a process whose pid is another's by now",
      () => Promise.resolve({ pid: process.pid, processStart: '1@x' }),
    ],
  ])('%s is stale and taken over', async (_name, holder) => {
    const folder = makeFolder()
    writeLock(folder, await holder())
    expect(readLiveLock(folder)).toBeNull()
    const lock = takeLock(folder, own)
    expect(lock?.content.pid).toBe(process.pid)
    expect(readLiveLock(folder)?.token).toBe(lock?.content.token)
    expect(readdirSync(folder)).toEqual(['broker.lock'])
  })

  it.each(['', '{', '[]', 'null', '{"pid":1}'])('with content %j belongs to nobody', (text) => {
    const folder = makeFolder()
    writeFileSync(lockFile(folder), text)
    expect(readLiveLock(folder)).toBeNull()
    expect(takeLock(folder, own)).not.toBeNull()
  })

  it('a dead claim on a stale lock blocks nobody', async () => {
    const folder = makeFolder()
    const dead = await deadProcess()
    writeLock(folder, dead)
    // The name of the claim is the lock's own business: have one written, then left behind by a dead process.
    const before = readFileSync(lockFile(folder), 'utf8')
    const claim = `${lockFile(folder)}.${createHash('sha256').update(before).digest('hex').slice(0, 16)}`
    writeFileSync(claim, JSON.stringify({ ...JSON.parse(before), token: 'claimant' }))
    expect(takeLock(folder, own)).not.toBeNull()
    expect(existsSync(claim)).toBe(false)
  })

  it('does not remove or change the lock of another that came after it', () => {
    const folder = makeFolder()
    const first = takeLock(folder, own)
    rmSync(folder, { recursive: true })
    const second = takeLock(folder, own)
    first?.update({ state: 'stopping' })
    first?.release()
    expect(readLiveLock(folder)).toEqual(second?.content)
  })

  it('in a place that cannot be written is a SurroundingsError that names it', () => {
    const folder = path.join(makeFolder(), 'file')
    writeFileSync(folder, '')
    expect(() => takeLock(folder, own)).toThrow(SurroundingsError)
    expect(() => takeLock(folder, own)).toThrow(folder)
  })

  it.runIf(process.platform === 'linux')('where no folder can be made fails at once', () => {
    expect(() => takeLock('/proc/nope/x', own)).toThrow('/proc/nope/x')
  })

  it('is held by the living only', () => {
    const lock = takeLock(makeFolder(), own)
    expect(lock !== null && isAlive(lock.content)).toBe(true)
  })
})

import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { messageOf, SurroundingsError } from '../errors.ts'
import { makeFolder } from '../folder.ts'
import type { StoreKind } from './data-dir.ts'
import type { SettingValue } from './settings.ts'

/**
 * The lock of a data folder: a file that names the one broker at work there. It appears and changes only as a whole
 * (link and rename), so a reader never sees half of it. A lock whose process is dead, or whose pid is another's by now, is stale.
 */

export interface LockContent {
  readonly pid: number
  /** Tells a process from a later one with the same pid. */
  readonly processStart: string
  /** Random; also what a lease must present. */
  readonly token: string
  readonly state: 'starting' | 'running' | 'stopping'
  /** `host:port` for Kafka clients, of each node, with commas between; null until it listens. */
  readonly endpoint: string | null
  readonly leasePort: number | null
  readonly store: StoreKind
  /** The effective values by Kafka's names. */
  readonly settings: Readonly<Record<string, SettingValue>>
  /** The bugs that it has been given. */
  readonly defect: string | null
}

/** A lock that this process holds. */
export interface HeldLock {
  readonly content: LockContent
  update(change: Partial<Pick<LockContent, 'state' | 'endpoint' | 'leasePort'>>): void
  /** Removes the file, unless another's has taken its place (the folder was deleted and made anew). */
  release(): void
}

/** How a child process ends that found the lock taken. */
export const exitCodeOfLockLoser = 75

export const lockFile = (folder: string): string => path.join(folder, 'broker.lock')
export const logFile = (folder: string): string => path.join(folder, 'broker.log')

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

const bootId = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return ''
  }
}

const startByPs = (pid: number): string | null => {
  try {
    const text = execFileSync('ps', ['-o', 'state=,lstart=', '-p', `${pid}`], {
      encoding: 'latin1',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [state, ...start] = text.trim().split(/\s+/)
    return start.length === 0 || state?.startsWith('Z') ? null : start.join(' ')
  } catch {
    return null
  }
}

/**
 * When the process started, in the system's own terms; null when it does not run (a zombie does not).
 * Linux: field 22 of /proc/PID/stat (clock ticks since boot), with the boot's id; elsewhere what `ps` says.
 */
export const processStartOf = (pid: number): string | null => {
  if (process.platform !== 'linux') return startByPs(pid)
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return null
  }
  // The command's name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, ticks] = [fields[0], fields[19]]
  if (state === 'Z' || state === 'X' || ticks === undefined) return null
  return `${ticks}@${bootId()}`
}

/** True when the broker that wrote the lock is still at work. */
export const isAlive = (lock: LockContent): boolean =>
  processStartOf(lock.pid) === lock.processStart

const readText = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw new SurroundingsError(`cannot read ${file}: ${messageOf(error)}`, { cause: error })
  }
}

const isLock = (value: unknown): value is LockContent => {
  if (typeof value !== 'object' || value === null) return false
  const { pid, processStart, token }: Partial<LockContent> = value
  return Number.isInteger(pid) && typeof processStart === 'string' && typeof token === 'string'
}

/** null when it is not a lock: then nobody holds it. */
const parseLock = (text: string): LockContent | null => {
  try {
    const value: unknown = JSON.parse(text)
    return isLock(value) ? value : null
  } catch {
    return null
  }
}

/** The lock of a folder with a broker at work; null when there is none or it is stale. */
export const readLiveLock = (folder: string): LockContent | null => {
  const text = readText(lockFile(folder))
  const lock = text === null ? null : parseLock(text)
  return lock !== null && isAlive(lock) ? lock : null
}

const identityOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 16)

/** Makes `file` with `text` in one step. False when it is there already. */
const createWhole = (file: string, text: string): boolean => {
  const fresh = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(fresh, text, { mode: 0o600 })
  try {
    linkSync(fresh, file)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    rmSync(fresh, { force: true })
  }
}

const replaceWhole = (file: string, text: string): void => {
  const fresh = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(fresh, text, { mode: 0o600 })
  renameSync(fresh, file)
}

/**
 * Takes the lock file, also over a stale one; false when a live process holds it.
 * Several may find the same stale lock at once. Only the one that holds the claim on exactly this content may replace it,
 * and it looks again before it does. A claim is itself such a lock, so that a claimant's death blocks nobody.
 */
const take = (file: string, text: string): boolean => {
  for (;;) {
    if (createWhole(file, text)) return true
    const found = readText(file)
    if (found === null) continue
    const holder = parseLock(found)
    if (holder !== null && isAlive(holder)) return false
    const claim = `${file}.${identityOf(found)}`
    if (!take(claim, text)) return false
    try {
      if (readText(file) !== found) continue
      replaceWhole(file, text)
      return true
    } finally {
      rmSync(claim, { force: true })
    }
  }
}

/** Takes the lock of a folder, which is made if it is missing; null when a live broker holds it. Throws a `SurroundingsError`. */
export const takeLock = (
  folder: string,
  own: Pick<LockContent, 'store' | 'settings' | 'defect'>,
): HeldLock | null => {
  const file = lockFile(folder)
  const processStart = processStartOf(process.pid)
  if (processStart === null)
    throw new SurroundingsError(`cannot tell when process ${process.pid} started`)
  let content: LockContent = {
    pid: process.pid,
    processStart,
    token: randomBytes(16).toString('hex'),
    state: 'starting',
    endpoint: null,
    leasePort: null,
    store: own.store,
    settings: own.settings,
    defect: own.defect,
  }
  try {
    makeFolder(folder)
    if (!take(file, JSON.stringify(content))) return null
  } catch (error) {
    throw new SurroundingsError(`cannot lock data folder ${folder}: ${messageOf(error)}`, {
      cause: error,
    })
  }
  const isOurs = (): boolean => parseLock(readText(file) ?? '')?.token === content.token
  return {
    get content() {
      return content
    },
    update(change) {
      content = { ...content, ...change }
      if (isOurs()) replaceWhole(file, JSON.stringify(content))
    },
    release() {
      if (isOurs()) rmSync(file, { force: true })
    },
  }
}

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, sleep } from '../clock.ts'
import { messageOf, SurroundingsError } from '../errors.ts'
import { makeFolder } from '../folder.ts'
import type { DataDir, StoreKind } from './data-dir.ts'
import { type Lease, requestLease } from './lease.ts'
import { exitCodeOfLockLoser, isAlive, type LockContent, logFile, readLiveLock } from './lock.ts'
import { parseSettings, type SettingValue, settingNameOf } from './settings.ts'

/** The user's side of the embedded broker: finds the one of a data folder or starts it, and holds a lease on it. */

export interface AcquireOptions {
  readonly dataDir: DataDir
  /** What the user asked for by name; a running broker with other values is not joined (exit 3). */
  readonly settings: Readonly<Record<string, string>>
  /** The bugs that the user asked for; null: none asked for, so that any broker is joined. */
  readonly defect: string | null
  readonly clock: Clock
  /** Bounds the whole, also the waiting for a broker that is just stopping. */
  readonly connectTimeoutMs: number
  readonly signal?: AbortSignal
}

/** A lease on an embedded broker: it runs at least until `release`. */
export interface AcquiredBroker {
  /** `127.0.0.1:<port>` of each node. */
  readonly bootstrapServers: readonly string[]
  readonly kind: 'started' | 'joined'
  readonly pid: number
  readonly store: StoreKind
  /** null with `memory` and `ring`. */
  readonly dataDir: string | null
  /** The bugs that it has been given. */
  readonly defect: string | null
  /** Ends the lease; a broker without leases ends itself. Of a private broker (`memory`, `ring`) it waits for the end. Never rejects. */
  release(): Promise<void>
  /** Calls back once when the broker is lost while the lease is held; at once if it already is. */
  onLost(callback: (reason: string) => void): void
}

const pollMs = 5
const conflictPatienceMs = 1_000
const releaseTimeoutMs = 10_000

const bin = (): string => fileURLToPath(new URL('../../bin/bench.js', import.meta.url))

const lastLogLine = (folder: string): string => {
  try {
    const lines = readFileSync(logFile(folder), 'utf8').trimEnd().split('\n')
    return lines.at(-1)?.replace(/^\S+Z \[\d+\] /, '') || 'its log is empty'
  } catch {
    return 'it left no log'
  }
}

/** A child that is starting; `exitCode` is null until it has ended. */
interface Child {
  readonly pid: number
  exitCode: number | null
}

/** Starts a broker that outlives its starter: own process group, no pipes, log to `folder`. */
const startChild = async (folder: string, options: AcquireOptions): Promise<Child> => {
  const { execa } = await import('execa')
  const { dataDir, settings, defect } = options
  const bugs = defect === null ? [] : ['--defect', defect]
  const pairs = Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`])
  const place = dataDir.folder === null ? ['--store', dataDir.store] : []
  let log: number
  try {
    makeFolder(folder)
    log = openSync(logFile(folder), 'a', 0o600)
  } catch (error) {
    throw new SurroundingsError(`data folder ${folder} cannot be used: ${messageOf(error)}`, {
      cause: error,
    })
  }
  // The types of execa know the descriptors up to 9 only.
  const output = log as 3
  try {
    const subprocess = execa(
      process.execPath,
      [bin(), 'broker', '--embedded', '--data-dir', folder, ...place, ...bugs, ...pairs],
      { detached: true, cleanup: false, reject: false, stdio: ['ignore', output, output] },
    )
    const child: Child = { pid: subprocess.pid ?? 0, exitCode: null }
    subprocess.unref()
    void subprocess.then((result) => {
      child.exitCode = result.exitCode ?? 1
    })
    return child
  } finally {
    closeSync(log)
  }
}

/** What the running broker has otherwise than asked for; null when all is as asked. */
const settingsConflict = (
  lock: LockContent,
  { settings, defect }: AcquireOptions,
  folder: string,
): SurroundingsError | null => {
  const runner = `the broker that runs on ${folder} (pid ${lock.pid})`
  const remedy = 'leave it out, or use another --data-dir'
  if (defect !== null && defect !== lock.defect) {
    return new SurroundingsError(
      `--defect '${defect}': ${runner} has ${lock.defect ?? 'none'}; ${remedy}`,
    )
  }
  const wanted: Readonly<Record<string, SettingValue>> = parseSettings(settings)
  const name = Object.keys(settings)
    .map(settingNameOf)
    .find((asked) => lock.settings[asked] !== wanted[asked])
  if (name === undefined) return null
  return new SurroundingsError(
    `broker setting ${name}=${wanted[name]}: ${runner} has ${lock.settings[name]}; ${remedy}`,
  )
}

interface Found {
  readonly lock: LockContent
  readonly lease: Lease
}

/** Joins or starts until a lease is held. Any number of commands may do so at once: the lock lets one child live. */
const find = async (
  folder: string,
  options: AcquireOptions,
): Promise<Found & { child: Child | null }> => {
  const { clock, signal, connectTimeoutMs } = options
  const startedNs = clock.nowNs()
  let child: Child | null = null
  for (;;) {
    signal?.throwIfAborted()
    const lock = readLiveLock(folder)
    const waitedMs = (clock.nowNs() - startedNs) / 1e6
    const conflict = lock === null ? null : settingsConflict(lock, options, folder)
    // The one with other settings may have lost its last user just now.
    if (conflict !== null && waitedMs > conflictPatienceMs) throw conflict
    if (conflict === null && lock?.state === 'running' && lock.leasePort !== null) {
      const lease = await requestLease(lock.leasePort, lock.token, clock)
      if (lease !== null) return { lock, lease, child }
    }
    const exitCode = child?.exitCode ?? null
    if (exitCode !== null && exitCode !== 0 && exitCode !== exitCodeOfLockLoser) {
      throw new SurroundingsError(`the embedded broker did not start: ${lastLogLine(folder)}`)
    }
    if (exitCode !== null) child = null
    if (child === null && lock === null) child = await startChild(folder, options)
    if (waitedMs > connectTimeoutMs) throw timeoutError(lock, folder, connectTimeoutMs)
    await sleep(clock, pollMs, signal)
  }
}

const timeoutError = (lock: LockContent | null, folder: string, timeoutMs: number) => {
  const what = lock === null ? 'did not start' : `(pid ${lock.pid}) is still ${lock.state}`
  return new SurroundingsError(
    `the embedded broker of ${folder} ${what} after ${timeoutMs} ms; see ${logFile(folder)}`,
  )
}

/** Waits until the process of the lock has ended, at most `releaseTimeoutMs`. */
const waitForEnd = async (lock: LockContent, clock: Clock): Promise<void> => {
  const deadlineNs = clock.nowNs() + releaseTimeoutMs * 1e6
  while (isAlive(lock) && clock.nowNs() < deadlineNs) await sleep(clock, pollMs)
}

/**
 * Joins the broker of a data folder, or starts it as a detached child.
 * Throws a `SurroundingsError` when it cannot be started, does not answer in time or runs with other settings;
 * rejects with the signal's reason when that aborts.
 */
export const acquireBroker = async (options: AcquireOptions): Promise<AcquiredBroker> => {
  const { dataDir, clock } = options
  const isPrivate = dataDir.folder === null
  const folder = dataDir.folder ?? mkdtempSync(path.join(tmpdir(), `bench-${dataDir.store}-`))
  let found: Awaited<ReturnType<typeof find>>
  try {
    found = await find(folder, options)
  } catch (error) {
    if (isPrivate) rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const { lock, lease, child } = found
  let isReleased = false
  let lostReason: string | null = null
  let tellLost: ((reason: string) => void) | null = null
  void lease.ended.then(() => {
    if (isReleased) return
    lostReason = `the embedded broker (pid ${lock.pid}) is gone; its log ends with: ${lastLogLine(folder)}`
    tellLost?.(lostReason)
  })
  return {
    bootstrapServers: lock.endpoint?.split(',') ?? [],
    kind: lock.pid === child?.pid ? 'started' : 'joined',
    pid: lock.pid,
    store: dataDir.store,
    dataDir: dataDir.folder,
    defect: lock.defect,
    async release() {
      if (isReleased) return
      isReleased = true
      lease.end()
      if (!isPrivate) return
      await waitForEnd(lock, clock)
      rmSync(folder, { recursive: true, force: true })
    },
    onLost(callback) {
      tellLost = callback
      if (lostReason !== null) callback(lostReason)
    },
  }
}

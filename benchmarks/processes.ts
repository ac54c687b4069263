import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** Processes and the folder of a benchmark; both end with it, also when it fails or is interrupted. */

export const benchBin = fileURLToPath(new URL('../bin/bench.js', import.meta.url))
/** Where processes run, so that nothing is left where the user is. */
export const folder = mkdtempSync(path.join(tmpdir(), 'bench-benchmark-'))

const running = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

export interface Child {
  readonly process: ChildProcess
  /** What it printed to both streams, its last 64 KiB. */
  readonly output: () => string
  /** Its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>
}

export const startProcess = (
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Child => {
  const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let text = ''
  const collect = (part: Buffer | string): void => {
    text = (text + part.toString()).slice(-65_536)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const ended = new Promise<number | null>((resolve) => {
    const end = (code: number | null): void => {
      running.delete(child)
      resolve(code)
    }
    child.on('error', (error) => {
      collect(error.message)
      end(null)
    })
    child.on('close', end)
  })
  return { process: child, output: () => text, ended }
}

export const stop = async ({ process: child, ended }: Child): Promise<void> => {
  child.kill('SIGINT')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(timer)
}

/** Resolves with what `pattern` finds first in its output; throws when it ends before. */
const told = (child: Child, pattern: RegExp): Promise<string> =>
  new Promise((resolve, reject) => {
    const look = (): void => {
      const found = pattern.exec(child.output())?.[1]
      if (found !== undefined) resolve(found)
    }
    child.process.stdout?.on('data', look)
    child.process.stderr?.on('data', look)
    void child.ended.then(() => reject(new Error(`it ended: ${child.output()}`)))
  })

/** Resolves when the broker on that port has answered an ApiVersions request; throws when nothing listens there. */
const firstAnswer = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    // ApiVersions v0, correlation id 1, no client id.
    socket.on('connect', () => socket.write(Buffer.from('0000000a0012000000000001ffff', 'hex')))
    socket.on('data', () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', reject)
  })

export interface Broker {
  readonly child: Child
  readonly port: number
  /** From its spawn to its first ApiVersions answer. */
  readonly startMs: number
}

/** A process that prints `pattern`, with its port, once it listens. */
export const startListening = async (
  command: string,
  args: readonly string[],
  pattern: RegExp,
): Promise<Broker> => {
  const beganMs = performance.now()
  const child = startProcess(command, args)
  const port = Number(await told(child, pattern))
  await firstAnswer(port)
  return { child, port, startMs: performance.now() - beganMs }
}

/** The embedded broker in the foreground. */
export const startBroker = (...args: string[]): Promise<Broker> =>
  startListening(
    process.execPath,
    [benchBin, 'broker', '--port', '0', ...args],
    /127\.0\.0\.1:(\d+)/,
  )

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { RunResult } from '../../src/results/result.ts'

/** Runs the real bin as a user would: a fresh folder, a pipe, nothing running. */

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))))
export const bin = path.join(root, 'dist', 'bin', 'bench.js')

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface Running {
  child: ChildProcess
  pid: number
  /** Standard error so far. */
  stderr(): string
  stdout(): string
  ended: Promise<Ended>
}

const cleanEnv = (): NodeJS.ProcessEnv => {
  const env = { ...process.env }
  for (const name of ['NO_COLOR', 'FORCE_COLOR']) delete env[name]
  // Set to nothing, which must be as good as not set.
  for (const name of ['KAFKA_BOOTSTRAP_SERVERS', 'KAFKA_TOPIC']) env[name] = ''
  return env
}

export const start = (cwd: string, args: readonly string[], limitMs = 90_000): Running => {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: cleanEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs)
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      clearTimeout(limit)
      resolve({ code, stdout, stderr })
    })
  })
  return { child, pid: child.pid ?? -1, stderr: () => stderr, stdout: () => stdout, ended }
}

export const bench = (cwd: string, ...args: string[]): Promise<Ended> => start(cwd, args).ended

/** Runs with `--json-output -` and gives the result, whatever the exit code. */
export const benchResult = async (
  cwd: string,
  ...args: string[]
): Promise<{ result: RunResult; code: number | null; stderr: string }> => {
  const { code, stdout, stderr } = await bench(cwd, ...args, '--json-output', '-')
  if (stdout === '') throw new Error(`no result, exit ${code}: ${stderr}`)
  return { result: JSON.parse(stdout) as RunResult, code, stderr }
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

/** Waits until `condition` holds; rejects after `limitMs`. */
export const until = async (
  what: string,
  condition: () => boolean,
  limitMs = 20_000,
): Promise<void> => {
  for (let waitedMs = 0; !condition(); waitedMs += 50) {
    if (waitedMs > limitMs) throw new Error(`still waiting for ${what}`)
    await pause(50)
  }
}

/** Node processes that still work for `folder`, by command line or current folder; zombies do not count. Linux only. */
export const processesOf = (folder: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        if (!/^[^\0]*node/.test(command)) return false
        if (/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return false
        return command.includes(folder) || readlinkSync(`/proc/${pid}/cwd`) === folder
      } catch {
        return false
      }
    })
    .map(Number)

/** A folder of its own for one test. `remove` waits until nothing works for it any more. */
export const makeFolder = (): { folder: string; remove: () => Promise<void> } => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-e2e-'))
  return {
    folder,
    remove: async () => {
      await until(`the end of every process of ${folder}`, () => processesOf(folder).length === 0)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Sum over partitions of end offset after minus before. */
export const deltaOf = (result: RunResult): number =>
  result.partitions.reduce((sum, { highAfter, highBefore }) => sum + highAfter - highBefore, 0)

export const failedChecks = (result: RunResult): string[] =>
  result.checks.filter((check) => !check.ok).map((check) => check.name)

/** Whether plain node runs `file`, one that the build has made of many, without compiling what was compiled before. */
export const isCompiled = async (file: string, use = ''): Promise<boolean> => {
  const module = new URL('../../dist/src/cached-script.js', import.meta.url).href
  const script = `import('${module}').then(({ runCachedScript }) =>
    console.log(runCachedScript(...process.argv.slice(1)).isFromCache))`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script, file, use])
  return stdout === 'true\n'
}

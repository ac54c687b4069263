// Child processes and folders of the conformance run. They end with it: processes after each part, and all on Ctrl-C and
// when it crashes.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../dist/bin/bench.js', import.meta.url))
const running = new Set()
const folders = new Set()

/** Kills the whole group of a child, which leads its own. */
const kill = (child, signal) => {
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}

process.on('exit', () => {
  for (const child of running) kill(child, 'SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143))
}

/** A folder that is removed with the run. */
export const makeFolder = () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-conformance-'))
  folders.add(folder)
  return folder
}

/**
 * Starts a command in its own process group. `output()` is what it has printed so far (its last 64 KiB), `ended` resolves
 * to its exit code (null by a signal), `stop()` ends it: SIGTERM, and SIGKILL after `patienceMs`.
 */
export const startProcess = (command, args, options = {}) => {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
    detached: true,
  })
  let text = ''
  const collect = (chunk) => {
    text = (text + chunk).slice(-65_536)
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)
  const ended = new Promise((resolve) => {
    child.once('error', (error) => {
      collect(error.message)
      running.delete(child)
      resolve(null)
    })
    child.once('close', (code) => {
      running.delete(child)
      resolve(code)
    })
  })
  if (child.pid !== undefined) running.add(child)
  const stop = async (patienceMs = 10_000) => {
    if (!running.has(child)) return
    kill(child, 'SIGTERM')
    const timer = setTimeout(() => kill(child, 'SIGKILL'), patienceMs)
    await ended
    clearTimeout(timer)
  }
  child.endNow = stop
  const { pid, stdin, stdout } = child
  return { pid, stdin, stdout, output: () => text, ended, stop }
}

/** Runs a command to its end; throws with its output when it fails or takes longer than `timeoutMs`. */
export const runProcess = async (command, args, { timeoutMs = 600_000, ...options } = {}) => {
  const child = startProcess(command, args, options)
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    void child.stop(0)
  }, timeoutMs)
  const code = await child.ended
  clearTimeout(timer)
  if (code !== 0) {
    const why = isLate ? `took longer than ${timeoutMs} ms` : `exit code ${code}`
    throw new Error(`${command} ${args.join(' ')}: ${why}\n${child.output().slice(-2_000)}`)
  }
  return child.output()
}

/** Ends every process that is still running. */
export const endProcesses = async () => {
  await Promise.all([...running].map((child) => child.endNow(3_000)))
}

const listenOn = (port) =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const { port: taken } = server.address()
      server.close(() => resolve(taken))
    })
  })

/** A port on 127.0.0.1 that was free a moment ago. */
export const freePort = () => listenOn(0)

/** The first of `count` ports in a row that were free a moment ago, below those that connections get at random. */
export const freePorts = async (count) => {
  for (let tries = 0; tries < 100; tries++) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    try {
      for (let port = first; port < first + count; port++) await listenOn(port)
      return first
    } catch {
      // Another process has one of them.
    }
  }
  throw new Error(`no ${count} ports in a row are free`)
}

/** The embedded broker of so many nodes with these settings, in memory unless `dataDir` is given: `{ port, stop, output }`. */
export const startBenchBroker = async (
  settings = {},
  { dataDir = 'memory', port = 0, profile = 'kafka-4.3', brokers = 1 } = {},
) => {
  const pairs = Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`])
  const flags = ['--port', port, '--data-dir', dataDir, '--profile', profile, '--brokers', brokers]
  const args = [bin, 'broker', ...flags.map(String), ...pairs]
  const child = startProcess(process.execPath, args)
  const giveUpMs = performance.now() + 10_000
  for (;;) {
    const match = /listening on 127\.0\.0\.1:(\d+)/.exec(child.output())
    if (match !== null) return { ...child, port: Number(match[1]) }
    if (performance.now() > giveUpMs) {
      await child.stop()
      throw new Error(`the embedded broker did not start: ${child.output()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

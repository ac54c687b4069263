import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { readBenchVersion } from '../src/results/environment.ts'
import type { RunResult } from '../src/results/result.ts'

/**
 * `npm run bench:self`: what the wire client, kafkajs, the embedded broker and this machine do together, as one Markdown table; with
 * `-- --write` it becomes docs/BENCHMARKS.md. Run by hand, never in tests. Absolute figures belong to the machine;
 * compare ratios of one table.
 */

const bin = fileURLToPath(new URL('../bin/bench.js', import.meta.url))
// From dist/benchmarks, where this runs.
const documentFile = fileURLToPath(new URL('../../docs/BENCHMARKS.md', import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'bench-self-'))
const rounds = 3
const starts = 11
/** Of /proc: the same on every Linux. */
const ticksPerSec = 100

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const spread = (values: readonly number[], digits = 0): string => {
  const format = (value: number) => value.toFixed(digits)
  return `${format(median(values))} (${format(Math.min(...values))}–${format(Math.max(...values))})`
}

const rows: string[] = []
const row = (what: string, figure: string, command: string): void => {
  rows.push(`| ${what} | ${figure} | \`${command}\` |`)
  process.stderr.write(`${what}: ${figure}\n`)
}

const runs = (args: readonly string[], count = rounds): RunResult[] =>
  Array.from({ length: count }, () => {
    const options = [...args, '--no-save', '--quiet', '--json-output', '-']
    const { stdout, status, stderr } = spawnSync(process.execPath, [bin, ...options], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    })
    if (status !== 0) throw new Error(`bench ${args.join(' ')}: exit ${status}: ${stderr}`)
    return JSON.parse(stdout) as RunResult
  })

const rate = (what: string, args: readonly string[]): void => {
  const results = runs(args)
  const perSec = spread(results.map((result) => result.totals.recordsPerSec / 1e3))
  const p99Ms = spread(
    results.map((result) => (result.latencyUs.response?.p99 ?? Number.NaN) / 1e3),
    2,
  )
  const p99 = Number.isNaN(median(results.map((r) => r.latencyUs.response?.p99 ?? Number.NaN)))
    ? ''
    : `, p99 ${p99Ms} ms`
  row(what, `${perSec} k records/s${p99}`, `bench ${args.join(' ')}`)
}

interface WireLoad {
  readonly batchRecords: number
  /** Requests, as many as it takes to keep the broker busy. */
  readonly inFlight: number
  readonly records: number
}

const wireLoads: readonly WireLoad[] = [
  { batchRecords: 1, inFlight: 256, records: 500_000 },
  { batchRecords: 10, inFlight: 64, records: 3_000_000 },
  { batchRecords: 100, inFlight: 16, records: 10_000_000 },
  { batchRecords: 1_000, inFlight: 5, records: 10_000_000 },
]

/** User and system time of a process; NaN where there is no /proc. */
const cpuSecOf = (pid: number | undefined): number => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSec
  } catch {
    return Number.NaN
  }
}

/** Rates, and the broker's CPU time, on one store that its first run has warmed up. */
const measureWire = async (store: string, load: WireLoad): Promise<void> => {
  // A ring goes round in its first run, so that its memory is warm; a disk is not to be filled by this.
  const bound = store === 'ring' ? 'store.max.bytes=134217728' : 'log.retention.bytes=268435456'
  const place = ['--data-dir', store, '-X', bound]
  const { child, port } = await startBroker(...place)
  const { batchRecords, inFlight, records } = load
  const args = ['--mode', 'produce', '--client', 'wire', '-s', '256', '-c', String(inFlight)]
  args.push('--batch-records', String(batchRecords), '-n', String(records))
  const once = (): { perSec: number; brokerSecPerMillion: number } => {
    const beforeSec = cpuSecOf(child.pid)
    const [result] = runs([...args, '-b', `127.0.0.1:${port}`], 1)
    const usedSec = cpuSecOf(child.pid) - beforeSec
    const perSec = result?.totals.recordsPerSec ?? Number.NaN
    return { perSec, brokerSecPerMillion: (usedSec / records) * 1e6 }
  }
  once()
  const results = Array.from({ length: rounds }, once)
  const rates = results.map(({ perSec }) => perSec / 1e3)
  const cpuSec = results.map(({ brokerSecPerMillion }) => brokerSecPerMillion)
  row(
    `wire, batches of ${batchRecords}, ${store === 'ring' ? 'ring' : 'disk'}`,
    `${spread(rates)} k records/s, broker ${spread(cpuSec, 3)} s of CPU per million`,
    `bench broker ${place.join(' ')}; bench ${args.join(' ')}`,
  )
  await end(child)
  if (store !== 'ring') rmSync(path.join(folder, store), { recursive: true, force: true })
}

/** Starts a broker in the foreground; resolves with its port, the ms until its first ApiVersions answer, and the child. */
const startBroker = async (
  ...args: string[]
): Promise<{ child: ChildProcess; port: number; startMs: number }> => {
  const beganMs = performance.now()
  const child = spawn(process.execPath, [bin, 'broker', '--port', '0', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const port = await new Promise<number>((resolve, reject) => {
    const onText = (text: Buffer): void => {
      const match = /127\.0\.0\.1:(\d+)/.exec(text.toString())
      if (match) resolve(Number(match[1]))
    }
    child.stdout.on('data', onText)
    child.stderr.on('data', onText)
    child.on('exit', () => reject(new Error('the broker ended')))
  })
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    // ApiVersions v0, correlation id 1, no client id.
    socket.on('connect', () => socket.write(Buffer.from('0000000a0012000000000001ffff', 'hex')))
    socket.on('data', () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', reject)
  })
  return { child, port, startMs: performance.now() - beganMs }
}

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.on('exit', () => resolve())
    child.kill('SIGINT')
  })

const measureStart = async (): Promise<void> => {
  const nodeMs: number[] = []
  const brokerMs: number[] = []
  for (let i = 0; i < starts; i += 1) {
    const beganMs = performance.now()
    spawnSync(process.execPath, ['-e', '0'])
    nodeMs.push(performance.now() - beganMs)
    const { child, startMs } = await startBroker('--data-dir', 'memory')
    brokerMs.push(startMs)
    await end(child)
  }
  row('`node -e 0`', `${spread(nodeMs)} ms`, 'node -e 0')
  row(
    'broker, spawn to first ApiVersions answer',
    `${spread(brokerMs)} ms, ${(median(brokerMs) - median(nodeMs)).toFixed(0)} ms above node`,
    'bench broker --port 0 --data-dir memory',
  )
}

const residentMiB = (pid: number | undefined): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024
}

const measureMemory = async (): Promise<void> => {
  const { child, port } = await startBroker('--data-dir', 'one-gb')
  const before = residentMiB(child.pid)
  const args = ['-s', '8192', '-n', '131072', '-c', '16', '--batch-records', '100']
  const full = [...args, '-b', `127.0.0.1:${port}`, '--topic', 'gb', '--no-save', '--quiet']
  const { status, stderr } = spawnSync(process.execPath, [bin, ...full], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`filling 1 GB: exit ${status}: ${stderr}`)
  row(
    'broker memory on disk store, before and after 1 GB',
    `${before.toFixed(0)} → ${residentMiB(child.pid).toFixed(0)} MiB`,
    `bench ${args.join(' ')}`,
  )
  await end(child)
}

try {
  await measureStart()
  for (const load of wireLoads) {
    await measureWire('ring', load)
    await measureWire('on-disk', load)
  }
  const single = ['--mode', 'produce', '-c', '128', '-s', '256', '-d', '5s', '-w', '2s']
  rate('wire, 128 in flight', [...single, '--client', 'wire'])
  const kafkajs = ['--client', 'kafkajs']
  rate('kafkajs, 128 in flight', [...single, ...kafkajs])
  const batches = [...single.with(3, '8'), '--batch-records', '500', ...kafkajs]
  rate('kafkajs, batches of 500', batches)
  rate('kafkajs, in memory', [...batches, '--data-dir', 'memory'])
  rate('consume, one member', ['--mode', 'consume', '-n', '500000', '-s', '256'])
  await measureMemory()
  const machine = `${cpus()[0]?.model ?? ''} × ${cpus().length}, ${Math.round(totalmem() / 2 ** 30)} GiB, node ${process.version}, load ${loadavg()[0]?.toFixed(2)}`
  const about = `${new Date().toISOString().slice(0, 10)}, bench ${readBenchVersion()}, ${machine}`
  const document = `# Benchmarks

Made by \`npm run bench:self -- --write\`; nothing here is typed by hand. Absolute figures belong to the machine that made
them, which may have had other work to do: compare ratios within the table, and run it on yours.

${about}. Median (min–max) of ${rounds} runs; of starts, of ${starts}. Client and broker share the cores.

| what | figure | command |
| --- | --- | --- |
${rows.join('\n')}

What bench itself costs per record, and what the stores take, print \`npm run bench:ledger\` and \`npm run bench:store\`.
`
  if (process.argv.includes('--write')) writeFileSync(documentFile, document)
  else process.stdout.write(document)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

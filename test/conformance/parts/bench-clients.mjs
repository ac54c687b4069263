// The real bin with each optional client library: installed here, found by bench in the folder it is started from.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProcess, startBenchBroker, startProcess } from '../processes.mjs'

const bin = fileURLToPath(new URL('../../../dist/bin/bench.js', import.meta.url))

const clients = [
  {
    name: 'platformatic',
    package: '@platformatic/kafka',
    version: '1.35.0',
    told: 'platformatic 1.35.0',
    // Its zstd is that of Node.js.
    codecs: ['gzip', 'snappy', 'lz4', ...('zstd' in process.versions ? ['zstd'] : [])],
    hasGenerations: true,
  },
  {
    name: 'librdkafka',
    package: 'node-rdkafka',
    version: '3.6.1',
    told: 'librdkafka 2.12.0 (node-rdkafka 3.6.1)',
    codecs: ['gzip', 'snappy', 'lz4', 'zstd'],
    hasGenerations: false,
  },
]

const records = 3_000

/** Runs bench in `folder`: its exit code, what it printed, and its result, null when it ended before one. */
const bench = async (folder, args, { timeoutMs = 60_000 } = {}) => {
  const file = path.join(folder, `result-${process.pid}.json`)
  rmSync(file, { force: true })
  const quiet = ['--no-save', '--quiet', '--json-output', file]
  const child = startProcess(process.execPath, [bin, 'run', ...args, ...quiet], { cwd: folder })
  const timer = setTimeout(() => void child.stop(0), timeoutMs)
  const code = await child.ended
  clearTimeout(timer)
  const result = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
  return { code, output: child.output().trim(), result }
}

const install = async (cacheDir, client) => {
  const folder = path.join(cacheDir, client.name)
  const manifest = path.join(folder, 'node_modules', client.package, 'package.json')
  mkdirSync(folder, { recursive: true })
  if (existsSync(manifest)) {
    const installed = JSON.parse(readFileSync(manifest, 'utf8')).version.replace(/^v/, '')
    if (installed === client.version) return folder
  }
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
  const args = ['install', '--no-audit', '--no-fund', `${client.package}@${client.version}`]
  await runProcess('npm', args, { cwd: folder })
  return folder
}

class Checks {
  constructor(client, folder, broker, report) {
    Object.assign(this, { client, folder, report })
    this.base = ['-b', `127.0.0.1:${broker.port}`, '--client', client.name]
  }

  /** Passes when the run ends with 0 and `fault` finds none in its result. */
  async run(check, args, fault = () => null) {
    const name = `${this.client.name}: ${check}`
    const { code, output, result } = await bench(this.folder, [...this.base, ...args])
    const failed = (result?.checks ?? []).filter((one) => !one.ok)
    const why = code === 0 ? fault(result) : `exit code ${code}\n${output}\n${show(failed)}`
    if (why) this.report.fail(name, why)
    else this.report.pass(name)
  }

  /** Passes when bench ends with 2 and one line that holds `text`. */
  async refused(check, args, text, folder = this.folder) {
    const name = `${this.client.name}: ${check}`
    const { code, output } = await bench(folder, [...this.base, ...args])
    const isRight = code === 2 && output.includes(text) && !output.includes('\n')
    if (isRight) this.report.pass(name)
    else this.report.fail(name, `exit code ${code}, not 2 with '${text}' in one line\n${output}`)
  }
}

const show = (failed) => failed.map((one) => JSON.stringify(one)).join('\n')

const counts = (expected) => (result) =>
  result.totals.records === expected ? null : `${result.totals.records} records, not ${expected}`

const produce = async (checks) => {
  const n = ['-n', String(records), '-s', '200']
  for (const acks of ['0', '1', 'all']) await checks.run(`acks ${acks}`, [...n, '--acks', acks])
  await checks.run('validated, and says which library', [...n, '--validate'], (result) =>
    result.environment.client === checks.client.told
      ? counts(records)(result)
      : `client '${result.environment.client}', not '${checks.client.told}'`,
  )
  await checks.run('idempotent', [...n, '--idempotent', '--validate'], counts(records))
  for (const codec of checks.client.codecs) {
    const args = [...n, '--compression', codec, '--validate', '--compressibility', '0.5']
    await checks.run(codec, args, counts(records))
  }
  await checks.run('keys', [...n, '--key-pattern', 'random', '--validate'], counts(records))
}

const consume = async (checks) => {
  const topic = `read-by-${checks.client.name}`
  const fill = ['-t', topic, '--create-topic', '-n', '60000', '-s', '100', '-p', '6']
  await checks.run('fill', fill, counts(60_000))
  const group = ['--mode', 'consume', '-t', topic, '--consumers', '3']
  for (const assignor of ['range', 'round-robin']) {
    const args = [...group, '--stagger', '1s', '--assignor', assignor]
    await checks.run(`a group of three, ${assignor}`, args, (result) => {
      // The run ends when the last member has its partitions, perhaps before the others have given theirs up.
      const silent = result.consumers.filter((one) => one.partitions.length === 0)
      if (silent.length > 0) return `no partitions: ${JSON.stringify(silent)}`
      const isToldOf = result.consumers.every((one) => one.generations.length > 0)
      if (isToldOf !== checks.client.hasGenerations) return `generations: ${isToldOf}`
      return counts(60_000)(result)
    })
  }
  const resumed = ['--mode', 'consume', '-t', topic, '--consumer-group', `${topic}-resumes`]
  await checks.run('-n commits what it read', [...resumed, '-n', '20000'], counts(20_000))
  await checks.run('and another run goes on there', resumed, counts(40_000))
  const kept = [...resumed, '--disable-auto-commit', '--from', 'earliest']
  await checks.run('commits nothing when told so', kept, counts(60_000))
}

const otherModes = async (checks) => {
  await checks.run('round-trip', ['--mode', 'round-trip', '-n', '1000'], counts(1_000))
  await checks.run('metadata', ['--mode', 'metadata', '-n', '500', '-c', '8'], counts(500))
}

const refusals = async (checks) => {
  const { client } = checks
  await checks.refused('an unknown property', ['-n', '1', '-X', 'no.such=1'], client.name)
  const sticky = ['--mode', 'consume', '--assignor', 'cooperative-sticky']
  await checks.refused('an assignor it lacks', sticky, client.name)
  const missing = `npm install ${client.package}@${client.version}`
  await checks.refused('its package is missing', ['-n', '1'], missing, tmpdir())
}

/** A broker that is killed while the run produces or consumes: exit code 3, in bounded time. */
const killedBroker = async (checks) => {
  for (const mode of ['produce', 'consume']) {
    const name = `${checks.client.name}: ${mode}, the broker is killed`
    const broker = await startBenchBroker()
    const base = ['-b', `127.0.0.1:${broker.port}`, '--client', checks.client.name]
    const topic = ['-t', 'killed', ...(mode === 'consume' ? ['--until', 'duration'] : [])]
    if (mode === 'consume') {
      await bench(checks.folder, [...base, '-t', 'killed', '--create-topic', '-n', '1000'])
    }
    const args = [...base, ...topic, '--mode', mode, '-d', '120s', '-w', '0s']
    const ended = bench(checks.folder, args)
    await new Promise((resolve) => setTimeout(resolve, 4_000))
    await broker.stop(0)
    const { code, output } = await ended
    if (code === 3 && output.includes('bench: ')) checks.report.pass(name)
    else checks.report.fail(name, `exit code ${code}, not 3\n${output}`)
  }
}

/** Brokers older than the library speaks to: one line, before anything is sent. */
const oldBrokers = async (checks) => {
  const broker = await startBenchBroker({}, { profile: 'kafka-2.4' })
  const old = new Checks(checks.client, checks.folder, broker, checks.report)
  const topic = ['-t', 'old']
  await old.run('Kafka 2.4: produce', [...topic, '--create-topic', '-n', '500'])
  const read = [...topic, '--mode', 'consume']
  if (checks.client.name === 'platformatic') {
    await old.refused('Kafka 2.4: consume', read, 'platformatic cannot speak to the broker')
  } else await old.run('Kafka 2.4: consume', read, counts(500))
  await broker.stop()
}

const run = async ({ cacheDir, report }) => {
  const broker = await startBenchBroker()
  for (const client of clients) {
    let folder
    try {
      folder = await install(cacheDir, client)
    } catch (error) {
      report.skip(client.name, `cannot be installed here: ${error.message.split('\n').at(-1)}`)
      continue
    }
    const checks = new Checks(client, folder, broker, report)
    await produce(checks)
    await consume(checks)
    await otherModes(checks)
    await refusals(checks)
    await oldBrokers(checks)
    await killedBroker(checks)
  }
  await broker.stop()
}

export default { name: 'bench-clients', needs: ['npm'], run }

// The real bin with each client library: exit code, result and counts become checks.
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { clients, prepare } from './clients/list.mjs'
import { makeFolder, startProcess } from './processes.mjs'
import { missingToolchain } from './toolchains.mjs'

export const benchBin = fileURLToPath(new URL('../../dist/bin/bench.js', import.meta.url))

const codecs = ['gzip', 'snappy', 'lz4', 'zstd']

/** The clients that come with bench. `listed`: null, since nothing is to be installed; `assignors`: all that they have. */
export const ownClients = {
  kafkajs: { name: 'kafkajs', listed: null, codecs, assignors: ['range', 'round-robin'] },
  wire: {
    name: 'wire',
    listed: null,
    install: null,
    told: 'wire 1',
    codecs,
    assignors: ['range', 'round-robin', 'cooperative-sticky'],
    hasGenerations: true,
    smallestBytes: 0,
    oldProfiles: ['kafka-2.4', 'kafka-2.8', 'kafka-3.9'],
  },
}

/** The clients that bench does not install itself. `listed`: the client of the matrix whose modules it uses. */
export const optionalClients = [
  {
    name: 'platformatic',
    listed: 'platformatic',
    install: 'npm install @platformatic/kafka@1.35.0',
    told: 'platformatic 1.35.0',
    codecs: clients.platformatic.codecs,
    assignors: ['range', 'round-robin'],
    hasGenerations: true,
    smallestBytes: 0,
  },
  {
    name: 'librdkafka',
    listed: 'node-rdkafka',
    install: 'npm install node-rdkafka@3.6.1',
    told: 'librdkafka 2.12.0 (node-rdkafka 3.6.1)',
    codecs: clients['node-rdkafka'].codecs,
    assignors: ['range', 'round-robin'],
    hasGenerations: false,
    smallestBytes: 36,
  },
]

/** A folder to run bench in; with the modules of `listed` unless it is null. */
export const folderWith = async (listed) => {
  const folder = makeFolder()
  if (listed === null) return folder
  const { folder: installed } = await prepare(listed)
  symlinkSync(path.join(installed, 'node_modules'), path.join(folder, 'node_modules'))
  return folder
}

/** Runs bench in `folder`: its exit code, what it printed, and its result, null when it ended before one. */
export const bench = async (folder, args, { timeoutMs = 60_000, env = {} } = {}) => {
  const file = path.join(folder, `result-${process.pid}.json`)
  rmSync(file, { force: true })
  const quiet = ['--no-save', '--quiet', '--json-output', file]
  const options = { cwd: folder, env: { ...process.env, ...env } }
  const child = startProcess(process.execPath, [benchBin, 'run', ...args, ...quiet], options)
  const timer = setTimeout(() => void child.stop(0), timeoutMs)
  const code = await child.ended
  clearTimeout(timer)
  const result = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
  return { code, output: child.output().trim(), result }
}

const show = (list) => list.map((one) => JSON.stringify(one)).join('\n')

/** A fault of a result that does not count so many records. */
export const counts = (expected) => (result) =>
  result.totals.records === expected ? null : `${result.totals.records} records, not ${expected}`

/** Runs of one client against one broker. */
export class Runs {
  /** `where` begins the name of each check, `args` each command. */
  constructor(client, folder, { where = '', args, env = {} }, report) {
    Object.assign(this, { client, folder, where, env, report })
    this.base = ['--client', client.name, ...args]
  }

  nameOf(check) {
    return `${this.client.name}: ${this.where}${check}`
  }

  async ok(check, args, fault = () => null) {
    const { code, output, result } = await bench(this.folder, [...this.base, ...args], this)
    const failed = (result?.checks ?? []).filter((one) => !one.ok)
    const told = [output, show(failed), show(result?.warnings ?? [])].join('\n')
    const found = code === 0 ? fault(result) : `exit code ${code}`
    const why = found ? `${found}\n${told}` : null
    if (why) this.report.fail(this.nameOf(check), why)
    else this.report.pass(this.nameOf(check))
  }

  /** Passes when bench ends with 2 and one line that holds `text`. */
  async refused(check, args, text, folder = this.folder) {
    const { code, output } = await bench(folder, [...this.base, ...args], this)
    const isRight = code === 2 && output.includes(text) && !output.includes('\n')
    if (isRight) this.report.pass(this.nameOf(check))
    else {
      const why = `exit code ${code}, not 2 with '${text}' in one line\n${output}`
      this.report.fail(this.nameOf(check), why)
    }
  }
}

/** Each of `wanted` that can be installed here, with a folder to run it in. */
export const installedClients = async (wanted, report) => {
  const found = []
  for (const client of wanted) {
    const missing = client.listed === null ? null : missingToolchain(clients[client.listed].needs)
    if (missing !== null) report.skip(client.name, missing)
    else {
      try {
        found.push({ client, folder: await folderWith(client.listed) })
      } catch (error) {
        report.fail(`${client.name}: install`, error.message)
      }
    }
  }
  return found
}

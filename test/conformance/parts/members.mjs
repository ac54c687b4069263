// Members of scenarios that are not JavaScript (adapters/): two of a library share a topic, one is killed, the other takes over.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runProcess, startBenchBroker } from '../processes.mjs'
import { missingToolchain } from '../toolchains.mjs'

const dist = new URL('../../../dist/', import.meta.url)
const bin = fileURLToPath(new URL('bin/bench.js', dist))
const installer = fileURLToPath(new URL('../../../adapters/install.mjs', import.meta.url))
const partitions = 4
const records = 2_000
const limitMs = 60_000

const java = ['java', 'javac', 'mvn']
const adapters = {
  'kafka-python': { needs: ['python3'], isStatic: true, isCooperative: true },
  'kafka-python-2': { needs: ['python3'], isStatic: false, isCooperative: false },
  'librdkafka-python': { needs: ['python3'], isStatic: true, isCooperative: true },
  java: { needs: java, isStatic: true, isCooperative: true },
}

const loadBench = async () => {
  const load = (file) => import(new URL(`src/${file}.js`, dist))
  const [clients, process, protocol, clock] = await Promise.all([
    load('scenario/member-clients'),
    load('scenario/member-process'),
    load('scenario/member-protocol'),
    load('clock'),
  ])
  return { ...clients, ...process, ...protocol, ...clock }
}

/** The command of the client, installed when it is not there; a text says why there is none. */
const commandOf = async (bench, client, report) => {
  const found = await bench.findMemberCommand(client)
  if (found.command !== null) return found.command
  const missing = missingToolchain(adapters[client].needs)
  if (missing !== null) {
    report.skip(client, missing)
    return null
  }
  await runProcess(process.execPath, [installer, client])
  const { command, reason } = await bench.findMemberCommand(client)
  if (command === null) report.fail(`${client}: installed`, reason)
  return command
}

class Members {
  #bench
  #command
  #place
  #running = []

  constructor(bench, command, place) {
    this.#bench = bench
    this.#command = command
    this.#place = place
  }

  join(clientId, given = {}) {
    const { startMember, parseMemberOptions, systemClock } = this.#bench
    const events = []
    const handle = startMember(
      this.#command,
      parseMemberOptions({
        ...this.#place,
        clientId,
        sessionTimeoutMs: 6_000,
        heartbeatIntervalMs: 500,
        ...given,
      }),
      { onEvent: (event) => events.push(event) },
      systemClock,
    )
    this.#running.push(handle)
    const of = (type) => events.filter((event) => event.type === type)
    return {
      handle,
      of,
      owned: () => of('assigned').at(-1)?.partitions ?? [],
      runs: () => of('batch').flatMap(({ partition, runs }) => runs.map((run) => [partition, run])),
    }
  }

  async end() {
    await Promise.all(this.#running.map((handle) => handle.crash()))
  }
}

const until = async (what, condition) => {
  const giveUpMs = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > giveUpMs) throw new Error(`still waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const countOf = (...members) =>
  members.flatMap((member) => member.runs()).reduce((sum, [, run]) => sum + run[1], 0)

/** What is wrong with what one member read; null when it is each sequence of this run once, in order. */
const problemOf = (member, runNumber) => {
  for (let own = 0; own < partitions; own++) {
    let next = 0
    for (const [partition, run] of member.runs()) {
      if (partition !== own) continue
      if (run[2] !== runNumber) return `a record of run ${run[2]}, not ${runNumber}`
      if (run[0] !== next || run[4] !== next) return `partition ${own}: ${run} after ${next}`
      next += run[1]
    }
  }
  return countOf(member) === records ? null : `${countOf(member)} records, not ${records}`
}

/** Resolves to null or what went wrong. */
const shareAndCrash = async (members, runNumber) => {
  const a = members.join('a')
  await until('all records', () => a.owned().length === partitions && countOf(a) >= records)
  const problem = problemOf(a, runNumber)
  if (problem !== null) return problem
  const b = members.join('b')
  await until('a share each', () => a.owned().length === 2 && b.owned().length === 2)
  if (new Set([...a.owned(), ...b.owned()]).size !== partitions) return 'shares that overlap'
  await b.handle.crash()
  await until('the session to expire', () => a.owned().length === partitions)
  const exit = await a.handle.stop()
  if (exit.code !== 0 || a.of('left').length !== 1) return `its exit: ${JSON.stringify(exit)}`
  const fatal = a.of('error').find(({ isFatal }) => isFatal)
  return fatal === undefined ? null : fatal.message
}

const joinsOrRefuses = async (members, canDoIt, given) => {
  const member = members.join('c', given)
  await until(
    'an assignment or the end',
    () => member.owned().length > 0 || member.handle.hasExited,
  )
  const hasJoined = member.owned().length > 0
  if (hasJoined) await member.handle.stop()
  const reason = member.of('error').at(-1)?.message ?? 'no reason'
  if (hasJoined === canDoIt) return null
  return hasJoined ? 'it joined' : reason
}

const produce = (address, topic) => {
  const args = ['--mode', 'produce', '-b', address, '-t', topic, '-p', String(partitions)]
  const more = ['-n', String(records), '-w', '0s', '--no-save', '--json-output', '-']
  const { stdout, stderr } = spawnSync(process.execPath, [bin, ...args, ...more], {
    encoding: 'utf8',
    timeout: limitMs,
  })
  if (stdout === '') throw new Error(stderr)
  return Number.parseInt(JSON.parse(stdout).runId, 16)
}

const runClient = async (bench, client, report) => {
  const command = await commandOf(bench, client, report)
  if (command === null) return
  const broker = await startBenchBroker({ 'group.initial.rebalance.delay.ms': '300' })
  const address = `127.0.0.1:${broker.port}`
  const check = async (name, topic, run) => {
    const place = { bootstrapServers: [address], topic, groupId: `${topic} ${name}` }
    const members = new Members(bench, command, place)
    try {
      const problem = await run(members)
      if (problem === null) report.pass(`${client}: ${name}`)
      else report.fail(`${client}: ${name}`, problem)
    } catch (error) {
      report.fail(`${client}: ${name}`, error.message)
    } finally {
      await members.end()
    }
  }
  const { isStatic, isCooperative } = adapters[client]
  try {
    const runNumber = produce(address, 't')
    await check('shares, and takes over', 't', (members) => shareAndCrash(members, runNumber))
    const asked = { groupInstanceId: 'one' }
    const staticName = isStatic ? 'static membership' : 'refuses static membership'
    await check(staticName, 't', (members) => joinsOrRefuses(members, isStatic, asked))
    const sticky = { assignor: 'cooperative-sticky' }
    const stickyName = isCooperative ? 'cooperative-sticky' : 'refuses cooperative-sticky'
    await check(stickyName, 't', (members) => joinsOrRefuses(members, isCooperative, sticky))
  } finally {
    await broker.stop()
  }
}

export default {
  name: 'members',
  needs: [],
  async run({ report }) {
    const bench = await loadBench()
    for (const client of Object.keys(adapters)) await runClient(bench, client, report)
  },
}

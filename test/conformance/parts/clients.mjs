// Clients of every ecosystem against the embedded broker. CONFORMANCE_CLIENTS=name,… and
// CONFORMANCE_PROFILES=name,… pick some of them and of the broker's profiles; the page is written when all were there.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { clients, prepare } from '../clients/list.mjs'
import { Broker, codecs, columns, firstHalf, openClient, secondHalf } from '../clients/matrix.mjs'
import { pageOf, tableOf } from '../clients/table.mjs'
import { startBenchBroker } from '../processes.mjs'
import { missingToolchain } from '../toolchains.mjs'

const page = fileURLToPath(new URL('../../../docs/CLIENTS.md', import.meta.url))
/** How many are at work at once; most of the time they wait for a group to form. */
const atOnce = 3

const allProfiles = ['kafka-4.3', 'kafka-3.9', 'kafka-2.8', 'kafka-2.4']
const profiles = process.env.CONFORMANCE_PROFILES?.split(',') ?? allProfiles

const wanted = () => {
  const names = process.env.CONFORMANCE_CLIENTS?.split(',') ?? Object.keys(clients)
  const unknown = names.find((name) => clients[name] === undefined)
  if (unknown !== undefined) throw new Error(`there is no client ${unknown}`)
  return names
}

/** Name -> its command, of those that could be installed. */
const prepareAll = async (names, cacheDir, report) => {
  const commands = new Map()
  for (const name of names) {
    const missing = missingToolchain(clients[name].needs)
    if (missing !== null) {
      report.skip(name, missing)
      continue
    }
    try {
      commands.set(name, await prepare(name, cacheDir))
    } catch (error) {
      report.fail(`${name}: install`, error.message)
    }
  }
  return commands
}

const runSome = async (states, run) => {
  const left = [...states]
  const worker = async () => {
    for (let state = left.shift(); state !== undefined; state = left.shift()) await run(state)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

const judge = (profile, states, report) => {
  for (const { name, cells } of states) {
    for (const column of columns) {
      const { kind, why } = cells[column] ?? { kind: 'FAIL', why: 'did not come that far' }
      if (kind === 'FAIL') report.fail(`${profile}, ${name}: ${column}`, why)
      else if (kind === 'ok') report.pass(`${profile}, ${name}: ${column}`)
    }
  }
}

/** The states of all clients after a broker of that profile was held against them. */
const runProfile = async (profile, commands, report) => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'conformance-clients-'))
  process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }))
  const first = await startBenchBroker({}, { dataDir, profile })
  const broker = new Broker(first.port)
  for (const codec of codecs) await broker.createTopic(`all-${codec}`, 1)
  const writers = Object.fromEntries(codecs.map((codec) => [codec, []]))
  const shared = { broker, writers, served: await broker.highestVersions() }
  const states = [...commands].map(([name, commandOf]) =>
    openClient(name, clients[name], commandOf, shared),
  )
  await runSome(states, async (state) => {
    try {
      await firstHalf(state)
    } catch (error) {
      report.fail(`${profile}, ${state.name}`, error.message)
    }
  })
  await first.stop()
  const second = await startBenchBroker({}, { dataDir, port: first.port, profile })
  await runSome(states, async (state) => {
    await secondHalf(state)
    await state.close()
  })
  await second.stop()
  judge(profile, states, report)
  return states
}

export default {
  name: 'clients',
  needs: [],
  async run({ cacheDir, report }) {
    const commands = await prepareAll(wanted(), cacheDir, report)
    const tables = []
    for (const profile of profiles) {
      const states = await runProfile(profile, commands, report)
      tables.push({ profile, text: tableOf(states, columns) })
      console.log(`${profile}\n${tables.at(-1).text}`)
    }
    const isWhole = commands.size === Object.keys(clients).length && profiles === allProfiles
    if (isWhole) writeFileSync(page, pageOf(tables))
  },
}

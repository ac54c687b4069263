// Clients of every ecosystem against the embedded broker. CONFORMANCE_CLIENTS=name,… picks some of them.
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

const judge = (states, report) => {
  for (const { name, cells } of states) {
    for (const column of columns) {
      const { kind, why } = cells[column] ?? { kind: 'FAIL', why: 'did not come that far' }
      if (kind === 'FAIL') report.fail(`${name}: ${column}`, why)
      else if (kind === 'ok') report.pass(`${name}: ${column}`)
    }
  }
}

export default {
  name: 'clients',
  needs: [],
  async run({ cacheDir, report }) {
    const names = wanted()
    const commands = await prepareAll(names, cacheDir, report)
    const dataDir = mkdtempSync(path.join(tmpdir(), 'conformance-clients-'))
    process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }))
    let server = await startBenchBroker({}, { dataDir })
    const broker = new Broker(server.port)
    for (const codec of codecs) await broker.createTopic(`all-${codec}`, 1)
    const writers = Object.fromEntries(codecs.map((codec) => [codec, []]))
    const states = []
    await runSome([...commands], async ([name, commandOf]) => {
      const state = openClient(name, commandOf, broker, writers)
      states.push(state)
      try {
        await firstHalf(state, clients[name])
      } catch (error) {
        report.fail(name, error.message)
      }
    })
    await server.stop()
    server = await startBenchBroker({}, { dataDir, port: server.port })
    await runSome(states, async (state) => {
      await secondHalf(state, clients[state.name])
      await state.close()
    })
    await server.stop()
    states.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))
    judge(states, report)
    const rows = states.map((state) => ({ ...state, title: clients[state.name].title }))
    console.log(tableOf(rows, columns))
    if (states.length === Object.keys(clients).length) writeFileSync(page, pageOf(rows, columns))
  },
}

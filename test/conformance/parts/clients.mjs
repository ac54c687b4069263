// Clients of every ecosystem against the embedded broker. CONFORMANCE_CLIENTS=name,… and CONFORMANCE_PROFILES=name,…
// pick some of them and of the brokers; the page is written when all were there.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openTools, prepareTools, toolColumns, toolNeeds } from '../clients/kafka-tools.mjs'
import { clients, prepare } from '../clients/list.mjs'
import { Broker, codecs, columns, firstHalf, openClient, secondHalf } from '../clients/matrix.mjs'
import { pageOf, tableOf } from '../clients/table.mjs'
import { freePorts, makeFolder, startBenchBroker } from '../processes.mjs'
import { missingToolchain } from '../toolchains.mjs'

const page = fileURLToPath(new URL('../../../docs/CLIENTS.md', import.meta.url))
/** How many clients are at work at once on a broker; most of the time they wait for a group to form. */
const atOnce = 3
/** How many brokers at once. */
const brokersAtOnce = 2

/** Brokers of each profile, and several nodes in one. */
const allTargets = [
  ...['kafka-4.3', 'kafka-3.9', 'kafka-2.8', 'kafka-2.4'].map((profile) => ({
    name: profile,
    title: `Profile ${profile}`,
    settings: { profile },
  })),
  { name: 'brokers-3', title: 'Three brokers', settings: { brokers: 3 } },
]

const wantedTargets = () => {
  const names = process.env.CONFORMANCE_PROFILES?.split(',')
  return allTargets.filter(({ name }) => names?.includes(name) ?? true)
}

/** Apache Kafka's tools, which have a table of their own. */
const toolsName = 'kafka-tools'
const allNames = [...Object.keys(clients), toolsName]

const wanted = () => {
  const names = process.env.CONFORMANCE_CLIENTS?.split(',') ?? allNames
  const unknown = names.find((name) => !allNames.includes(name))
  if (unknown !== undefined) throw new Error(`there is no client ${unknown}`)
  return names
}

/** Name -> its command, or those of the tools, of what could be installed. */
const prepareAll = async (names, report) => {
  const prepared = new Map()
  for (const name of names) {
    const isTools = name === toolsName
    const missing = missingToolchain(isTools ? toolNeeds : clients[name].needs)
    if (missing !== null) {
      report.skip(name, missing)
      continue
    }
    try {
      prepared.set(name, isTools ? await prepareTools() : (await prepare(name)).commandOf)
    } catch (error) {
      report.fail(`${name}: install`, error.message)
    }
  }
  return prepared
}

const runSome = async (items, count, run) => {
  const left = [...items.entries()]
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [i, item] = next
      results[i] = await run(item)
    }
  }
  const results = []
  await Promise.all(Array.from({ length: count }, worker))
  return results
}

/** Of each row and column `{ name, column, kind, why }`. `tables`: `[columns, states]`. */
const cellsOf = (tables) =>
  tables.flatMap(([names, states]) =>
    states.flatMap(({ name, cells, fault = 'did not come that far' }) =>
      names.map((column) => ({ name, column, ...(cells[column] ?? { kind: 'FAIL', why: fault }) })),
    ),
  )

const judge = (target, tables, report) => {
  for (const { name, column, kind, why } of cellsOf(tables)) {
    const check = `${target.name}, ${name}: ${column}`
    if (kind === 'FAIL') report.fail(check, why)
    else if (kind === 'ok') report.pass(check)
  }
}

const textOf = (tables) => tables.map(([names, states]) => tableOf(states, names)).join('\n')

/** The tables of all clients and of the tools after such a broker was held against them. */
const runTarget = async ({ settings }, prepared) => {
  const dataDir = makeFolder()
  // Ports that are free again after the restart.
  const port = await freePorts(settings.brokers ?? 1)
  const first = await startBenchBroker({}, { dataDir, port, ...settings })
  const broker = new Broker(port)
  for (const codec of codecs) await broker.createTopic(`all-${codec}`, 1)
  const writers = Object.fromEntries(codecs.map((codec) => [codec, []]))
  const shared = { broker, writers, served: await broker.highestVersions() }
  const states = [...prepared.keys()]
    .filter((name) => name !== toolsName)
    .map((name) => openClient(name, clients[name], prepared.get(name), shared))
  const tools = (prepared.get(toolsName) ?? []).map((version) => openTools(version, broker))
  const runs = [
    ...tools.map((state) => ({ state, run: state.run })),
    ...states.map((state) => ({ state, run: () => firstHalf(state) })),
  ]
  await runSome(runs, atOnce, async ({ state, run }) => {
    try {
      await run()
    } catch (error) {
      state.fault = error.message
    }
  })
  await first.stop()
  const second = await startBenchBroker({}, { dataDir, port, ...settings })
  await runSome(states, atOnce, async (state) => {
    await secondHalf(state)
    await state.close()
  })
  await second.stop()
  return [
    [columns, states],
    [toolColumns, tools],
  ]
}

export default {
  name: 'clients',
  needs: [],
  triesAgain: true,
  async run({ report, retry }) {
    const prepared = await prepareAll(wanted(), report)
    const targets = wantedTargets()
    const pages = await runSome(targets, brokersAtOnce, async (target) => {
      let tables = await runTarget(target, prepared)
      const isRight = cellsOf(tables).every(({ kind }) => kind !== 'FAIL')
      if (retry && !isRight) {
        console.log(`${target.title}\n${textOf(tables)}`)
        console.log(`clients: ${target.title} failed; all of it once more, and only that counts`)
        tables = await runTarget(target, prepared)
      }
      judge(target, tables, report)
      const text = textOf(tables)
      console.log(`${target.title}\n${text}`)
      return { title: target.title, text }
    })
    const isWhole = prepared.size === allNames.length && targets.length === allTargets.length
    if (isWhole) writeFileSync(page, pageOf(pages))
  },
}

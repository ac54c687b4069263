// Apache Kafka as the oracle: the same scenarios go to it and to the embedded broker, and the answers are compared.
import { apis } from '../../../dist/src/protocol/messages/index.js'
import { startApacheKafka } from '../apache-kafka.mjs'
import { compareTraces, usedMasks } from '../compare.mjs'
import { documentFault, tableOf } from '../document.mjs'
import { Golden } from '../golden.mjs'
import { accepted, masks } from '../masks.mjs'
import { kafkaVersion } from '../maven.mjs'
import { startBenchBroker } from '../processes.mjs'
import { groupScenarios } from '../scenarios/groups.mjs'
import { hostileScenarios } from '../scenarios/hostile.mjs'
import { recordScenarios } from '../scenarios/records.mjs'
import { topicScenarios } from '../scenarios/topics.mjs'
import { Script } from '../script.mjs'
import { connect } from '../wire-client.mjs'

const scenarios = [...topicScenarios, ...recordScenarios, ...groupScenarios, ...hostileScenarios]

/** The same on both sides. */
const settings = {
  'group.initial.rebalance.delay.ms': 500,
  'group.min.session.timeout.ms': 500,
  'log.retention.ms': 100 * 365 * 86_400_000,
  'log.segment.bytes': 128 * 2 ** 20,
}

/** API key -> `{ min, max }` that a broker tells. */
const versionsOf = async (port) => {
  const connection = await connect(port, 'versions')
  const { apiKeys } = await connection.ask('ApiVersions', 0, {})
  connection.close()
  return new Map(apiKeys.map((one) => [one.apiKey, { min: one.minVersion, max: one.maxVersion }]))
}

const commonRange = (told) => (one) => {
  const range = told.get(one.key) ?? { min: 1, max: 0 }
  return { min: Math.max(one.minVersion, range.min), max: Math.min(one.maxVersion, range.max) }
}

const runScenario = async (scenario, port, range) => {
  const script = new Script(scenario.name, port, range)
  try {
    await scenario.run(script)
  } catch (error) {
    script.faults.push(`did not run to its end: ${error.stack}`)
  } finally {
    script.end()
  }
  return script
}

const isAccepted = (entry, { step, path }) =>
  entry.step.test(step) && (entry.path === undefined || entry.path.test(path))

const show = (value) => {
  const text = JSON.stringify(value) ?? 'absent'
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}

/** Reports one scenario that both have run. Accepted differences are added to `occurred`: entry -> differences. */
const judge = (kafka, bench, occurred, report) => {
  const unexplained = new Map()
  for (const difference of compareTraces(kafka, bench)) {
    const entry = accepted.find((one) => isAccepted(one, difference))
    const [map, key] = entry === undefined ? [unexplained, difference.step] : [occurred, entry]
    map.set(key, [...(map.get(key) ?? []), difference])
  }
  for (const [who, { faults }] of [
    ['Apache Kafka', kafka],
    ['the embedded broker', bench],
  ]) {
    for (const fault of faults) report.fail(`${kafka.name}: ${who}`, fault)
  }
  for (const step of new Set([...kafka.trace.keys(), ...bench.trace.keys()])) {
    const name = `${kafka.name}: ${step}`
    const found = unexplained.get(name)
    if (found === undefined) report.pass(name)
    else {
      const lines = found.map(
        ({ path, kafka: theirs, bench: ours }) =>
          `${path || 'outcome'}: Apache Kafka ${show(theirs)}, embedded broker ${show(ours)}`,
      )
      report.fail(name, lines.join('\n'))
    }
  }
}

const distinct = (values) => [...new Set(values)].toSorted((a, b) => (a < b ? -1 : 1)).join('; ')

/** What docs/CONFORMANCE.md tells of this run. */
const documentSections = (requests, occurred) => ({
  'apache-kafka requests': tableOf(
    ['API', 'versions', 'requests compared'],
    Object.entries(apis).map(([name, one]) => [
      name,
      one.minVersion === one.maxVersion ? one.minVersion : `${one.minVersion}–${one.maxVersion}`,
      requests.get(name) ?? 0,
    ]),
  ),
  'apache-kafka masks': tableOf(
    ['field', 'of', 'how', 'why'],
    masks.map(({ field, api, how, why }) => [field, api ?? 'all', how, why]),
  ),
  'apache-kafka accepted': tableOf(
    ['API', 'scenario', 'fields', 'why'],
    accepted.map((entry) => {
      const found = occurred.get(entry) ?? []
      return [
        distinct(found.map(({ api }) => api)),
        distinct(found.map(({ step }) => step.replace(/:.*/, ''))),
        distinct(found.map(({ path }) => /(\w+)(\[[^\]]*\])*$/.exec(path)?.[1] ?? 'outcome')),
        entry.why,
      ]
    }),
  ),
})

/** Whatever we tell to serve, Apache Kafka must tell too: another one would have to be asked about the rest. */
const judgeRanges = (theirs, ours, report) => {
  const names = new Map(Object.entries(apis).map(([name, { key }]) => [key, name]))
  for (const [key, { min, max }] of ours) {
    const told = theirs.get(key) ?? { min: 1, max: 0 }
    const name = `${names.get(key)}: Apache Kafka ${kafkaVersion} serves all that we tell`
    if (told.min <= min && max <= told.max) report.pass(name)
    else report.fail(name, `we tell ${min} to ${max}, Apache Kafka ${told.min} to ${told.max}`)
  }
}

/** Every version that we serve must have been asked of Apache Kafka, or this oracle is silent about it. */
const judgeCoverage = (golden, report) => {
  for (const [name, one] of Object.entries(apis)) {
    for (let version = one.minVersion; version <= one.maxVersion; version++) {
      if (golden.has(name, version)) report.pass(`${name} v${version} was answered`)
      else report.fail(`${name} v${version}`, 'Apache Kafka was not asked, or gave no answer')
    }
  }
}

const run = async ({ report, updateGolden }) => {
  const kafka = await startApacheKafka(settings)
  const bench = await startBenchBroker(settings)
  const told = await versionsOf(kafka.port)
  judgeRanges(told, await versionsOf(bench.port), report)
  const range = commonRange(told)
  const occurred = new Map()
  const requests = new Map()
  const golden = new Golden()
  const only = process.env.CONFORMANCE_SCENARIO
  for (const scenario of scenarios.filter(
    ({ name }) => only === undefined || name.includes(only),
  )) {
    const [theirs, ours] = await Promise.all(
      [kafka.port, bench.port].map((port) => runScenario(scenario, port, range)),
    )
    judge(theirs, ours, occurred, report)
    golden.take([...theirs.trace, ...theirs.prepared])
    for (const { api } of theirs.trace.values()) {
      if (api !== undefined) requests.set(api, (requests.get(api) ?? 0) + 1)
    }
  }
  await Promise.all([kafka.stop(), bench.stop()])
  if (only !== undefined) return
  judgeCoverage(golden, report)
  for (const entry of accepted.filter((one) => !occurred.has(one))) {
    report.fail(`accepted difference ${entry.step}`, 'it did not occur: take it off the list')
  }
  for (const mask of masks.filter((one) => !usedMasks.has(one))) {
    report.fail(`mask ${mask.field}`, 'no such field was answered: take it off the list')
  }
  if (updateGolden) golden.save(kafkaVersion)
  for (const [name, content] of Object.entries(documentSections(requests, occurred))) {
    const fault = documentFault(name, content, updateGolden)
    if (fault === null) report.pass(`docs: ${name}`)
    else report.fail(`docs: ${name}`, fault)
  }
}

export default { name: 'apache-kafka', needs: ['java', 'mvn'], run }

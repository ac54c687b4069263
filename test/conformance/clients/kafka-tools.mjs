// The tools that come with Apache Kafka, unchanged: what they print is held against what was sent.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { jarsOf, jvmFlags } from '../maven.mjs'
import { runProcess, startProcess } from '../processes.mjs'
import { equal } from './equal.mjs'

/** In 4.4.0 they are not at Maven Central. */
const versions = ['4.3.1', '3.9.1']
export const toolNeeds = ['java', 'mvn']

/** The columns of their table. */
export const toolColumns = [
  'VerifiableProducer',
  'three VerifiableConsumers',
  'ProducerPerformance',
  'ConsumerPerformance',
]

const [verifiableCount, performanceCount] = [600, 20_000]
const allCount = verifiableCount + performanceCount
const partitions = 3

/** By version, the start of the command that runs a tool. */
export const prepareTools = async () => {
  const commands = []
  for (const version of versions) {
    const jars = await jarsOf('org.apache.kafka:kafka-tools', version)
    const command = (tool) => [
      ...jvmFlags(256),
      '-cp',
      `${jars}/*`,
      `org.apache.kafka.tools.${tool}`,
    ]
    commands.push({ version, command })
  }
  return commands
}

const runTool = (state, tool, args) =>
  runProcess('java', [...state.command(tool), ...args], { timeoutMs: 60_000 })

const eventsIn = (text) =>
  text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))

const produceVerifiably = async (state) => {
  const { server, topic } = state
  const count = ['--max-messages', verifiableCount, '--throughput', -1]
  // The same few keys again and again, so that each partition gets some.
  const args = ['--bootstrap-server', server, '--topic', topic, ...count, '--repeating-keys', 30]
  const { sent, acked } = eventsIn(await runTool(state, 'VerifiableProducer', args)).at(-1)
  equal('sent and acked', [sent, acked], [verifiableCount, verifiableCount])
}

const producePerformance = async (state) => {
  const records = ['--num-records', performanceCount, '--record-size', 100, '--throughput', -1]
  const config = ['--producer-props', `bootstrap.servers=${state.server}`, 'acks=all']
  const args = ['--topic', state.topic, ...records, ...config]
  const output = await runTool(state, 'ProducerPerformance', args)
  equal('its last line', /(\d+) records sent.*99\.9th/.exec(output)?.[1], String(performanceCount))
}

const consumePerformance = async (state) => {
  const { server, topic } = state
  const args = ['--bootstrap-server', server, '--topic', topic, '--messages', allCount]
  const output = await runTool(state, 'ConsumerPerformance', args)
  const [head, figures] = output.trim().split('\n').slice(-2)
  const at = head.split(', ').indexOf('data.consumed.in.nMsg')
  equal('data.consumed.in.nMsg', figures.split(', ')[at], String(allCount))
}

/** A VerifiableConsumer with the events that it has told. */
const startMember = (state, group) => {
  const { server, topic, command } = state
  const where = ['--bootstrap-server', server, '--topic', topic, '--group-id', group]
  const args = [...command('VerifiableConsumer'), ...where, '--reset-policy', 'earliest']
  const child = startProcess('java', args)
  const events = []
  createInterface({ input: child.stdout }).on('line', (line) => events.push(...eventsIn(line)))
  const consumed = () => events.filter((event) => event.name === 'records_consumed')
  const count = () => consumed().reduce((sum, event) => sum + event.count, 0)
  return { child, events, consumed, count }
}

const countOf = (members) => members.reduce((sum, member) => sum + member.count(), 0)

const until = async (what, isSo) => {
  for (let tries = 0; tries < 300; tries++) {
    if (await isSo()) return
    await sleep(100)
  }
  throw new Error(what())
}

/** Each offset of a partition from 0 on once, whoever read it. */
const oncePerOffset = (members) => {
  const ranges = members.flatMap((member) => member.consumed().flatMap((event) => event.partitions))
  const next = new Map()
  for (const { partition, count, minOffset, maxOffset } of ranges.toSorted(
    (a, b) => a.minOffset - b.minOffset,
  )) {
    equal(`next offset of partition ${partition}`, minOffset, next.get(partition) ?? 0)
    equal(`records up to offset ${maxOffset}`, count, maxOffset - minOffset + 1)
    next.set(partition, maxOffset + 1)
  }
}

/** Some records are there before, the others come from ProducerPerformance when each member has a partition. */
const consumeVerifiably = async (state) => {
  const { broker, topic } = state
  const group = `${topic}-group`
  const members = [startMember(state, group)]
  const read = () => `${members.map((member) => member.count()).join(', ')} records were read`
  try {
    await until(read, () => countOf(members) >= verifiableCount)
    for (let more = 1; more < partitions; more++) {
      members.push(startMember(state, group))
      await sleep(1_000)
    }
    let shares = null
    await until(
      () => `the members never had a partition each; in the end ${shares}`,
      async () => {
        shares = JSON.stringify(await broker.shares(group, topic))
        return shares === '[1,1,1]'
      },
    )
    await state.check('ProducerPerformance', producePerformance)
    await until(read, () => countOf(members) >= allCount)
  } finally {
    await Promise.all(members.map((member) => member.child.stop()))
  }
  equal('records read', countOf(members), allCount)
  oncePerOffset(members)
  for (const { count, events } of members) {
    if (count() === 0) throw new Error('a member got no records')
    equal('its last event', events.at(-1)?.name, 'shutdown_complete')
    const refused = events.filter(({ name, success }) => name === 'offsets_committed' && !success)
    equal('commits that were refused', refused, [])
  }
}

/** One version of the tools, to be run against a broker: a row of their table. */
export const openTools = ({ version, command }, broker) => {
  const cells = {}
  const check = async (column, run) => {
    try {
      await run(state)
      cells[column] = { kind: 'ok' }
    } catch (error) {
      cells[column] = { kind: 'FAIL', why: error.message }
    }
  }
  const topic = `kafka-tools-${version}`
  const server = `127.0.0.1:${broker.port}`
  const client = { title: 'Apache Kafka' }
  const name = `kafka-tools ${version}`
  const state = { name, client, version, cells, check, command, broker, server, topic }
  return {
    ...state,
    async run() {
      await broker.createTopic(topic, partitions)
      await check('VerifiableProducer', produceVerifiably)
      await check('three VerifiableConsumers', consumeVerifiably)
      await check('ConsumerPerformance', consumePerformance)
    },
  }
}

// What is asked of every client. A command, with what it is given, and what it answers:
//   versions {}                                             the library's version
//   create { topic, partitions }, delete { topic }          null
//   describe { topic }                                      how many partitions
//   groups {}                                               group ids
//   group { group }                                         { state, members: how many }
//   produce { topic, partition, values, codec, idempotent } null once all are acknowledged
//   read { topic, partitions, count }                       values from the beginning, without committing
//   take { group, topic, count }                            values; commits the position behind them and leaves
//   join { group, topic }, leave {}                         null; a member that commits on its own
//   poll { ms }                                             values that came since the last poll
// Any may answer { na: why }.
import { setTimeout as sleep } from 'node:timers/promises'
import { apis } from '../../../dist/src/protocol/messages/index.js'
import { connect } from '../wire-client.mjs'
import { equal } from './equal.mjs'
import { startProgram } from './program.mjs'

const partitions = [0, 1, 2]
const perPartition = 100

const valuesOf = (prefix, count) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)

class NotAvailable extends Error {}

/** The answer; throws `NotAvailable` when the library has no such thing. */
const ask = async (program, command, given) => {
  const answer = await program.ask(command, given)
  if (answer?.na !== undefined) throw new NotAvailable(answer.na)
  return answer
}

/** Every value once: says how many are missing and how many came twice. */
const exactly = (values, expected) => {
  const distinct = new Set(values)
  const missing = expected.filter((value) => !distinct.has(value))
  const strange = [...distinct].filter((value) => !expected.includes(value))
  const counts = [missing.length, values.length - distinct.size, strange.length]
  if (counts.some((count) => count > 0)) {
    const examples = [...missing, ...strange].slice(0, 3).map((value) => value.slice(0, 40))
    const [gone, twice, other] = counts
    throw new Error(
      `${gone} missing, ${twice} duplicates, ${other} strange: ${examples.join(', ')}`,
    )
  }
}

/** Requests of our own, for what a check needs besides the client. */
export class Broker {
  constructor(port) {
    this.port = port
  }

  async ask(name, version, request, port = this.port) {
    const connection = await connect(port, 'matrix')
    try {
      return await connection.ask(name, version, request)
    } finally {
      connection.close()
    }
  }

  /** API key -> the highest version that is served. */
  async highestVersions() {
    const { apiKeys } = await this.ask('ApiVersions', 0, {})
    return new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion]))
  }

  async createTopic(name, numPartitions) {
    const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
    const { topics } = await this.ask('CreateTopics', 2, { topics: [topic] })
    equal(`error of creating ${name}`, topics[0].errorCode, 0)
  }

  /** How many partitions a topic has; 0 when there is none. */
  async partitionsOf(name) {
    const request = { topics: [{ name }], allowAutoTopicCreation: false }
    return (await this.ask('Metadata', 4, request)).topics[0].partitions.length
  }

  /** Of each member of a stable group, how many partitions of a topic it has; null while it is not stable. */
  async shares(group, topic) {
    const found = await this.ask('FindCoordinator', 2, { key: group, keyType: 0 })
    const { groups } = await this.ask('DescribeGroups', 0, { groups: [group] }, found.port)
    if (groups[0].groupState !== 'Stable') return null
    // Version, count of topics, name of the first, count of its partitions.
    const at = 2 + 4 + 2 + Buffer.byteLength(topic)
    return groups[0].members.map(({ memberAssignment: bytes }) =>
      bytes.length > at ? bytes.readInt32BE(at) : 0,
    )
  }
}

const topics = async ({ name, program, broker }) => {
  const topic = `${name}-made`
  await ask(program, 'create', { topic, partitions: 3 })
  equal('partitions of the broker', await broker.partitionsOf(topic), 3)
  equal('described partitions', await ask(program, 'describe', { topic }), 3)
  await ask(program, 'delete', { topic })
  equal('partitions after deleting', await broker.partitionsOf(topic), 0)
}

const produceAll = async (program, topic, prefix, idempotent) => {
  const all = []
  for (const partition of partitions) {
    const values = valuesOf(`${prefix}-${partition}`, perPartition)
    all.push(...values)
    await ask(program, 'produce', { topic, partition, values, codec: 'none', idempotent })
  }
  return all
}

const produceAndRead =
  (kind, idempotent) =>
  async ({ name, program, broker }) => {
    const topic = `${name}-${kind}`
    await broker.createTopic(topic, partitions.length)
    const expected = await produceAll(program, topic, kind, idempotent)
    const asked = { topic, partitions: partitions.length, count: expected.length }
    const values = await ask(program, 'read', asked)
    exactly(values, expected)
    for (const partition of partitions) {
      const start = `${kind}-${partition}-`
      const inOrder = expected.filter((value) => value.startsWith(start))
      equal(
        `partition ${partition}`,
        values.filter((value) => value.startsWith(start)),
        inOrder,
      )
    }
  }

const pollOnce = async (members, read) => {
  const polled = await Promise.all(members.map((member) => ask(member, 'poll', { ms: 500 })))
  for (const [i, values] of polled.entries()) read[i].push(...values)
}

/** Polls until each member has one partition. */
const pollUntilShared = async (members, read, broker, group, topic) => {
  let shares = null
  for (let tries = 0; tries < 60; tries++) {
    shares = JSON.stringify(await broker.shares(group, topic))
    if (shares === '[1,1,1]') return
    await pollOnce(members, read)
  }
  throw new Error(`the members never had a partition each; in the end ${shares}`)
}

/** Polls until `count` values have come in all, and a second longer for what should not come. */
const pollUntil = async (members, read, count) => {
  for (let tries = 0; tries < 40 && read.flat().length < count; tries++)
    await pollOnce(members, read)
  await pollOnce(members, read)
  await pollOnce(members, read)
}

/** Three members, a second apart; half of the records are there before, the other half comes when each has a partition. */
const groupOfThree = async ({ name, program, broker, start }) => {
  const [topic, group] = [`${name}-shared`, `${name}-three`]
  await broker.createTopic(topic, partitions.length)
  const expected = await produceAll(program, topic, 'before', false)
  const members = [start(), start(), start()]
  // So that a slow start of the programs does not add to the second between them.
  for (const member of members) await ask(member, 'versions')
  const read = [[], [], []]
  for (const [i, member] of members.entries()) {
    if (i > 0) await sleep(1_000)
    await ask(member, 'join', { group, topic })
  }
  await pollUntilShared(members, read, broker, group, topic)
  // A fetch that was under way when its partition moved may still deliver what comes now (platformatic).
  await pollOnce(members, read)
  expected.push(...(await produceAll(program, topic, 'after', false)))
  await pollUntil(members, read, expected.length)
  exactly(read.flat(), expected)
  const lowest = Math.min(...read.map((values) => values.length))
  if (lowest < perPartition) throw new Error(`a member got ${lowest} records`)
  return { group, members }
}

const describes = async (program, group, state, members) => {
  const described = await ask(program, 'group', { group })
  equal('state of the group', described.state, state)
  equal('members of the group', described.members, members)
}

const groups = async ({ program, three }) => {
  if (three === undefined) throw new Error('there was no group of three')
  const { group, members } = three
  const listed = await ask(program, 'groups')
  if (!listed.includes(group)) throw new Error(`${group} is not among ${listed}`)
  await describes(program, group, 'Stable', 3)
  for (const member of members.splice(0)) {
    await ask(member, 'leave')
    await member.stop()
  }
  await describes(program, group, 'Empty', 0)
}

const resumeValues = valuesOf('resume', 20)

const commit = async ({ name, program, broker }) => {
  const topic = `${name}-resumed`
  await broker.createTopic(topic, 1)
  const given = { topic, partition: 0, values: resumeValues, codec: 'none', idempotent: false }
  await ask(program, 'produce', given)
  const values = await ask(program, 'take', { group: `${name}-resume`, topic, count: 7 })
  equal('the first seven', values, resumeValues.slice(0, 7))
}

const resume = async ({ name, program }) => {
  const asked = { group: `${name}-resume`, topic: `${name}-resumed`, count: 13 }
  equal('what is left', await ask(program, 'take', asked), resumeValues.slice(7))
}

const codecTopic = (codec) => `all-${codec}`
/** Small ones, one that is larger than the blocks of snappy and lz4, and one that hardly becomes smaller. */
const codecValues = (name, codec) => {
  let seed = 1
  const noise = Array.from({ length: 5_000 }, () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed.toString(36)
  })
  const long = `${name} ${codec} `.repeat(6_000)
  return [
    ...valuesOf(`${name}-${codec}`, 50),
    `${name}-long-${long}`,
    `${name}-noise-${noise.join('')}`,
  ]
}

const write = async ({ name, program }, codec) => {
  const values = codecValues(name, codec)
  const given = { topic: codecTopic(codec), partition: 0, values, codec, idempotent: false }
  await ask(program, 'produce', given)
}

/** Everything that any client has written with that codec. */
const readCodec = async ({ program, writers }, codec) => {
  const expected = writers[codec].flatMap((name) => codecValues(name, codec))
  const asked = { topic: codecTopic(codec), partitions: 1, count: expected.length }
  exactly(await ask(program, 'read', asked), expected)
}

/** The columns of the table. */
export const columns = [
  'topics',
  'produce, consume',
  'idempotent produce',
  'group of three',
  'list, describe groups',
  'commit, resume',
  'none',
  'gzip',
  'snappy',
  'lz4',
  'zstd',
]
export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** What of its floors a client misses on this broker; null when nothing. */
const lackOf = ({ client: { floors = {} }, served }) => {
  const missed = Object.entries(floors).filter(
    ([name, floor]) => floor > (served.get(apis[name].key) ?? -1),
  )
  if (missed.length === 0) return null
  return `needs ${missed.map(([name, floor]) => `${name} ≥ ${floor}`).join(', ')}`
}

/** That the client says so with an error of its own, and does not hang. */
const refuse = async (state) => {
  const why = await produceAndRead(
    'refused',
    false,
  )(state).then(
    () => 'it works in spite of its floors',
    (error) => (error.message.includes('no answer') ? error.message : null),
  )
  const cell = why === null ? { kind: 'n/a', why: state.lack } : { kind: 'FAIL', why }
  for (const column of columns) state.cells[column] = cell
}

/** Runs one check into a cell: a failure stays, so that two checks may share one. */
const check = async (state, column, run) => {
  const before = state.cells[column]
  if (before !== undefined && before.kind !== 'ok') return
  try {
    await run(state)
    state.cells[column] = { kind: 'ok' }
  } catch (error) {
    const kind = error instanceof NotAvailable ? 'n/a' : 'FAIL'
    state.cells[column] = { kind, why: error.message }
  }
}

/** What comes before the broker's restart. */
export const firstHalf = async (state) => {
  state.version = await ask(state.program, 'versions')
  state.lack = lackOf(state)
  if (state.lack !== null) return refuse(state)
  await check(state, 'topics', topics)
  await check(state, 'produce, consume', produceAndRead('plain', false))
  await check(state, 'idempotent produce', produceAndRead('idempotent', true))
  await check(state, 'group of three', async () => {
    state.three = await groupOfThree(state)
  })
  await check(state, 'list, describe groups', groups)
  await check(state, 'commit, resume', commit)
  for (const codec of codecs) {
    if (codec !== 'none' && !state.client.codecs.includes(codec)) {
      state.cells[codec] = { kind: 'n/a', why: `it has no ${codec} on this version of Node` }
      continue
    }
    await check(state, codec, () => write(state, codec))
    if (state.cells[codec].kind === 'ok') state.writers[codec].push(state.name)
  }
}

const readOrNot = async (state, codec, whyNot) => {
  if (whyNot === undefined) return readCodec(state, codec)
  let hasRead = true
  await readCodec(state, codec).catch(() => {
    hasRead = false
  })
  if (hasRead) throw new Error('it can read that now')
  throw new NotAvailable(whyNot)
}

/** What comes after it. */
export const secondHalf = async (state) => {
  if (state.lack !== null) return
  const { cannotRead = {} } = state.client
  await check(state, 'commit, resume', resume)
  for (const codec of codecs) {
    await check(state, codec, () => readOrNot(state, codec, cannotRead[codec]))
  }
}

/** A client with its main program running; `start` makes another. `shared`: `{ broker, served, writers }`. */
export const openClient = (name, client, commandOf, shared) => {
  const programs = []
  const start = () => {
    const program = startProgram(commandOf(shared.broker.port))
    programs.push(program)
    return program
  }
  const close = () => Promise.all(programs.map((program) => program.stop()))
  return { ...shared, name, client, cells: {}, start, close, program: start() }
}

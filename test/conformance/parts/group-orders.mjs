// Random orders of what members of a group do, played to Apache Kafka and to the embedded broker at the same moments.
// CONFORMANCE_SEED plays the orders of another seed; a failure names the order, and its events can be read from it.
import { setTimeout as sleep } from 'node:timers/promises'
import { startApacheKafka } from '../apache-kafka.mjs'
import { startBenchBroker } from '../processes.mjs'
import { connect, readAnswer } from '../wire-client.mjs'

const seed = Number(process.env.CONFORMANCE_SEED ?? 1)
const orderCount = 500
const atOnce = 50
const eventsPerOrder = 12
/** Events are this far apart, and each timeout ends a quarter of it after an event, so that no timer meets an event. */
const stepMs = 300
const timeouts = { initialDelayMs: 375, rebalanceMs: 975, sessionMs: 1_575 }
/** After the last event: long enough for a rebalance to end. */
const tailMs = 1_500

const settings = {
  'group.initial.rebalance.delay.ms': timeouts.initialDelayMs,
  'group.min.session.timeout.ms': 500,
}

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
const randomOf = (start) => {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

const kinds = ['join', 'join', 'join', 'join', 'sync', 'sync', 'sync', 'heartbeat', 'heartbeat']
const rareKinds = ['leave', 'change', 'commit', 'forget']

/** One order: the JoinGroup version, which member is static, and `[member, kind]` for each event. */
const orderOf = (number) => {
  const random = randomOf(seed * 100_003 + number)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const version = pick([2, 5, 5, 9])
  const isStatic = version >= 5 && random() < 0.3
  // Without a group most of what could follow would be refused alike.
  const start = [
    ['A', 'join'],
    [pick(['A', 'B']), 'join'],
  ]
  const events = Array.from({ length: eventsPerOrder - start.length }, () => [
    pick(['A', 'A', 'B', 'B', 'C']),
    pick(random() < 0.2 ? rareKinds : kinds),
  ])
  return { number, version, staticMember: isStatic ? 'B' : null, events: [...start, ...events] }
}

const nameOf = ({ number, version, staticMember, events }) =>
  `order ${number} of seed ${seed} (JoinGroup v${version}${staticMember === null ? '' : `, ${staticMember} is static`}): ` +
  events.map(([member, kind]) => `${member} ${kind}`).join(', ')

/** What a member knows and says. */
class Player {
  constructor(port, group, name, { version, staticMember }) {
    Object.assign(this, { port, group, name, version })
    this.instance = staticMember === name ? name : null
    this.metadata = Buffer.from('00000000000100026f6fffffffff', 'hex')
    this.id = ''
    this.generation = -1
    this.members = []
    /** The join that is under way, by number; 0 for none. */
    this.joining = 0
    this.joinCount = 0
  }

  async ask(api, version, request) {
    const connection = await connect(this.port, this.name)
    const frame = await connection.request(api, version, request, 60_000)
    connection.close()
    if (typeof frame === 'symbol') return null
    const { value, fault } = readAnswer(api, version, frame)
    if (fault !== null) throw new Error(`${api} v${version}: ${fault}`)
    return value
  }

  get identity() {
    return { groupId: this.group, memberId: this.id, groupInstanceId: this.instance }
  }

  async join() {
    // Before version 4 each join without an id makes a new member, of which only the last would be known here.
    if (this.joining > 0 && this.id === '') return ['not sent']
    this.joinCount++
    const number = this.joinCount
    this.joining = number
    const answer = await this.ask('JoinGroup', this.version, {
      ...this.identity,
      sessionTimeoutMs: timeouts.sessionMs,
      rebalanceTimeoutMs: timeouts.rebalanceMs,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: this.metadata }],
    })
    if (this.joining === number) this.joining = 0
    const { errorCode, generationId, leader, memberId, members } = answer
    if (errorCode === 0 || errorCode === 79) this.id = memberId
    if (errorCode === 25) this.id = ''
    if (errorCode !== 0) return [errorCode]
    this.generation = generationId
    this.members = members.map((one) => one.memberId)
    return [errorCode, generationId, leader === memberId ? 'leads' : 'follows', members.length]
  }

  async sync() {
    const { errorCode, assignment } = await this.ask('SyncGroup', 3, {
      ...this.identity,
      generationId: this.generation,
      assignments: this.members.map((memberId) => ({
        memberId,
        assignment: Buffer.from(`${this.name}${this.generation}`),
      })),
    })
    return [errorCode, assignment.toString()]
  }

  async heartbeat() {
    const generationId = this.generation
    return [(await this.ask('Heartbeat', 3, { ...this.identity, generationId })).errorCode]
  }

  async leave() {
    const { errorCode, members } = await this.ask('LeaveGroup', 3, {
      groupId: this.group,
      members: [{ memberId: this.id, groupInstanceId: this.instance }],
    })
    return [errorCode, members[0]?.errorCode]
  }

  async commit() {
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
    const { topics } = await this.ask('OffsetCommit', 7, {
      ...this.identity,
      generationIdOrMemberEpoch: this.generation,
      topics: [{ name: 'oo', partitions }],
    })
    return [topics[0].partitions[0].errorCode]
  }

  change() {
    this.metadata = Buffer.from(this.metadata)
    this.metadata[this.metadata.length - 5] ^= 1
    return this.join()
  }

  /** Comes back as a program that was started anew. */
  forget() {
    this.id = ''
    this.generation = -1
    this.members = []
    return this.join()
  }
}

/** Plays one order; what came of each event as text, in the order of the events, and the group in the end. */
const play = async (order, port, attempt) => {
  const group = `order-${order.number}-${attempt}`
  const players = new Map(
    ['A', 'B', 'C'].map((name) => [name, new Player(port, group, name, order)]),
  )
  const outcomes = order.events.map(() => 'parked')
  const startedMs = performance.now()
  for (const [i, [name, kind]] of order.events.entries()) {
    await sleep(Math.max(0, startedMs + i * stepMs - performance.now()))
    const player = players.get(name)
    player[kind]().then(
      (answer) => {
        outcomes[i] = answer.join(' ')
      },
      (error) => {
        outcomes[i] = error.message
      },
    )
  }
  await sleep(tailMs)
  const { groups } = await players.get('A').ask('DescribeGroups', 5, { groups: [group] })
  return [...outcomes, `in the end ${groups[0].groupState} ${groups[0].members.length}`]
}

/**
 * Kafka forgets a request that is parked when the same member repeats it, and a parked sync when its member is removed;
 * here they are answered REBALANCE_IN_PROGRESS and UNKNOWN_MEMBER_ID.
 */
const isForgotten = ({ events }, at, theirs, ours) => {
  const [member, kind] = events[at] ?? []
  const isRepeated = events.slice(at + 1).some(([name, later]) => {
    return name === member && (kind === 'sync') === (later === 'sync')
  })
  const codes = [isRepeated ? '27' : '', kind === 'sync' ? '25' : '']
  return theirs === 'parked' && codes.includes(ours.trim())
}

/** When its leader is gone, Kafka takes the next one from a hash table: from there on the two go different ways. */
const isAnotherLeader = (theirs, ours) => {
  const [, generation, role] = theirs.split(' ')
  const [, ownGeneration, ownRole] = ours.split(' ')
  const roles = [role, ownRole].toSorted((a, b) => (a < b ? -1 : 1)).join(' ')
  return Number(generation) > 1 && generation === ownGeneration && roles === 'follows leads'
}

const firstDifference = (order, theirs, ours) => {
  for (const [i, outcome] of theirs.entries()) {
    if (outcome === ours[i] || isForgotten(order, i, outcome, ours[i])) continue
    if (isAnotherLeader(outcome, ours[i])) return null
    const [member, kind] = order.events[i] ?? ['the', 'group']
    return `event ${i + 1}, ${member} ${kind}: Apache Kafka ${outcome}, embedded broker ${ours[i]}`
  }
  return null
}

/** The orders that end differently, with how. */
const playAll = async (orders, ports, attempt) => {
  const different = []
  for (let from = 0; from < orders.length; from += atOnce) {
    await Promise.all(
      orders.slice(from, from + atOnce).map(async (order, i) => {
        // Not all at the same moment, so that no answer waits behind forty-nine others.
        await sleep((i * stepMs) / atOnce)
        const [theirs, ours] = await Promise.all(ports.map((port) => play(order, port, attempt)))
        const difference = firstDifference(order, theirs, ours)
        if (difference !== null) different.push({ order, difference })
      }),
    )
  }
  return different
}

const createTopic = async (port) => {
  const connection = await connect(port, 'setup')
  const topic = { name: 'oo', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  await connection.ask('CreateTopics', 4, { topics: [topic], timeoutMs: 10_000 })
  connection.close()
  await sleep(500)
}

const run = async ({ report }) => {
  const kafka = await startApacheKafka(settings)
  const bench = await startBenchBroker(settings)
  const ports = [kafka.port, bench.port]
  await Promise.all(ports.map(createTopic))
  const orders = Array.from({ length: orderCount }, (_, number) => orderOf(number))
  // What differs is played again: a busy machine may have delayed an event past a timer.
  const doubtful = await playAll(orders, ports, 'first')
  const different = await playAll(
    doubtful.map(({ order }) => order),
    ports,
    'again',
  )
  const failed = new Map(different.map(({ order, difference }) => [order, difference]))
  for (const order of orders) {
    const difference = failed.get(order)
    if (difference === undefined) report.pass(nameOf(order))
    else report.fail(nameOf(order), difference)
  }
  await Promise.all([kafka.stop(), bench.stop()])
}

export default { name: 'group-orders', needs: ['java', 'mvn'], run }

// What a scenario speaks through: it sends requests to one broker and writes down under a label what came of each.
import { apis } from '../../dist/src/protocol/messages/index.js'
import { zeroUuid } from '../../dist/src/protocol/schema.js'
import { closed, connect, readAnswer, silent } from './wire-client.mjs'

const quiet = {
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

class Client {
  constructor(script, connection) {
    this.script = script
    this.connection = connection
  }

  /** Sends a request, writes down its outcome, and returns the decoded answer (null: closed or silent). */
  call(label, api, version, request, timeoutMs) {
    return this.begin(label, api, version, request, timeoutMs).done
  }

  /** The same without waiting: `done` becomes the answer, `parked(label, ms)` writes down whether it is still due then. */
  begin(label, api, version, request, timeoutMs) {
    const step = `${label} v${version}`
    let isDone = false
    const done = this.connection.request(api, version, request, timeoutMs).then((frame) => {
      isDone = true
      const outcome = this.script.outcomeOf(api, version, frame)
      this.script.write(step, outcome)
      return outcome.value ?? null
    })
    const parked = async (what, ms) => {
      await sleep(ms)
      this.script.write(what, { kind: isDone ? 'answered' : 'parked' })
    }
    return { done, parked }
  }

  /** Only to prepare something: nothing is written down. */
  async ask(api, version, request) {
    const frame = await this.connection.request(api, version, request)
    const outcome = this.script.outcomeOf(api, version, frame)
    this.script.prepared.push([`${api} v${version}`, outcome])
    return outcome.value ?? null
  }

  /** Sends bytes as they are and writes down whether a frame came, the connection was closed or nothing happened. */
  async raw(label, bytes, timeoutMs = 700) {
    const frame = await this.connection.send(bytes, timeoutMs)
    if (frame === closed) this.script.write(label, { kind: 'closed' })
    else if (frame === silent) this.script.write(label, { kind: 'silent' })
    else this.script.write(label, { kind: 'frame' })
    return typeof frame === 'symbol' ? null : frame
  }

  close() {
    this.connection.close()
  }
}

/** One scenario against one broker. */
export class Script {
  /** `range` gives `{ min, max }` of the versions to speak of an API, null for none. */
  constructor(name, port, range) {
    this.name = name
    this.port = port
    this.range = range
    /** Step -> `{ kind, api, version, value, body }`. */
    this.trace = new Map()
    /** Outcomes of what was only asked to prepare something, with a name each. */
    this.prepared = []
    this.faults = []
    this.clients = []
  }

  async open(clientId = 'c') {
    const client = new Client(this, await connect(this.port, clientId))
    this.clients.push(client)
    return client
  }

  write(step, outcome) {
    if (this.trace.has(step)) throw new Error(`${this.name}: two steps are called '${step}'`)
    this.trace.set(step, outcome)
  }

  /** Writes down a value that is no answer, or a part of one of `api`. */
  note(step, value, api) {
    this.write(step, { kind: 'note', value, api })
  }

  outcomeOf(api, version, frame) {
    if (frame === closed) return { kind: 'closed', api, version }
    if (frame === silent) return { kind: 'silent', api, version }
    const { value, body, fault } = readAnswer(api, version, frame)
    if (fault !== null) this.faults.push(`${api} v${version}: ${fault}`)
    return { kind: 'answer', api, version, value, body }
  }

  versions(api, from = 0, to = 99) {
    const range = this.range(apis[api])
    const versions = []
    for (let v = Math.max(range.min, from); v <= Math.min(range.max, to); v++) versions.push(v)
    return versions
  }

  /** A topic that is there and led when this returns. */
  async createTopic(client, name, numPartitions = 1, configs = []) {
    const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs }
    const created = await client.ask('CreateTopics', 4, { topics: [topic], timeoutMs: 10_000 })
    if (created.topics[0].errorCode !== 0)
      throw new Error(`${name}: ${created.topics[0].errorCode}`)
    return this.untilLed(client, name, numPartitions)
  }

  /** Waits until all of the topic's partitions have a leader; the topic's id. */
  async untilLed(client, name, numPartitions) {
    for (let tries = 0; tries < 200; tries++) {
      const request = { topics: [{ name, topicId: zeroUuid }], ...quiet }
      const { topics } = await client.ask('Metadata', 10, request)
      const led = topics[0].partitions.filter(({ errorCode }) => errorCode === 0)
      if (topics[0].errorCode === 0 && led.length === numPartitions) {
        await this.untilOpen(client, name, numPartitions)
        return topics[0].topicId
      }
      await sleep(20)
    }
    throw new Error(`${name} got no leaders`)
  }

  /** Waits until every partition answers: Kafka tells the leader a little before that one knows. */
  async untilOpen(client, name, numPartitions) {
    const partitions = Array.from({ length: numPartitions }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp: -1,
    }))
    const request = { replicaId: -1, isolationLevel: 0, topics: [{ name, partitions }] }
    for (let tries = 0; tries < 200; tries++) {
      const { topics } = await client.ask('ListOffsets', 3, request)
      if (topics[0].partitions.every(({ errorCode }) => errorCode === 0)) return
      await sleep(20)
    }
    throw new Error(`${name} did not open`)
  }

  async untilGone(client, name) {
    for (let tries = 0; tries < 200; tries++) {
      const request = { topics: [{ name, topicId: zeroUuid }], ...quiet }
      const { topics } = await client.ask('Metadata', 10, request)
      if (topics[0].errorCode === 3) return
      await sleep(20)
    }
    throw new Error(`${name} did not go`)
  }

  sleep(ms) {
    return sleep(ms)
  }

  end() {
    for (const client of this.clients) client.close()
  }
}

import type {
  Acks,
  Admin,
  Consumer,
  ConsumerSink,
  Driver,
  Producer,
  ProducerSink,
  RecordRun,
  RenderedRecord,
  SendFailure,
} from '../../src/clients/driver.ts'
import { ObjectCursor } from '../../src/clients/object-cursor.ts'
import type { Clock } from '../../src/clock.ts'
import { DriverError } from '../../src/errors.ts'

/** A cluster without a network for tests of the engine: logs, groups and a driver on the test's own clock. */

type Answer =
  | 'ack'
  | 'fail'
  | 'disk-full'
  | 'unknown'
  | 'unknown-landed'
  | 'connection-lost'
  | 'silent'
  | 'ack-lost'

const lostAnswer = { isUnknown: true, isConnectionLost: false, kafkaCode: null }

const failures: Record<string, SendFailure> = {
  fail: { isUnknown: false, isConnectionLost: false, kafkaCode: 10, message: 'refused' },
  'disk-full': { isUnknown: false, isConnectionLost: false, kafkaCode: 56, message: 'disk full' },
  unknown: { ...lostAnswer, message: 'timed out' },
  'unknown-landed': { ...lostAnswer, message: 'timed out' },
  'connection-lost': { ...lostAnswer, isConnectionLost: true, message: 'connection refused' },
}

interface FakeMember {
  id: string
  sink: ConsumerSink
  held: number[]
  /** Next offset to deliver. */
  positions: Map<number, number>
  isBusy: boolean
}

interface FakeGroup {
  generation: number
  committed: Map<number, number>
  members: FakeMember[]
}

class FakeCursor extends ObjectCursor {
  readonly #records: readonly RenderedRecord[]
  #index = -1

  constructor(partition: number, from: number, records: readonly RenderedRecord[], atNs: number) {
    super({ partition, fromOffset: from, toOffset: from + records.length }, atNs)
    this.#records = records
  }

  next(): boolean {
    this.#index += 1
    const record = this.#records[this.#index]
    if (record === undefined) return false
    this.show(this.fromOffset + this.#index, record.value)
    return true
  }

  benchHeader(): Uint8Array | null {
    return this.#records[this.#index]?.header?.value ?? null
  }
}

export class FakeCluster {
  readonly clock: Clock
  readonly topics = new Map<string, RenderedRecord[][]>()
  readonly groups = new Map<string, FakeGroup>()
  readonly deletedTopics: string[] = []
  ackDelayMs = 1
  /** What becomes of a run that is sent. */
  answer: (run: RecordRun) => Answer = () => 'ack'
  /** Gives each member its partitions when the group changes. */
  assign = (members: number, partitions: number): number[][] =>
    Array.from({ length: members }, (_, member) =>
      Array.from({ length: partitions }, (_p, partition) => partition).filter(
        (partition) => partition % members === member,
      ),
    )
  /** False: members are assigned but nothing is ever delivered. */
  isDelivering = true
  recordsPerBatch = 100
  /** Of each partition; what is older is gone, and reading from there brings nothing. */
  keptRecords = Number.POSITIVE_INFINITY
  /** False: what was delivered before a rebalance is delivered again after it. */
  isCommittedAtRebalance = true
  readonly sends: (readonly RecordRun[])[] = []
  inFlightRecords = 0
  mostInFlightRecords = 0
  requests = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  log(topic: string, partition: number): RenderedRecord[] {
    const log = this.topics.get(topic)?.[partition]
    if (log === undefined) throw new DriverError('unknown topic or partition', { kafkaCode: 3 })
    return log
  }

  group(groupId: string): FakeGroup {
    const group = this.groups.get(groupId) ?? { generation: 0, committed: new Map(), members: [] }
    this.groups.set(groupId, group)
    return group
  }

  lowOffset(log: readonly RenderedRecord[]): number {
    return Math.max(0, log.length - this.keptRecords)
  }

  append(topic: string, partition: number, records: readonly RenderedRecord[]): number {
    const log = this.log(topic, partition)
    const baseOffset = log.length
    log.push(...records)
    return baseOffset
  }

  get driver(): Driver {
    return {
      name: 'fake',
      version: '1',
      assignors: ['range'],
      compressions: ['none'],
      checkProperties: () => {},
      createProducer: async (_connection, { topic, acks }, sink) =>
        this.#producer(topic, acks, sink),
      createConsumer: async (_connection, options, sink) =>
        this.#consumer(options.topic, options.groupId, options.clientId, sink),
      createReader: async (_connection, options, sink) =>
        this.#reader(options.topic, options.partitions, sink),
      createMetadataClient: async () => ({
        request: () =>
          new Promise((resolve) => this.clock.setTimer(this.ackDelayMs, () => resolve())),
        close: async () => {},
      }),
    }
  }

  #producer(topic: string, acks: Acks, sink: ProducerSink): Producer {
    const open = new Set<RecordRun>()
    const settle = (run: RecordRun): void => {
      const answer = this.answer(run)
      if (answer === 'silent') return
      open.delete(run)
      this.inFlightRecords -= run.count
      const atNs = this.clock.nowNs()
      const lands = answer === 'ack' || answer === 'unknown-landed'
      const rendered = Array.from({ length: run.count }, (_, i) => run.payload.render(run, i))
      const copies = rendered.map(({ value, header }) => ({
        value: Buffer.from(value),
        header: header && { name: header.name, value: Buffer.from(header.value) },
      }))
      const end = this.log(topic, run.partition).length
      const baseOffset = lands ? this.append(topic, run.partition, copies) : end
      const failure = failures[answer]
      if (failure === undefined) sink.onAck(run, acks === 0 ? -1 : baseOffset, atNs)
      else sink.onFailure(run, failure, atNs)
    }
    return {
      send: (runs) => {
        this.sends.push(runs)
        this.requests += 1
        sink.onRequest()
        for (const run of runs) {
          open.add(run)
          this.inFlightRecords += run.count
          this.mostInFlightRecords = Math.max(this.mostInFlightRecords, this.inFlightRecords)
        }
        this.clock.setTimer(this.ackDelayMs, () => runs.forEach(settle))
      },
      close: async () => {
        for (const run of open) sink.onFailure(run, failures['unknown'] as SendFailure, 0)
        open.clear()
      },
    }
  }

  /** Delivers what is there to one reader of fixed positions, one batch per partition and 10 ms. */
  #deliver(topic: string, member: FakeMember): void {
    const step = async (): Promise<void> => {
      const log = this.topics.get(topic)
      for (const partition of this.isDelivering && log ? [...member.held] : []) {
        const from = member.positions.get(partition) ?? 0
        const all = log?.[partition] ?? []
        const to = from < this.lowOffset(all) ? from : from + this.recordsPerBatch
        const records = all.slice(from, to)
        member.sink.onFetch(1_000_000, records.length > 0)
        if (records.length === 0) continue
        await member.sink.onBatch(new FakeCursor(partition, from, records, this.clock.nowNs()))
        if (member.held.includes(partition)) member.positions.set(partition, from + records.length)
      }
      if (member.isBusy) this.clock.setTimer(10, () => void step())
    }
    member.isBusy = true
    this.clock.setTimer(10, () => void step())
  }

  #reader(
    topic: string,
    partitions: readonly { partition: number; fromOffset: number }[],
    sink: ConsumerSink,
  ): Consumer {
    const member: FakeMember = {
      id: 'reader',
      sink,
      held: partitions.map(({ partition }) => partition),
      positions: new Map(partitions.map(({ partition, fromOffset }) => [partition, fromOffset])),
      isBusy: false,
    }
    return {
      start: async () => this.#deliver(topic, member),
      commit: async () => {},
      close: async () => {
        member.isBusy = false
      },
    }
  }

  /** All members commit what was delivered to them, then get the next generation after 100 ms. */
  #rebalance(topic: string, group: FakeGroup): void {
    for (const member of group.members) {
      for (const [partition, position] of member.positions) {
        const isHeld = member.held.includes(partition)
        if (isHeld && this.isCommittedAtRebalance) group.committed.set(partition, position)
      }
      member.held = []
      member.positions.clear()
      member.sink.onGroupEvent({ type: 'revoked', atNs: this.clock.nowNs() })
    }
    group.generation += 1
    const generation = group.generation
    this.clock.setTimer(100, () => {
      if (generation !== group.generation) return
      const shares = this.assign(group.members.length, this.topics.get(topic)?.length ?? 0)
      group.members.forEach((member, index) => {
        member.held = shares[index] ?? []
        for (const partition of member.held) {
          member.positions.set(partition, group.committed.get(partition) ?? 0)
        }
        const { id: memberId, held: partitions } = member
        const atNs = this.clock.nowNs()
        member.sink.onGroupEvent({ type: 'assigned', memberId, generation, partitions, atNs })
      })
    })
  }

  #consumer(topic: string, groupId: string, id: string, sink: ConsumerSink): Consumer {
    const member: FakeMember = { id, sink, held: [], positions: new Map(), isBusy: false }
    const group = this.group(groupId)
    return {
      start: async () => {
        group.members.push(member)
        this.#rebalance(topic, group)
        this.#deliver(topic, member)
      },
      commit: async (positions) => {
        for (const [partition, position] of positions) group.committed.set(partition, position)
      },
      close: async () => {
        member.isBusy = false
        member.held = []
        sink.onGroupEvent({ type: 'left', atNs: this.clock.nowNs() })
        group.members = group.members.filter((other) => other !== member)
        if (group.members.length > 0) this.#rebalance(topic, group)
      },
    }
  }

  get admin(): Admin {
    return {
      brokerVersion: async () => 'fake 1',
      partitionCount: async (topic) => this.topics.get(topic)?.length ?? null,
      createTopic: async (topic, partitions) => {
        if (this.topics.has(topic)) throw new DriverError('topic exists', { kafkaCode: 36 })
        this.topics.set(
          topic,
          Array.from({ length: partitions }, () => []),
        )
      },
      deleteTopic: async (topic) => {
        this.topics.delete(topic)
        this.deletedTopics.push(topic)
      },
      watermarks: async (topic) =>
        (this.topics.get(topic) ?? []).map((log, partition) => ({
          partition,
          low: this.lowOffset(log),
          high: log.length,
        })),
      committedOffsets: async (groupId, topic) =>
        new Map(
          (this.topics.get(topic) ?? []).map((_log, partition) => [
            partition,
            this.group(groupId).committed.get(partition) ?? -1,
          ]),
        ),
      setCommittedOffsets: async (groupId, _topic, offsets) => {
        for (const [partition, offset] of offsets) {
          this.group(groupId).committed.set(partition, offset)
        }
      },
      groupMembers: async (groupId) => this.group(groupId).members.map((member) => member.id),
      deleteGroup: async (groupId) => void this.groups.delete(groupId),
      listTopics: async () => [...this.topics.keys()],
      listGroups: async () => [...this.groups.keys()],
      close: async () => {},
    }
  }
}

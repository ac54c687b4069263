/**
 * Produces through the library's `Producer.send`, one send per leader. What it cannot do right is done here: its own
 * retry sends partitions again that were acked, and its sequences go wrong after a failure that may have landed.
 */
import { type Clock, sleep, type Timer } from '../../clock.ts'
import type {
  ConnectionOptions,
  Producer,
  ProducerOptions,
  ProducerSink,
  RecordRun,
  SendFailure,
} from '../driver.ts'
import { redact } from '../security.ts'
import {
  baseOptions,
  closeWithin,
  dropConnections,
  neededApis,
  probe,
  retryOptions,
  type Surroundings,
} from './connection.ts'
import {
  describe,
  isConnectionLoss,
  isTimedOutRequest,
  mayBeWritten,
  type PartitionAnswer,
  partitionAnswersOf,
} from './errors.ts'
import type { Library, LibraryProducer, MessageToProduce } from './library.ts'

/** Refusals of a broker that is not, or not fully, the leader: certain, and another attempt may succeed. */
const leadershipCodes = new Set([5, 6, 19, 74, 75])
/** The records may be in the log: an unknown error, a timeout, too few replicas after append, a repeated sequence. */
const mayHaveLandedCodes = new Set([-1, 7, 20, 46])
/** With fewer the library would retry for ever. */
const leastIdempotentRetries = 2

interface Parcel {
  readonly run: RecordRun
  readonly delivery: Delivery
  mayHaveLanded: boolean
}

/** The parcels of one `send`, by partition; one leaves when its run has ended. */
interface Delivery {
  readonly open: Map<number, Parcel>
  timer: Timer
}

interface Refusal {
  failure: SendFailure
  mayRetry: boolean
}

type Refuse = (parcel: Parcel, refusal: Refusal) => void

class PlatformaticProducer implements Producer {
  readonly #library: Library
  readonly #client: LibraryProducer
  readonly #connection: ConnectionOptions
  readonly #options: ProducerOptions
  readonly #sink: ProducerSink
  readonly #clock: Clock
  readonly #deliveries = new Set<Delivery>()
  readonly #closing = new AbortController()
  /** The idempotent producer has one delivery under way at a time: the library counts sequences when it is acked. */
  #previous: Promise<void> = Promise.resolve()
  #needsIdentity = false

  constructor(
    { library, clock }: Surroundings,
    connection: ConnectionOptions,
    options: ProducerOptions,
    sink: ProducerSink,
  ) {
    const base = baseOptions(connection)
    const { isIdempotent } = options
    this.#library = library
    this.#client = new library.Producer({
      ...base,
      idempotent: isIdempotent,
      // Only a repeated batch with a sequence is dropped by the broker.
      retries: isIdempotent ? Math.max(leastIdempotentRetries, base.retries) : 0,
    })
    this.#client.on('error', () => {})
    this.#connection = connection
    this.#options = options
    this.#sink = sink
    this.#clock = clock
  }

  send(runs: readonly RecordRun[]): void {
    if (runs.length === 0) return
    const open = new Map<number, Parcel>()
    const timer = this.#clock.setTimer(this.#options.messageTimeoutMs, () => {
      this.#giveUp(delivery, `no ack within ${this.#options.messageTimeoutMs} ms`)
    })
    const delivery: Delivery = { open, timer }
    for (const run of runs) open.set(run.partition, { run, delivery, mayHaveLanded: false })
    this.#deliveries.add(delivery)
    if (this.#closing.signal.aborted) return this.#giveUp(delivery, 'the producer is closed')
    if (this.#options.isIdempotent) {
      this.#previous = this.#previous.then(() => this.#deliver(delivery))
    } else void this.#deliver(delivery)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    for (const delivery of this.#deliveries) this.#giveUp(delivery, 'the producer was closed')
    await closeWithin(this.#clock, this.#client)
  }

  /** Attempts until every run has ended. Never rejects. */
  async #deliver(delivery: Delivery): Promise<void> {
    const { retries, firstMs, longestMs } = retryOptions(this.#connection)
    let backoffMs = firstMs
    for (let attempt = 0; delivery.open.size > 0; attempt++) {
      const refusals = await this.#attempt(delivery)
      if (refusals.size > 0) this.#needsIdentity = this.#options.isIdempotent
      for (const [parcel, { failure, mayRetry }] of refusals) {
        if (!mayRetry || attempt >= retries) this.#fail(parcel, failure)
      }
      if (delivery.open.size === 0) return
      await sleep(this.#clock, backoffMs, this.#closing.signal)
      backoffMs = Math.min(backoffMs * 2, longestMs)
      this.#client.clearMetadata()
    }
  }

  /** One request per leader. Resolves to the runs that were not acked and have not ended otherwise. */
  async #attempt(delivery: Delivery): Promise<Map<Parcel, Refusal>> {
    const refusals = new Map<Parcel, Refusal>()
    const refuse: Refuse = (parcel, refusal) => {
      if (delivery.open.has(parcel.run.partition)) refusals.set(parcel, refusal)
    }
    const parcels = [...delivery.open.values()]
    try {
      if (this.#needsIdentity) await this.#client.initIdempotentProducer({})
      this.#needsIdentity = false
      const groups = await this.#groupByLeader(parcels)
      await Promise.all(groups.map((group) => this.#request(group, refuse)))
    } catch (error) {
      for (const parcel of parcels) refuse(parcel, this.#refusalOf(error))
    }
    return refusals
  }

  async #groupByLeader(parcels: readonly Parcel[]): Promise<Parcel[][]> {
    const { topic } = this.#options
    const { brokers, topics } = await this.#client.metadata({ topics: [topic] })
    const byLeader = new Map<number, Parcel[]>()
    for (const parcel of parcels) {
      const { partition } = parcel.run
      const leader = topics.get(topic)?.partitions[partition]?.leader ?? -1
      if (!brokers.has(leader)) {
        const message = `partition ${partition} of topic ${topic} has no leader`
        throw Object.assign(new Error(message), { apiId: 'LEADER_NOT_AVAILABLE', apiCode: 5 })
      }
      const group = byLeader.get(leader)
      if (group === undefined) byLeader.set(leader, [parcel])
      else group.push(parcel)
    }
    return [...byLeader.values()]
  }

  async #request(group: readonly Parcel[], refuse: Refuse): Promise<void> {
    const { topic, acks, compression, isIdempotent } = this.#options
    const sent = group.filter(({ run, delivery }) => delivery.open.has(run.partition))
    if (sent.length === 0) return
    const messages = sent.flatMap(({ run }) => render(topic, run))
    for (const parcel of sent) parcel.mayHaveLanded = true
    this.#sink.onRequest()
    let answers: Map<number, PartitionAnswer>
    try {
      const { offsets } = await this.#client.send({
        messages,
        acks,
        compression,
        idempotent: isIdempotent,
        autocreateTopics: false,
        repeatOnStaleMetadata: false,
      })
      answers = new Map(
        (offsets ?? []).map(({ partition, offset }) => [
          partition,
          { code: 0, baseOffset: Number(offset) },
        ]),
      )
    } catch (error) {
      answers = partitionAnswersOf(error)
      if (isTimedOutRequest(error)) void dropConnections(this.#client)
      if (answers.size === 0) {
        for (const parcel of sent) {
          parcel.mayHaveLanded = mayBeWritten(error)
          refuse(parcel, this.#refusalOf(error))
        }
        return
      }
    }
    this.#settle(sent, answers, refuse)
  }

  #settle(
    sent: readonly Parcel[],
    answers: ReadonlyMap<number, PartitionAnswer>,
    refuse: Refuse,
  ): void {
    const atNs = this.#clock.nowNs()
    for (const parcel of sent) {
      const { code, baseOffset } = answers.get(parcel.run.partition) ?? { code: -1, baseOffset: -1 }
      if (this.#options.acks === 0) this.#ack(parcel, -1, atNs)
      else if (code === 0) this.#ack(parcel, baseOffset, atNs)
      else {
        parcel.mayHaveLanded = mayHaveLandedCodes.has(code)
        refuse(parcel, this.#refusalOfCode(code))
      }
    }
  }

  #refusalOf(error: unknown): Refusal {
    const isConnectionLost = isConnectionLoss(error)
    const message = redact(describe(error), this.#connection)
    return {
      failure: { isUnknown: false, isConnectionLost, kafkaCode: null, message },
      mayRetry: !mayBeWritten(error) && (isConnectionLost || message.startsWith('LEADER_NOT')),
    }
  }

  #refusalOfCode(code: number): Refusal {
    const id = this.#library.protocolErrorsCodesById[code] ?? `error ${code}`
    const message = `${id}: ${this.#library.protocolErrors[id]?.message ?? 'unknown error'}`
    return {
      failure: { isUnknown: false, isConnectionLost: false, kafkaCode: code, message },
      mayRetry: leadershipCodes.has(code),
    }
  }

  #ack(parcel: Parcel, baseOffset: number, atNs: number): void {
    if (this.#end(parcel)) this.#sink.onAck(parcel.run, baseOffset, atNs)
  }

  #fail(parcel: Parcel, failure: SendFailure): void {
    if (!this.#end(parcel)) return
    const isUnknown = parcel.mayHaveLanded
    this.#sink.onFailure(parcel.run, { ...failure, isUnknown }, this.#clock.nowNs())
  }

  #giveUp(delivery: Delivery, message: string): void {
    this.#needsIdentity = this.#options.isIdempotent
    for (const parcel of delivery.open.values()) {
      this.#fail(parcel, { isUnknown: true, isConnectionLost: false, kafkaCode: null, message })
    }
  }

  /** False when the run has already ended: a late answer changes nothing. */
  #end({ run, delivery }: Parcel): boolean {
    if (!delivery.open.delete(run.partition)) return false
    if (delivery.open.size === 0) {
      delivery.timer.cancel()
      this.#deliveries.delete(delivery)
    }
    return true
  }
}

const render = (topic: string, run: RecordRun): MessageToProduce[] =>
  Array.from({ length: run.count }, (_, index) => {
    const { value, header } = run.payload.render(run, index)
    const key = run.keys?.[index]
    return {
      topic,
      partition: run.partition,
      value,
      ...(key === undefined ? {} : { key }),
      ...(header === null ? {} : { headers: new Map([[Buffer.from(header.name), header.value]]) }),
    }
  })

export const createProducer = async (
  surroundings: Surroundings,
  connection: ConnectionOptions,
  options: ProducerOptions,
  sink: ProducerSink,
): Promise<Producer> => {
  const needed = options.isIdempotent ? neededApis.idempotent : neededApis.produce
  await probe(surroundings, connection, { topics: [options.topic], needed })
  return new PlatformaticProducer(surroundings, connection, options, sink)
}

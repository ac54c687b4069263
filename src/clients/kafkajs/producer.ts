/**
 * Produces through kafkajs' cluster and its Produce requests. kafkajs' own producer is not used: it answers a request
 * with the first partition's error alone, retries what may have landed, and numbers idempotent batches wrongly after it.
 */
import type { Message } from 'kafkajs'
import { type Clock, sleep, type Timer } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type {
  ConnectionOptions,
  Producer,
  ProducerOptions,
  ProducerSink,
  RecordRun,
  SendFailure,
} from '../driver.ts'
import { redact } from '../security.ts'
import { compressionTypes } from './codecs.ts'
import { type ClusterHandle, openCluster, retryOptions } from './connection.ts'
import { describe, isConnectionLoss, rootOf, toDriverError } from './errors.ts'
import { type InnerBroker, messageOfCode, type ProduceAnswer, produce } from './internals.ts'
import { ProducerIdentity } from './producer-identity.ts'
import { numberOf } from './properties.ts'
import { WriteOrder } from './write-order.ts'

/** Refusals of a broker that is not, or not fully, the leader: certain, and another attempt may succeed. */
const leadershipCodes = new Set([5, 6, 19, 74, 75])
const unknownServerError = -1
/** The records may be in the log; also REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS_AFTER_APPEND, DUPLICATE_SEQUENCE_NUMBER. */
const mayHaveLandedCodes = new Set([unknownServerError, 7, 20, 46])

interface Parcel {
  readonly run: RecordRun
  readonly delivery: Delivery
  /** Of the idempotent producer, once it was given out. */
  sequence: number | null
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

class KafkajsProducer implements Producer {
  readonly #handle: ClusterHandle
  readonly #connection: ConnectionOptions
  readonly #options: ProducerOptions
  readonly #sink: ProducerSink
  readonly #clock: Clock
  readonly #requestTimeoutMs: number
  readonly #identity: ProducerIdentity | null
  readonly #deliveries = new Set<Delivery>()
  readonly #closing = new AbortController()
  readonly #writeOrder = new WriteOrder()
  /** The idempotent producer has one delivery under way at a time, so that sequences arrive in order. */
  #previous: Promise<void> = Promise.resolve()

  constructor(
    handle: ClusterHandle,
    connection: ConnectionOptions,
    options: ProducerOptions,
    sink: ProducerSink,
    clock: Clock,
  ) {
    this.#handle = handle
    this.#connection = connection
    this.#options = options
    this.#sink = sink
    this.#clock = clock
    this.#requestTimeoutMs = numberOf(
      connection.properties,
      'request.timeout.ms',
      connection.requestTimeoutMs,
    )
    this.#identity = options.isIdempotent ? new ProducerIdentity(handle.cluster) : null
  }

  send(runs: readonly RecordRun[]): void {
    if (runs.length === 0) return
    const open = new Map<number, Parcel>()
    const timer = this.#clock.setTimer(this.#options.messageTimeoutMs, () => {
      this.#giveUp(delivery, `no ack within ${this.#options.messageTimeoutMs} ms`)
    })
    const delivery: Delivery = { open, timer }
    for (const run of runs) {
      open.set(run.partition, { run, delivery, sequence: null, mayHaveLanded: false })
    }
    this.#deliveries.add(delivery)
    if (this.#closing.signal.aborted) return this.#giveUp(delivery, 'the producer is closed')
    if (this.#identity === null) void this.#deliver(delivery)
    else this.#previous = this.#previous.then(() => this.#deliver(delivery))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    for (const delivery of this.#deliveries) this.#giveUp(delivery, 'the producer was closed')
    await this.#handle.close()
  }

  /** Attempts until every run has ended. Never rejects. */
  async #deliver(delivery: Delivery): Promise<void> {
    const { retries, initialRetryTime, maxRetryTime } = retryOptions(this.#connection)
    let backoffMs = initialRetryTime
    for (let attempt = 0; delivery.open.size > 0; attempt++) {
      const refusals = await this.#attempt(delivery)
      for (const [parcel, { failure, mayRetry }] of refusals) {
        if (!mayRetry || attempt >= retries) this.#fail(parcel, failure)
      }
      if (delivery.open.size === 0) return
      await sleep(this.#clock, backoffMs, this.#closing.signal)
      backoffMs = Math.min(backoffMs * 2, maxRetryTime)
      // A failure shows in the next attempt.
      await this.#handle.cluster.refreshMetadata().catch(() => {})
    }
  }

  /** One request per leader. Resolves to the runs that were not acked and have not ended otherwise. */
  async #attempt(delivery: Delivery): Promise<Map<Parcel, Refusal>> {
    const refusals = new Map<Parcel, Refusal>()
    const refuse = (parcels: readonly Parcel[], refusal: Refusal) => {
      for (const parcel of parcels) {
        if (delivery.open.has(parcel.run.partition)) refusals.set(parcel, refusal)
      }
    }
    const parcels = [...delivery.open.values()]
    try {
      await this.#identity?.ready()
      await this.#handle.cluster.refreshMetadataIfNecessary()
      const byLeader = this.#groupByLeader(parcels)
      await Promise.all(
        Array.from(byLeader, ([nodeId, group]) => this.#request(nodeId, group, refuse)),
      )
    } catch (error) {
      refuse(parcels, this.#refusalOf(error, false))
    }
    return refusals
  }

  #groupByLeader(parcels: readonly Parcel[]): Map<string, Parcel[]> {
    const { topic } = this.#options
    const byPartition = new Map(parcels.map((parcel) => [parcel.run.partition, parcel]))
    const leaders = this.#handle.cluster.findLeaderForPartitions(topic, [...byPartition.keys()])
    const byLeader = new Map<string, Parcel[]>()
    for (const [nodeId, partitions] of Object.entries(leaders)) {
      const group = partitions.map((partition) => byPartition.get(partition))
      byLeader.set(
        nodeId,
        group.filter((parcel) => parcel !== undefined),
      )
      for (const partition of partitions) byPartition.delete(partition)
    }
    const [missing] = byPartition.keys()
    if (missing === undefined) return byLeader
    throw new Error(`partition ${missing} of topic ${topic} is not in the metadata`)
  }

  async #request(
    nodeId: string,
    parcels: readonly Parcel[],
    refuse: (parcels: readonly Parcel[], refusal: Refusal) => void,
  ): Promise<void> {
    const landedBefore = new Set(parcels.filter((parcel) => parcel.mayHaveLanded))
    const withdraw = (parcel: Parcel) => {
      parcel.mayHaveLanded = landedBefore.has(parcel)
      if (!parcel.mayHaveLanded) parcel.sequence = null
    }
    const turn = this.#writeOrder.take(nodeId)
    let isWritten = false
    let answer: ProduceAnswer | undefined
    try {
      const broker = (await this.#handle.cluster.findBroker({ nodeId })) as InnerBroker
      const sent = parcels.filter((parcel) => parcel.delivery.open.has(parcel.run.partition))
      if (sent.length === 0) return
      answer = await produce(broker, this.#produceArguments(sent), async () => {
        await turn.isNext
        turn.end()
        isWritten = true
        for (const parcel of sent) parcel.mayHaveLanded = true
        this.#sink.onRequest()
      })
    } catch (error) {
      if (messageOf(error) === 'Not connected') isWritten = false
      if (!isWritten) parcels.forEach(withdraw)
      refuse(parcels, this.#refusalOf(error, isWritten))
      return
    } finally {
      turn.end()
    }
    const atNs = this.#clock.nowNs()
    const answers = new Map(
      (answer?.topics ?? []).flatMap(({ partitions }) =>
        partitions.map((partition) => [partition.partition, partition] as const),
      ),
    )
    for (const parcel of parcels) {
      const own = answers.get(parcel.run.partition)
      const code = own?.errorCode ?? unknownServerError
      if (this.#options.acks === 0) this.#ack(parcel, -1, atNs)
      else if (code === 0) this.#ack(parcel, Number(own?.baseOffset), atNs)
      else {
        if (!mayHaveLandedCodes.has(code)) withdraw(parcel)
        refuse([parcel], refusalOfCode(code))
      }
    }
  }

  #produceArguments(parcels: readonly Parcel[]) {
    const { topic, acks, compression } = this.#options
    const identity = this.#identity?.current
    return {
      acks,
      timeout: this.#requestTimeoutMs,
      compression: compressionTypes[compression],
      ...(identity === undefined || identity === null ? {} : identity),
      topicData: [
        {
          topic,
          partitions: parcels.map((parcel) => {
            const { partition } = parcel.run
            parcel.sequence ??= this.#identity?.sequenceOf(partition) ?? 0
            return { partition, firstSequence: parcel.sequence, messages: render(parcel.run) }
          }),
        },
      ],
    }
  }

  /** Only the idempotent producer sends again what may have landed: the broker drops the second one. */
  #refusalOf(error: unknown, isWritten: boolean): Refusal {
    const isConnectionLost = isConnectionLoss(error)
    const isRetriable =
      rootOf(error).name.startsWith('KafkaJS') && rootOf(error).retriable !== false
    const message = redact(describe(error), this.#connection)
    return {
      failure: { isUnknown: isWritten, isConnectionLost, kafkaCode: null, message },
      mayRetry: isRetriable && (!isWritten || this.#identity !== null),
    }
  }

  #ack(parcel: Parcel, baseOffset: number, atNs: number): void {
    if (!this.#end(parcel)) return
    if (parcel.sequence !== null) this.#identity?.advance(parcel.run.partition, parcel.run.count)
    this.#sink.onAck(parcel.run, baseOffset, atNs)
  }

  #fail(parcel: Parcel, failure: SendFailure): void {
    if (!this.#end(parcel)) return
    if (parcel.mayHaveLanded) this.#identity?.forget()
    const isUnknown = parcel.mayHaveLanded
    this.#sink.onFailure(parcel.run, { ...failure, isUnknown }, this.#clock.nowNs())
  }

  #giveUp(delivery: Delivery, message: string): void {
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

const refusalOfCode = (code: number): Refusal => ({
  failure: {
    isUnknown: false,
    isConnectionLost: false,
    kafkaCode: code,
    message: messageOfCode(code),
  },
  mayRetry: leadershipCodes.has(code),
})

const render = (run: RecordRun): Message[] =>
  Array.from({ length: run.count }, (_, index) => {
    const { value, header } = run.payload.render(run, index)
    const key = run.keys?.[index] ?? null
    return header === null
      ? { key, value }
      : { key, value, headers: { [header.name]: header.value } }
  })

export const createProducer = async (
  connection: ConnectionOptions,
  options: ProducerOptions,
  sink: ProducerSink,
  clock: Clock,
): Promise<Producer> => {
  try {
    const handle = await openCluster(connection, clock, {
      topics: [options.topic],
      isolation: 'read-uncommitted',
    })
    return new KafkajsProducer(handle, connection, options, sink, clock)
  } catch (error) {
    if (rootOf(error).name !== 'KafkaJSProtocolError') throw error
    throw toDriverError(`produce to topic ${options.topic}`, error, connection)
  }
}

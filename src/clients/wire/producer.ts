/**
 * Produces: builds the requests of a turn side by side, sends them without waiting for one another, and sends again only
 * what is certainly not in the log, or what the broker would take once.
 */
import { type Clock, sleep, type Timer } from '../../clock.ts'
import { readyCompression } from '../../protocol/compression.ts'
import { errorCode } from '../../protocol/errors.ts'
import type {
  ConnectionOptions,
  Producer,
  ProducerOptions,
  ProducerSink,
  RecordRun,
} from '../driver.ts'
import { redact } from '../security.ts'
import { Batches, codecs } from './batches.ts'
import { Cluster, describe } from './cluster.ts'
import { BrokerError, ConnectionError, toConnectError, toDriverError } from './errors.ts'
import { type Lane, type Link, type Outbox, Parcel, ParcelList } from './outbox.ts'
import { type Verdict, verdictOfCode, verdictOfLoss } from './produce-failures.ts'
import type { ProduceAnswer, ProducerId } from './produce-frame.ts'
import { ProduceRequest, type RequestOwner } from './produce-request.ts'
import { askProducerId, nobody, sequenceAfter } from './producer-identity.ts'
import { numberOf, retrySettings } from './properties.ts'
import { Routes } from './routes.ts'

/** A broker remembers that many batches of an idempotent producer in each partition. */
const mostIdempotentInFlight = 5
const recordOverheadBytes = 52
/** The broker does not know the producer any more, or missed a batch of it: certainly nothing was appended. */
const lostIdentityCodes: ReadonlySet<number> = new Set([
  errorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  errorCode.UNKNOWN_PRODUCER_ID,
  errorCode.INVALID_PRODUCER_EPOCH,
])

class WireProducer implements Producer, RequestOwner {
  readonly #cluster: Cluster
  readonly #connection: ConnectionOptions
  readonly #options: ProducerOptions
  readonly #sink: ProducerSink
  readonly #clock: Clock
  readonly #batches: Batches
  readonly #mostInFlight: number
  readonly #mostRequestBytes: number
  readonly #routes: Routes
  readonly #open = new ParcelList()
  readonly #closing = new AbortController()
  #deadlineTimer: Timer | null = null
  /** Null while an idempotent producer has to get a new id before it may send. */
  #producer: ProducerId | null = nobody
  #requestsInFlight = 0
  readonly #idleRequests: ProduceRequest[] = []
  readonly #idleParcels: Parcel[] = []
  /** Partitions that have more than a request takes. */
  readonly #again: Outbox[] = []
  #nextSerial = 0
  #isRecovering = false

  constructor(
    cluster: Cluster,
    connection: ConnectionOptions,
    options: ProducerOptions,
    sink: ProducerSink,
    clock: Clock,
  ) {
    const { properties } = connection
    this.#cluster = cluster
    this.#connection = connection
    this.#options = options
    this.#sink = sink
    this.#clock = clock
    this.#batches = new Batches(codecs[options.compression], clock)
    this.#routes = new Routes(cluster, {
      topic: options.topic,
      acks: options.acks,
      timeoutMs: numberOf(properties, 'request.timeout.ms', connection.requestTimeoutMs),
    })
    const most = options.isIdempotent ? mostIdempotentInFlight : Number.POSITIVE_INFINITY
    this.#mostInFlight = Math.min(
      numberOf(properties, 'max.in.flight.requests.per.connection', most),
      most,
    )
    this.#mostRequestBytes = numberOf(properties, 'max.request.size', 2 ** 20)
  }

  /** Connects to the leaders that are there, and gets a producer id when one is needed. */
  async start(): Promise<void> {
    await readyCompression(codecs[this.#options.compression])
    await this.#routes.open()
    if (this.#options.isIdempotent) this.#producer = await askProducerId(this.#cluster)
  }

  send(runs: readonly RecordRun[]): void {
    const nowNs = runs[0]?.sentAtNs ?? 0
    for (const run of runs) this.#accept(run, nowNs)
    for (const { partition } of runs) {
      const { lane } = this.#routes.outboxOf(partition)
      if (lane !== null) this.#pump(lane, nowNs)
    }
    if (this.#deadlineTimer === null && this.#open.head !== null) this.#watchDeadlines()
  }

  #accept(run: RecordRun, nowNs: number): void {
    const outbox = this.#routes.outboxOf(run.partition)
    const deadlineNs = nowNs + this.#options.messageTimeoutMs * 1e6
    const parcel = this.#idleParcels.pop() ?? new Parcel(run, outbox)
    parcel.begin(run, outbox, this.#nextSerial++, deadlineNs)
    this.#open.push(parcel)
    if (this.#closing.signal.aborted) return this.#giveUp(parcel, 'the producer is closed')
    outbox.waiting.push(parcel)
    const { lane } = outbox
    if (lane?.isLive === true) lane.add(outbox)
    else this.#recoverSoon()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#deadlineTimer?.cancel()
    for (let parcel = this.#open.head; parcel !== null; parcel = this.#open.head) {
      this.#giveUp(parcel, 'the producer was closed')
    }
    this.#cluster.close()
  }

  onAnswer(request: ProduceRequest, bytes: Buffer, start: number, end: number): void {
    const { parcels, link, lane } = request
    const { answer, connection } = link
    const atNs = connection.receivedAtNs
    answer.open(bytes, start, end)
    this.#release(request)
    for (let index = 0; answer.next(); index++) {
      const parcel = parcelOf(request, index, answer.partition)
      if (parcel === null) continue
      this.#settle(parcel)
      if (!parcel.isOpen) continue
      if (answer.errorCode === 0) this.#ack(parcel, answer.baseOffset, atNs)
      else this.#refuseByCode(parcel, answer)
    }
    for (const parcel of parcels) {
      if (parcel.request !== request) continue
      this.#settle(parcel)
      const verdict = verdictOfCode(errorCode.UNKNOWN_SERVER_ERROR, 'not in the answer', false)
      if (parcel.isOpen) this.#refuse(parcel, verdict)
    }
    this.#keep(request)
    this.#pump(lane, atNs)
  }

  onWritten(request: ProduceRequest): void {
    const atNs = this.#clock.nowNs()
    const { lane } = request
    this.#release(request)
    for (const parcel of request.parcels) {
      this.#settle(parcel)
      if (parcel.isOpen) this.#ack(parcel, -1, atNs)
    }
    this.#keep(request)
    this.#pump(lane, atNs)
  }

  /** Keeps an answered request, and the parcels in it that have ended, for others: no memory is new while sending. */
  #keep(request: ProduceRequest): void {
    for (const parcel of request.parcels) if (!parcel.isOpen) this.#idleParcels.push(parcel)
    this.#idleRequests.push(request)
  }

  onLost(request: ProduceRequest, error: ConnectionError): void {
    const { isWritten } = request
    const { isIdempotent } = this.#options
    this.#release(request)
    const message = redact(describe(error), this.#connection)
    const verdict = verdictOfLoss(error, message, { isWritten, isIdempotent })
    for (const parcel of request.parcels) {
      this.#settle(parcel)
      if (parcel.isOpen) this.#refuse(parcel, verdict)
    }
  }

  #release(request: ProduceRequest): void {
    request.link.ring.release(request)
    request.lane.requestsInFlight -= 1
    this.#requestsInFlight -= 1
  }

  #settle(parcel: Parcel): void {
    parcel.request = null
    parcel.outbox.inFlight -= 1
  }

  // --- sending ---------------------------------------------------------------------------------------------------

  /** Sends what waits for this broker, as far as it may be in flight; `nowNs` is now. */
  #pump(lane: Lane, nowNs: number): void {
    while (lane.requestsInFlight < this.#mostInFlight && this.#producer !== null) {
      const { link } = lane
      if (link?.connection.isOpen !== true) return
      const request = this.#gather(lane, link)
      if (request === null) return
      this.#write(request, this.#producer, nowNs)
    }
    if (this.#producer === null) this.#recoverSoon()
  }

  /** A request with at most one run of each partition; null when nothing waits. */
  #gather(lane: Lane, link: Link): ProduceRequest | null {
    let request: ProduceRequest | null = null
    let count = 0
    let sizeBytes = 0
    const again = this.#again
    for (let outbox = lane.take(); outbox !== null; outbox = lane.take()) {
      const parcel = nextOpen(outbox)
      if (parcel === undefined) continue
      sizeBytes += sizeOf(parcel.run)
      if (count > 0 && sizeBytes > this.#mostRequestBytes) {
        again.push(outbox)
        break
      }
      outbox.waiting.shift()
      request ??= this.#takeRequest(lane, link)
      request.parcels[count++] = parcel
      if (outbox.waiting.size > 0) again.push(outbox)
    }
    if (again.length > 0) for (const outbox of again.splice(0)) lane.add(outbox)
    if (request !== null && request.parcels.length !== count) request.parcels.length = count
    return request
  }

  #takeRequest(lane: Lane, link: Link): ProduceRequest {
    const request = this.#idleRequests.pop() ?? new ProduceRequest(this, lane, link)
    request.lane = lane
    request.link = link
    return request
  }

  #write(request: ProduceRequest, producer: ProducerId, nowNs: number): void {
    const { parcels, lane } = request
    const { connection } = request.link
    if (this.#options.isIdempotent) parcels.forEach(takeSequence)
    request.write(this.#batches, producer, nowNs)
    for (const parcel of parcels) {
      parcel.request = request
      parcel.outbox.inFlight += 1
    }
    lane.requestsInFlight += 1
    this.#requestsInFlight += 1
    this.#sink.onRequest()
    const { bytes, start, end } = request
    if (this.#options.acks === 0) connection.enqueueUnanswered(request, bytes, start, end)
    else connection.enqueue(request, bytes, start, end)
  }

  // --- how a run ends --------------------------------------------------------------------------------------------

  #ack(parcel: Parcel, baseOffset: number, atNs: number): void {
    parcel.isOpen = false
    this.#open.remove(parcel)
    this.#sink.onAck(parcel.run, baseOffset, atNs)
  }

  #refuseByCode(parcel: Parcel, { errorCode: code, message }: ProduceAnswer): void {
    this.#refuse(parcel, verdictOfCode(code, message, this.#options.isIdempotent), code)
  }

  /** An attempt has failed: the run comes back, or has failed. */
  #refuse(parcel: Parcel, { failure, mayHaveLanded, mayRetry }: Verdict, code = 0): void {
    parcel.mayHaveLanded ||= mayHaveLanded
    parcel.failure = failure
    parcel.attempts += 1
    const isIdentityLost =
      this.#options.isIdempotent && lostIdentityCodes.has(code) && !parcel.mayHaveLanded
    // Out of order because one before it has to be sent again: then it only waits for that one.
    if (isIdentityLost && !parcel.outbox.isBlocked) this.#producer = null
    const isLast = parcel.attempts > retrySettings(this.#connection).retries
    if (isLast || !(mayRetry || isIdentityLost)) return this.#fail(parcel)
    parcel.outbox.returned.push(parcel)
    this.#recoverSoon()
  }

  #fail(parcel: Parcel): void {
    const isUnknown = parcel.isUncertain
    const { failure } = parcel
    parcel.isOpen = false
    this.#open.remove(parcel)
    // Nobody knows any more which sequence the broker expects.
    if (parcel.sequence >= 0) this.#producer = null
    const nowNs = this.#clock.nowNs()
    if (failure !== null) this.#sink.onFailure(parcel.run, { ...failure, isUnknown }, nowNs)
  }

  #giveUp(parcel: Parcel, message: string): void {
    parcel.failure = { isUnknown: true, isConnectionLost: false, kafkaCode: null, message }
    this.#fail(parcel)
  }

  #watchDeadlines(): void {
    const { head } = this.#open
    if (head === null) return
    const delayMs = Math.max(1, (head.deadlineNs - this.#clock.nowNs()) / 1e6)
    this.#deadlineTimer = this.#clock.setTimer(delayMs, () => {
      this.#deadlineTimer = null
      const nowNs = this.#clock.nowNs()
      for (let late = this.#open.head; late !== null; late = this.#open.head) {
        if (late.deadlineNs > nowNs) break
        this.#giveUp(late, `no ack within ${this.#options.messageTimeoutMs} ms`)
      }
      this.#watchDeadlines()
    })
  }

  // --- recovering ------------------------------------------------------------------------------------------------

  /** Sees to it that what cannot be sent now is, once leaders, connections and the producer id are there again. */
  #recoverSoon(): void {
    if (this.#isRecovering || this.#closing.signal.aborted) return
    this.#isRecovering = true
    void this.#recover()
  }

  async #recover(): Promise<void> {
    const { firstMs, longestMs } = retrySettings(this.#connection)
    for (let backoffMs = firstMs; this.#routes.outboxes.some((outbox) => this.#isStuck(outbox)); ) {
      await sleep(this.#clock, backoffMs, this.#closing.signal)
      if (this.#closing.signal.aborted) return
      backoffMs = Math.min(backoffMs * 2, longestMs)
      await this.#repair()
    }
    this.#isRecovering = false
  }

  #isStuck(outbox: Outbox): boolean {
    if (outbox.isEmpty) return false
    return this.#producer === null || outbox.isBlocked || outbox.lane?.isLive !== true
  }

  /** One attempt. What still cannot be sent after it has one attempt less. */
  async #repair(): Promise<void> {
    let problem = await this.#routes.repair()
    if (this.#producer === null && this.#requestsInFlight === 0) {
      await this.#renewIdentity().catch((error: unknown) => {
        problem = error
      })
    }
    for (const outbox of this.#routes.outboxes) {
      if (outbox.isEmpty) continue
      if (outbox.lane?.isLive === true && this.#producer !== null) {
        if (outbox.inFlight === 0) outbox.requeue()
        outbox.lane.add(outbox)
      } else if (problem !== null || outbox.lane === null) {
        this.#countAttempt(outbox, problem)
      }
    }
    const nowNs = this.#clock.nowNs()
    for (const lane of this.#routes.lanes) this.#pump(lane, nowNs)
  }

  #countAttempt(outbox: Outbox, problem: unknown): void {
    const { retries } = retrySettings(this.#connection)
    const error = problem ?? new BrokerError(errorCode.LEADER_NOT_AVAILABLE)
    const message = redact(describe(error), this.#connection)
    for (const parcel of outbox.unsent()) {
      if (!parcel.isOpen) continue
      parcel.attempts += 1
      const { failure } = verdictOfLoss(error, message, { isWritten: false, isIdempotent: true })
      parcel.failure = failure
      if (parcel.attempts > retries) this.#fail(parcel)
    }
    outbox.dropEnded()
  }

  /** What may be in the log under the old id would not be recognized under the new one. */
  async #renewIdentity(): Promise<void> {
    const producer = await askProducerId(this.#cluster)
    for (const outbox of this.#routes.outboxes) {
      outbox.nextSequence = 0
      for (const parcel of outbox.unsent()) {
        if (parcel.isOpen && parcel.mayHaveLanded) this.#fail(parcel)
        parcel.sequence = -1
      }
      outbox.dropEnded()
    }
    this.#producer = producer
  }
}

/** The parcel of `request` that the answer's partition number `index` is about; null when there is none, or no more. */
const parcelOf = (request: ProduceRequest, index: number, partition: number): Parcel | null => {
  let parcel = request.parcels[index]
  if (parcel?.run.partition !== partition) {
    parcel = request.parcels.find(({ run }) => run.partition === partition)
  }
  return parcel?.request === request ? parcel : null
}

const nextOpen = (outbox: Outbox): Parcel | undefined => {
  let parcel = outbox.waiting.peek()
  while (parcel !== undefined && !parcel.isOpen) {
    outbox.waiting.shift()
    parcel = outbox.waiting.peek()
  }
  return parcel
}

const sizeOf = ({ count, payload }: RecordRun): number =>
  count * ((payload.template?.valueSizeBytes ?? 0) + recordOverheadBytes)

const takeSequence = (parcel: Parcel): void => {
  if (parcel.sequence >= 0) return
  const { outbox, run } = parcel
  parcel.sequence = outbox.nextSequence
  outbox.nextSequence = sequenceAfter(outbox.nextSequence, run.count)
}

/**
 * Rejects with a `SurroundingsError` when no broker can be reached, and with a `DriverError` for what the broker says of
 * the topic or of the wish for a producer id.
 */
export const createProducer = async (
  connection: ConnectionOptions,
  options: ProducerOptions,
  sink: ProducerSink,
  clock: Clock,
): Promise<Producer> => {
  const refused = (error: unknown): unknown =>
    error instanceof BrokerError
      ? toDriverError(`produce to topic ${options.topic}`, error, connection)
      : error
  let cluster: Cluster
  try {
    cluster = await Cluster.open(connection, clock, { topics: [options.topic] })
  } catch (error) {
    throw refused(error)
  }
  try {
    const producer = new WireProducer(cluster, connection, options, sink, clock)
    await producer.start()
    return producer
  } catch (error) {
    cluster.close()
    throw error instanceof ConnectionError ? toConnectError(error, connection) : refused(error)
  }
}

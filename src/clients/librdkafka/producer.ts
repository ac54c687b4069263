/** Produces through node-rdkafka: a message per record, and a run that ends with the last delivery report of its own. */
import type { Clock } from '../../clock.ts'
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
import {
  configOf,
  connect,
  disconnectWithin,
  type LossWatch,
  type Surroundings,
  split,
  watchLoss,
} from './connection.ts'
import type { LibraryError, LibraryProducer } from './library.ts'
import { failureOf, RunReports } from './reports.ts'

/** Delivery reports are looked for so often; setInterval takes no less. */
const pollIntervalMs = 1
const closeLimitMs = 5_000

interface Report {
  offset: number
  opaque: RunReports
}

class LibrdkafkaProducer implements Producer {
  readonly #client: LibraryProducer
  readonly #connection: ConnectionOptions
  readonly #options: ProducerOptions
  readonly #sink: ProducerSink
  readonly #clock: Clock
  readonly #open = new Set<RunReports>()
  readonly #loss: LossWatch
  #isClosed = false

  constructor(
    client: LibraryProducer,
    { clock, kafkaCodes }: Surroundings,
    connection: ConnectionOptions,
    options: ProducerOptions,
    sink: ProducerSink,
  ) {
    this.#client = client
    this.#connection = connection
    this.#options = options
    this.#sink = sink
    this.#clock = clock
    client.on('delivery-report', (error: LibraryError | null, report: Report) => {
      const reports = report.opaque
      if (error) reports.onFailure(failureOf(error, kafkaCodes))
      else reports.onDelivered(report.offset)
      this.#settle(reports)
    })
    client.setPollInterval(pollIntervalMs)
    this.#loss = watchLoss(client, clock, () => this.#giveUp('all brokers are down', true))
  }

  send(runs: readonly RecordRun[]): void {
    for (const run of runs) {
      const reports = new RunReports(run)
      this.#open.add(reports)
      if (this.#isClosed) reports.onNotQueued(run.count, certain('the producer is closed'))
      else this.#queue(reports)
      this.#settle(reports)
    }
    // librdkafka does not tell its requests: each run counts as one.
    if (runs.length > 0) this.#sink.onRequest()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#loss.cancel()
    this.#giveUp('the producer was closed', false)
    await disconnectWithin(this.#clock, closeLimitMs, (done) => this.#client.disconnect(0, done))
  }

  #queue(reports: RunReports): void {
    const { run } = reports
    for (let index = 0; index < run.count; index++) {
      const { value, header } = run.payload.render(run, index)
      if (header !== null) {
        const reason = 'node-rdkafka writes only texts as header values; make --message-size larger'
        return reports.onNotQueued(run.count - index, certain(reason))
      }
      try {
        const key = run.keys?.[index] ?? null
        this.#client.produce(this.#options.topic, run.partition, value, key, null, reports)
      } catch (error) {
        return reports.onNotQueued(run.count - index, certain(messageOf(error)))
      }
    }
  }

  #settle(reports: RunReports): void {
    if (!reports.isComplete || !this.#open.delete(reports)) return
    const atNs = this.#clock.nowNs()
    const { run } = reports
    const failure = reports.failure()
    if (failure === null) {
      const baseOffset = this.#options.acks === 0 ? -1 : reports.baseOffset
      return this.#sink.onAck(run, baseOffset, atNs)
    }
    const message = redact(failure.message, this.#connection)
    this.#sink.onFailure(run, { ...failure, message }, atNs)
  }

  /** Reports that come later change nothing. */
  #giveUp(message: string, isConnectionLost: boolean): void {
    const atNs = this.#clock.nowNs()
    const failure = { isUnknown: true, isConnectionLost, kafkaCode: null, message }
    for (const { run } of this.#open) this.#sink.onFailure(run, failure, atNs)
    this.#open.clear()
  }
}

const certain = (message: string): SendFailure => ({
  isUnknown: false,
  isConnectionLost: false,
  kafkaCode: null,
  message,
})

export const createProducer = async (
  surroundings: Surroundings,
  connection: ConnectionOptions,
  options: ProducerOptions,
  sink: ProducerSink,
): Promise<Producer> => {
  const config = configOf(connection, {
    acks: options.acks,
    'compression.codec': options.compression,
    'enable.idempotence': options.isIdempotent,
    'message.timeout.ms': options.messageTimeoutMs,
    'request.timeout.ms': Math.min(connection.requestTimeoutMs, 900_000),
    // Bench lingers itself, and bounds what is in flight.
    'linger.ms': 0,
    // Otherwise it would not tell of a full disk before the message times out.
    'message.send.max.retries': 10,
    'queue.buffering.max.messages': 0,
    dr_cb: true,
  })
  const client = new surroundings.library.Producer(...split(config))
  await connect(client, connection)
  return new LibrdkafkaProducer(client, surroundings, connection, options, sink)
}

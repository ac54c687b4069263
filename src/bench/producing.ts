/** The producing side of a run: one producer, and one load with its own ledger per phase (fill, warm-up, measure). */
import type { Producer, ProducerSink, RecordRun, SendFailure } from '../clients/driver.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import type { TimelinePoint } from '../results/result.ts'
import { createPlacement } from './keys.ts'
import { Load, type LoadEnd, type LoadListener, type LoadPlan } from './load.ts'
import type { LoadFigures } from './load-figures.ts'
import { type LoadMeter, Meter } from './meter.ts'
import type { RunOptions } from './options.ts'
import { createPacer, type Share, unpaced, wholeShare } from './pacer.ts'
import { pacerOf } from './pacing.ts'
import { type BenchPayloadPlan, createPayloadPlan } from './payload.ts'
import { ProduceLedger } from './produce-ledger.ts'
import { Failures } from './produce-verdict.ts'
import type { RunContext } from './run-context.ts'
import { recordsPerBatch } from './run-queue.ts'
import { endsWithin } from './time-limit.ts'
import { openWaker, type Waker } from './waker.ts'

const closeLimitMs = 10_000

export type ProducePhase = 'fill' | 'warm-up' | 'measure'

/** Each phase of each worker has its own sequences, so that its records can be told apart in the log. */
const producerNumberOf = (phase: ProducePhase, { index }: Share): number =>
  2 * index + Number(phase === 'warm-up')

export const isMeasuredProducer = (producer: number): boolean => producer % 2 === 0

export interface Bounds {
  readonly durationMs: number | null
  readonly messageCount: number | null
}

/** What a phase was; final only when the producers are closed. */
export interface Produced {
  readonly load: LoadFigures
  /** One of each producer. */
  readonly ledgers: readonly ProduceLedger[]
  readonly end: LoadEnd
  readonly response: LatencyHistogram
  readonly service: LatencyHistogram
  readonly timeline: TimelinePoint[]
}

/** All that producing needs of a run. */
export type ProducingContext = Pick<
  RunContext,
  'driver' | 'connection' | 'clock' | 'options' | 'topic' | 'runId' | 'onProgress' | 'stop' | 'lost'
>

export interface ProducingParts {
  /** Of the load, where several produce. */
  readonly share: Share
  readonly openMeter: (phase: ProducePhase, durationMs: number | null) => LoadMeter
}

/** The meter of a run that produces in one loop. */
export const openMeter =
  ({ clock, onProgress, options, topic }: ProducingContext) =>
  (phase: ProducePhase, durationMs: number | null): Meter => {
    onProgress({ type: 'phase', phase, detail: topic.name })
    const { reportIntervalMs } = options
    return new Meter(clock, onProgress, { phase, durationMs, reportIntervalMs, group: null })
  }

export class Producing {
  readonly failures = new Failures()
  readonly produced: Produced[] = []
  readonly #context: ProducingContext
  readonly #parts: ProducingParts
  readonly #payloads: ReadonlyMap<ProducePhase, BenchPayloadPlan>
  readonly #loads: Load[] = []
  readonly #waker: Waker
  #producer: Producer | null = null

  private constructor(
    context: ProducingContext,
    parts: ProducingParts,
    payloads: ReadonlyMap<ProducePhase, BenchPayloadPlan>,
    waker: Waker,
  ) {
    this.#context = context
    this.#parts = parts
    this.#payloads = payloads
    this.#waker = waker
  }

  /** Connects, and makes the payloads of `phases` before any clock starts. */
  static async open(
    context: ProducingContext,
    phases: readonly ProducePhase[],
    epochOffsetUs: number,
    parts: ProducingParts = { share: wholeShare, openMeter: openMeter(context) },
  ): Promise<Producing> {
    const { driver, connection, clock, options, topic, runId } = context
    const payloads = new Map(
      phases.map((phase) => {
        const identity = { runId, producer: producerNumberOf(phase, parts.share), epochOffsetUs }
        return [phase, createPayloadPlan(options, identity)]
      }),
    )
    const waker = await openWaker(pacerOf(options) ?? 'timer', clock)
    const producing = new Producing(context, parts, payloads, waker)
    const { acks, compression, isIdempotent, messageTimeoutMs } = options
    const wish = { topic: topic.name, acks, compression, isIdempotent, messageTimeoutMs }
    try {
      producing.#producer = await driver.createProducer(connection, wish, producing.#sink)
    } catch (error) {
      await waker.close()
      throw error
    }
    return producing
  }

  /** Runs one phase to the end of its draining. */
  async run(phase: ProducePhase, bounds: Bounds): Promise<Produced> {
    const { options, topic, runId } = this.#context
    const { share } = this.#parts
    const meter = this.#parts.openMeter(phase, bounds.durationMs)
    const producer = producerNumberOf(phase, share)
    const ledger = new ProduceLedger(runId, producer, topic.partitionCount)
    const books = new Books(ledger, meter, this.failures, options.messageSizeBytes)
    const load = this.#createLoad(phase, bounds, books)
    this.#loads.unshift(load)
    const end = await load.run()
    meter.end()
    const { response, service } = books
    const { timeline } = meter
    const produced = { load, ledgers: [ledger], end, response, service, timeline }
    this.produced.push(produced)
    return produced
  }

  /** What is still in flight ends as unknown. */
  async close(): Promise<void> {
    const { clock } = this.#context
    if (this.#producer !== null) await endsWithin(clock, closeLimitMs, this.#producer.close())
    await this.#waker.close()
    for (const load of this.#loads) load.giveUp()
  }

  #createLoad(phase: ProducePhase, bounds: Bounds, listener: LoadListener): Load {
    const { clock, options, topic, stop, lost } = this.#context
    const { partitionCount } = topic
    const { rateRecordsPerSec } = options
    const isPaced = rateRecordsPerSec !== null && phase !== 'fill'
    const plan: LoadPlan = { ...options, ...bounds, partitionCount }
    return new Load(plan, {
      clock,
      producer: this.#producer as Producer,
      placement: createPlacement({
        ...options,
        partitionCount,
        stickyTurns: stickyTurnsOf(options),
      }),
      payload: this.#payloads.get(phase) as BenchPayloadPlan,
      pacer: isPaced ? createPacer(rateRecordsPerSec, this.#parts.share) : unpaced,
      waker: this.#waker,
      stop,
      lost,
      listener,
    })
  }

  /** A late answer belongs to the phase that sent. */
  readonly #sink: ProducerSink = {
    onAck: (run, baseOffset, atNs) => {
      for (const load of this.#loads) if (load.onAck(run, baseOffset, atNs)) return
    },
    onFailure: (run, failure, atNs) => {
      for (const load of this.#loads) if (load.onFailure(run, failure, atNs)) return
    },
    onRequest: () => {
      const [current] = this.#loads
      if (current !== undefined) current.requests += 1
    },
  }
}

/** The records, or requests of `--batch-records`, that fill a batch. */
const stickyTurnsOf = (options: RunOptions): number | null => {
  const { partitioner, messageSizeBytes, batchSizeBytes, batchRecords } = options
  if (partitioner === 'round-robin') return null
  const records = recordsPerBatch(messageSizeBytes, batchSizeBytes)
  return Math.max(1, Math.floor(records / (batchRecords ?? 1)))
}

/** What one phase notes of its records. A class, so that all phases run the same code. */
class Books implements LoadListener {
  readonly response = new LatencyHistogram()
  readonly service = new LatencyHistogram()
  readonly #ledger: ProduceLedger
  readonly #meter: LoadMeter
  readonly #failures: Failures
  readonly #messageSizeBytes: number

  constructor(
    ledger: ProduceLedger,
    meter: LoadMeter,
    failures: Failures,
    messageSizeBytes: number,
  ) {
    this.#ledger = ledger
    this.#meter = meter
    this.#failures = failures
    this.#messageSizeBytes = messageSizeBytes
  }

  takeSequences(partition: number, count: number): number {
    return this.#ledger.take(partition, count)
  }

  onAcked(run: RecordRun, baseOffset: number, atNs: number): void {
    const { partition, firstSequence, count } = run
    this.#ledger.onAck(partition, firstSequence, count, baseOffset)
    this.service.recordCount((atNs - run.sentAtNs) / 1e3, count)
    this.#recordResponses(run, atNs)
    this.#meter.addRecords(count, count * this.#messageSizeBytes)
  }

  onFailed({ partition, firstSequence, count }: RecordRun, failure: SendFailure): void {
    this.#ledger.onFailure(partition, firstSequence, count, failure.isUnknown)
    this.#failures.add(failure, count)
    this.#meter.addFailed(count)
  }

  /** Records due at the same time have waited equally long; later ones are due later. */
  #recordResponses({ intendedAtNs, count }: RecordRun, atNs: number): void {
    const isOneMoment = intendedAtNs[0] === intendedAtNs[count - 1]
    for (let index = 0; index < count; ) {
      const intendedNs = intendedAtNs[index] as number
      const first = index
      if (isOneMoment) index = count
      while (index < count && intendedAtNs[index] === intendedNs) index += 1
      const us = (atNs - intendedNs) / 1e3
      this.response.recordCount(us, index - first)
      this.#meter.addLatency(us, index - first)
    }
  }
}

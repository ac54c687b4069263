/** The producing side of a run with `--workers`: threads that each do a part, and what they did as one. */
import { SurroundingsError } from '../errors.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import type { TimelinePoint } from '../results/result.ts'
import type { LoadEnd } from './load.ts'
import type { LoadFigures } from './load-figures.ts'
import type { Meter } from './meter.ts'
import { ProduceLedger } from './produce-ledger.ts'
import { Failures } from './produce-verdict.ts'
import { type Bounds, openMeter, type Produced, type ProducePhase, Producing } from './producing.ts'
import { type RunContext, sumOf } from './run-context.ts'
import type {
  PhaseReport,
  WorkerAnswer,
  WorkerOrder,
  WorkerPool,
  WorkerThread,
} from './worker-messages.ts'

/** One loop or several. */
export interface Producers {
  readonly failures: Failures
  readonly produced: readonly Produced[]
  run(phase: ProducePhase, bounds: Bounds): Promise<Produced>
  close(): Promise<void>
}

/** Part `index` of a whole number, so that all `count` parts are the whole and none is more than one larger. */
export const partOf = (whole: number, index: number, count: number): number =>
  Math.floor(whole / count) + Number(index < whole % count)

/** What an end of one worker means for all of them, worst first. */
const endsByWeight: readonly LoadEnd[] = [
  ...(['lost', 'refused', 'stalled', 'stopped', 'duration', 'count'] as const),
]

const worstOf = (ends: readonly LoadEnd[]): LoadEnd =>
  endsByWeight.find((end) => ends.includes(end)) ?? 'stopped'

const isNumber = (value: number | null): value is number => value !== null

/** A phase of all workers; empty until they are closed. */
class PhaseOfAll implements Produced {
  readonly ledgers: ProduceLedger[] = []
  readonly response = new LatencyHistogram()
  readonly service = new LatencyHistogram()
  readonly timeline: TimelinePoint[]
  end: LoadEnd
  load: LoadFigures
  readonly #reports: PhaseReport[] = []
  readonly #lateness = new LatencyHistogram()

  constructor(end: LoadEnd, timeline: TimelinePoint[]) {
    this.end = end
    this.timeline = timeline
    this.load = this.#figures()
  }

  add(report: PhaseReport, runId: string): void {
    this.#reports.push(report)
    this.ledgers.push(ProduceLedger.of(runId, report.ledger))
    this.response.addCells(report.responseUs)
    this.service.addCells(report.serviceUs)
    this.#lateness.addCells(report.latenessUs)
    this.end = worstOf(this.#reports.map(({ end }) => end))
    this.load = this.#figures()
  }

  #figures(): LoadFigures {
    const reports = this.#reports
    const firstSentNs = Math.min(...reports.map((one) => one.firstSentNs).filter(isNumber))
    const lastAckNs = Math.max(...reports.map((one) => one.lastAckNs).filter(isNumber))
    const elapsedMs = (lastAckNs - firstSentNs) / 1e6
    return {
      sent: sumOf(reports, ({ sent }) => sent),
      acked: sumOf(reports, ({ acked }) => acked),
      failed: sumOf(reports, ({ failed }) => failed),
      unknown: sumOf(reports, ({ unknown }) => unknown),
      unsent: sumOf(reports, ({ unsent }) => unsent),
      requests: sumOf(reports, ({ requests }) => requests),
      elapsedMs: Number.isFinite(elapsedMs) ? elapsedMs : 0,
      connectionError: reports.find((one) => one.connectionError !== null)?.connectionError ?? null,
      storageError: reports.find((one) => one.storageError !== null)?.storageError ?? null,
      lateness: {
        us: this.#lateness,
        lateRecords: sumOf(reports, ({ lateRecords }) => lateRecords),
      },
    }
  }
}

type AnswerOf<Type> = Extract<WorkerAnswer, { type: Type }>

class Workers implements Producers {
  readonly failures = new Failures()
  readonly produced: PhaseOfAll[] = []
  readonly #context: RunContext
  readonly #originNs: number
  readonly #threads: readonly WorkerThread[]
  /** By thread: what is waited for. */
  readonly #awaited = new Map<WorkerThread, (answer: WorkerAnswer) => void>()
  #meter: Meter | null = null
  #fail: (error: Error) => void = () => {}
  /** Never resolves; rejects when a thread has died or could not carry out an order. */
  readonly #failure = new Promise<never>((_, reject) => {
    this.#fail = reject
  })
  readonly #onStop = (): void => this.#tellAll(() => ({ type: 'abort', why: 'stop' }))
  readonly #onLost = (): void => this.#tellAll(() => ({ type: 'abort', why: 'lost' }))

  constructor(context: RunContext, pool: WorkerPool) {
    this.#context = context
    this.#originNs = pool.originNs
    // Nobody may be waiting when it comes.
    this.#failure.catch(() => {})
    this.#threads = Array.from({ length: context.options.workers }, (_, index) => {
      const thread = pool.open(index)
      thread.onAnswer((answer) => this.#hear(thread, answer))
      thread.onDeath((reason) =>
        this.#fail(new SurroundingsError(`worker ${index + 1}: ${reason}`)),
      )
      return thread
    })
    context.stop.addEventListener('abort', this.#onStop, { once: true })
    context.lost.addEventListener('abort', this.#onLost, { once: true })
  }

  /** Rejects with a `SurroundingsError` when one of them cannot connect. */
  async open(phases: readonly ProducePhase[], epochOffsetUs: number): Promise<void> {
    const { options, connection, runId, topic } = this.#context
    const count = this.#threads.length
    await this.#ask('opened', (index) => {
      const concurrency = partOf(options.concurrency, index, count)
      const task = {
        // Else each would draw the keys and bytes of the others again.
        options: { ...options, concurrency, seed: options.seed + index },
        ...{ connection, runId, topic, share: { index, count }, phases, epochOffsetUs },
        originNs: this.#originNs,
      }
      return { type: 'open', task }
    })
    if (this.#context.stop.aborted) this.#onStop()
    if (this.#context.lost.aborted) this.#onLost()
  }

  async run(phase: ProducePhase, bounds: Bounds): Promise<Produced> {
    const { durationMs, messageCount } = bounds
    const meter = openMeter(this.#context)(phase, durationMs)
    this.#meter = meter
    const count = this.#threads.length
    try {
      const answers = await this.#ask('phase-ended', (index) => {
        const part = messageCount === null ? null : partOf(messageCount, index, count)
        return { type: 'run', phase, bounds: { durationMs, messageCount: part } }
      })
      const end = worstOf(answers.map((answer) => answer.end))
      const phaseOfAll = new PhaseOfAll(end, meter.timeline)
      this.produced.push(phaseOfAll)
      return phaseOfAll
    } finally {
      meter.end()
    }
  }

  async close(): Promise<void> {
    for (const answer of await this.#ask('closed', () => ({ type: 'close' }))) {
      this.failures.merge(answer.failures)
      for (const [index, report] of answer.phases.entries()) {
        this.produced[index]?.add(report, this.#context.runId)
      }
    }
    await this.end()
  }

  /** Ends the threads, whatever they do. */
  async end(): Promise<void> {
    this.#context.stop.removeEventListener('abort', this.#onStop)
    this.#context.lost.removeEventListener('abort', this.#onLost)
    await Promise.all(this.#threads.map((thread) => thread.end()))
  }

  /** Gives each thread its order and waits for all answers of `type`. When one fails, all end. */
  async #ask<Type extends WorkerAnswer['type']>(
    type: Type,
    orderOf: (index: number) => WorkerOrder,
  ): Promise<AnswerOf<Type>[]> {
    const answers = this.#threads.map(
      (thread) =>
        new Promise<AnswerOf<Type>>((resolve) => {
          this.#awaited.set(thread, (answer) => {
            if (answer.type === type) resolve(answer as AnswerOf<Type>)
          })
        }),
    )
    this.#tellAll(orderOf)
    try {
      return await Promise.race([Promise.all(answers), this.#failure])
    } catch (error) {
      await this.end()
      throw error
    }
  }

  #tellAll(orderOf: (index: number) => WorkerOrder): void {
    for (const [index, thread] of this.#threads.entries()) thread.post(orderOf(index))
  }

  #hear(thread: WorkerThread, answer: WorkerAnswer): void {
    if (answer.type === 'progress') {
      const { records, bytes, failed, latenciesUs } = answer.progress
      const latencies = new LatencyHistogram()
      latencies.addCells(latenciesUs)
      this.#meter?.addRecords(records, bytes)
      this.#meter?.addFailed(failed)
      this.#meter?.addLatencies(latencies)
    } else if (answer.type === 'broken') {
      const place = this.#threads.indexOf(thread) + 1
      this.#fail(new SurroundingsError(`worker ${place}: ${answer.message}`))
    } else this.#awaited.get(thread)?.(answer)
  }
}

/** The producers of the run: one in this loop, or as many threads as `--workers` says. */
export const openProducing = async (
  context: RunContext,
  phases: readonly ProducePhase[],
  epochOffsetUs: number,
): Promise<Producers> => {
  const pool = context.workers
  if (context.options.workers === 1 || pool === undefined) {
    return Producing.open(context, phases, epochOffsetUs)
  }
  const workers = new Workers(context, pool)
  await workers.open(phases, epochOffsetUs)
  return workers
}

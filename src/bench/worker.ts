/** What a thread of `--workers` does: its part of the load with connections of its own, by the orders of the run. */
import type { Driver } from '../clients/driver.ts'
import type { Clock, Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import type { Load } from './load.ts'
import type { LoadMeter } from './meter.ts'
import { type Bounds, type Produced, type ProducePhase, Producing } from './producing.ts'
import type { PhaseReport, WorkerOrder, WorkerPort, WorkerTask } from './worker-messages.ts'

export interface WorkerParts {
  readonly clock: Clock
  /** Where `clock` has its 0. */
  readonly originNs: number
  readonly loadDriver: (name: string) => Promise<Driver>
}

const progressIntervalMs = 100

/** Collects what the run's own meter is told every so often. */
class ProgressMeter implements LoadMeter {
  readonly timeline = []
  readonly #port: WorkerPort
  readonly #clock: Clock
  readonly #latencies = new LatencyHistogram()
  #records = 0
  #bytes = 0
  #failed = 0
  #timer: Timer

  constructor(port: WorkerPort, clock: Clock) {
    this.#port = port
    this.#clock = clock
    this.#timer = clock.setTimer(progressIntervalMs, this.#tell)
  }

  addRecords(records: number, bytes: number): void {
    this.#records += records
    this.#bytes += bytes
  }

  addLatency(us: number, count: number): void {
    this.#latencies.recordCount(us, count)
  }

  addFailed(records: number): void {
    this.#failed += records
  }

  end(): void {
    this.#tell()
    this.#timer.cancel()
  }

  readonly #tell = (): void => {
    const latenciesUs = this.#latencies.cells()
    const figures = { records: this.#records, bytes: this.#bytes, failed: this.#failed }
    this.#port.post({ type: 'progress', progress: { ...figures, latenciesUs } })
    this.#records = 0
    this.#bytes = 0
    this.#failed = 0
    this.#latencies.reset()
    this.#timer = this.#clock.setTimer(progressIntervalMs, this.#tell)
  }
}

class Worker {
  readonly #port: WorkerPort
  readonly #parts: WorkerParts
  readonly #stop = new AbortController()
  readonly #lost = new AbortController()
  #producing: Producing | null = null
  /** From the worker's clock to the run's. */
  #clockOffsetNs = 0

  constructor(port: WorkerPort, parts: WorkerParts) {
    this.#port = port
    this.#parts = parts
  }

  async obey(order: WorkerOrder): Promise<void> {
    try {
      if (order.type === 'open') await this.#open(order.task)
      else if (order.type === 'run') await this.#run(order.phase, order.bounds)
      else if (order.type === 'close') await this.#close()
      else if (order.why === 'stop') this.#stop.abort()
      else this.#lost.abort()
    } catch (error) {
      this.#port.post({ type: 'broken', message: messageOf(error) })
    }
  }

  async #open(task: WorkerTask): Promise<void> {
    const { options, connection, runId, topic, share, phases, epochOffsetUs } = task
    const { clock, originNs, loadDriver } = this.#parts
    this.#clockOffsetNs = originNs - task.originNs
    const context = {
      ...{ driver: await loadDriver(options.client), connection, clock, options, topic, runId },
      ...{ onProgress: () => {}, stop: this.#stop.signal, lost: this.#lost.signal },
    }
    const ownOffsetUs = epochOffsetUs + this.#clockOffsetNs / 1e3
    const openMeter = (): LoadMeter => new ProgressMeter(this.#port, clock)
    this.#producing = await Producing.open(context, phases, ownOffsetUs, { share, openMeter })
    this.#port.post({ type: 'opened' })
  }

  async #run(phase: ProducePhase, bounds: Bounds): Promise<void> {
    const { end } = await this.#opened().run(phase, bounds)
    this.#port.post({ type: 'phase-ended', end })
  }

  async #close(): Promise<void> {
    const producing = this.#opened()
    await producing.close()
    const phases = producing.produced.map((one) => this.#reportOf(one))
    this.#port.post({ type: 'closed', phases, failures: producing.failures.counts() })
  }

  #opened(): Producing {
    if (this.#producing === null) throw new Error('the worker was not opened')
    return this.#producing
  }

  #reportOf({ load, ledgers, end, response, service }: Produced): PhaseReport {
    const { sent, acked, failed, unknown, unsent, requests } = load
    const { connectionError, storageError, lateness } = load
    const { firstSentNs, lastAckNs } = load as Load
    const [ledger] = ledgers
    if (ledger === undefined) throw new Error('the worker has no ledger')
    return {
      ...{ end, sent, acked, failed, unknown, unsent, requests, connectionError, storageError },
      firstSentNs: firstSentNs === null ? null : firstSentNs + this.#clockOffsetNs,
      lastAckNs: lastAckNs === null ? null : lastAckNs + this.#clockOffsetNs,
      lateRecords: lateness.lateRecords,
      latenessUs: lateness.us.cells(),
      responseUs: response.cells(),
      serviceUs: service.cells(),
      ledger: ledger.snapshot(),
    }
  }
}

/** Serves the orders that come through `port`. */
export const serveWorker = (port: WorkerPort, parts: WorkerParts): void => {
  const worker = new Worker(port, parts)
  port.onOrder((order) => void worker.obey(order))
}

/** The latencies of acked records: over the run, and over the current interval of its timeline. */
import { LatencyHistogram } from '../results/histogram.ts'

export interface LatencyInterval {
  readonly count: number
  /** null when nothing was recorded in the interval. */
  readonly p50Us: number | null
  readonly p99Us: number | null
}

export class LatencyRecorder {
  /** Ack minus intended send time: what a user of the system waits. */
  readonly response = new LatencyHistogram()
  /** Ack minus actual send: what the system took. */
  readonly service = new LatencyHistogram()
  readonly #interval = new LatencyHistogram()

  /** All records of a run of records, acked at `ackedAtNs`. Times are monotonic ns of one clock. */
  recordRun(
    run: { readonly count: number; readonly intendedAtNs: Float64Array; readonly sentAtNs: number },
    ackedAtNs: number,
  ): void {
    this.service.recordCount((ackedAtNs - run.sentAtNs) / 1e3, run.count)
    for (let index = 0; index < run.count; index += 1) {
      this.recordResponse((ackedAtNs - (run.intendedAtNs[index] as number)) / 1e3)
    }
  }

  /** One record or operation whose service time is not told apart. */
  recordResponse(responseUs: number): void {
    this.response.record(responseUs)
    this.#interval.record(responseUs)
  }

  /** The response times since the last call, and begins a new interval. */
  takeInterval(): LatencyInterval {
    const { count } = this.#interval
    if (count === 0) return { count, p50Us: null, p99Us: null }
    const interval = {
      count,
      p50Us: this.#interval.percentile(50),
      p99Us: this.#interval.percentile(99),
    }
    this.#interval.reset()
    return interval
  }

  /** Forgets everything, as at the end of a warm-up. */
  reset(): void {
    this.response.reset()
    this.service.reset()
    this.#interval.reset()
  }
}

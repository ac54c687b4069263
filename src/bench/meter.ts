/** Cuts a phase into intervals: the points of the result's timeline, and what the live line says. */
import type { Clock, Timer } from '../clock.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import type { MemberState, Phase, ProgressListener } from '../results/progress.ts'
import type { TimelinePoint } from '../results/result.ts'

const pointIntervalMs = 1_000

/** What happened since it was last emptied. */
class Interval {
  readonly latencies = new LatencyHistogram()
  records = 0
  failed = 0
  bytes = 0
  fromNs: number

  constructor(fromNs: number) {
    this.fromNs = fromNs
  }

  add(records: number, bytes: number): void {
    this.records += records
    this.bytes += bytes
  }

  /** The figures up to `nowNs`; begins anew. */
  take(nowNs: number): {
    elapsedMs: number
    records: number
    failed: number
    bytes: number
    p50Us: number | null
    p90Us: number | null
    p99Us: number | null
    p999Us: number | null
  } {
    const { latencies, records, failed, bytes } = this
    const isEmpty = latencies.count === 0
    const [p50Us = null, p90Us = null, p99Us = null, p999Us = null] = isEmpty
      ? []
      : latencies.percentiles([50, 90, 99, 99.9])
    const figures = {
      elapsedMs: (nowNs - this.fromNs) / 1e6,
      records,
      failed,
      bytes,
      p50Us,
      p90Us,
      p99Us,
      p999Us,
    }
    if (!isEmpty) latencies.reset()
    this.records = 0
    this.failed = 0
    this.bytes = 0
    this.fromNs = nowNs
    return figures
  }
}

interface GroupState {
  /** Records still to read. */
  readonly lag: number
  readonly members: readonly MemberState[]
}

export interface MeterOptions {
  readonly phase: Phase
  readonly durationMs: number | null
  /** 0: nothing is reported. */
  readonly reportIntervalMs: number
  /** Asked at the end of every interval; null when the phase does not consume. */
  readonly group: (() => GroupState) | null
}

/** What a load tells while it goes on. */
export interface LoadMeter {
  readonly timeline: TimelinePoint[]
  addRecords(records: number, bytes: number): void
  addLatency(us: number, count: number): void
  addFailed(records: number): void
  end(): void
}

export class Meter implements LoadMeter {
  readonly timeline: TimelinePoint[] = []
  readonly #clock: Clock
  readonly #onProgress: ProgressListener
  readonly #options: MeterOptions
  readonly #startNs: number
  readonly #point: Interval
  readonly #report: Interval
  #totalRecords = 0
  #pointTimer: Timer
  #reportTimer: Timer | null

  /** Begins at once. */
  constructor(clock: Clock, onProgress: ProgressListener, options: MeterOptions) {
    this.#clock = clock
    this.#onProgress = onProgress
    this.#options = options
    this.#startNs = clock.nowNs()
    this.#point = new Interval(this.#startNs)
    this.#report = new Interval(this.#startNs)
    this.#pointTimer = clock.setTimer(pointIntervalMs, this.#endPoint)
    const { reportIntervalMs } = options
    this.#reportTimer =
      reportIntervalMs > 0 ? clock.setTimer(reportIntervalMs, this.#endReport) : null
  }

  addRecords(records: number, bytes: number): void {
    this.#totalRecords += records
    this.#point.add(records, bytes)
    this.#report.add(records, bytes)
  }

  addLatency(us: number, count: number): void {
    this.#point.latencies.recordCount(us, count)
    if (this.#reportTimer !== null) this.#report.latencies.recordCount(us, count)
  }

  addLatencies(latencies: LatencyHistogram): void {
    this.#point.latencies.add(latencies)
    if (this.#reportTimer !== null) this.#report.latencies.add(latencies)
  }

  addFailed(records: number): void {
    this.#point.failed += records
    this.#report.failed += records
  }

  /** Ends the phase; the last point may be a short one. */
  end(): void {
    this.#pointTimer.cancel()
    this.#reportTimer?.cancel()
    if (this.#clock.nowNs() > this.#point.fromNs) this.#takePoint()
  }

  readonly #endPoint = (): void => {
    this.#takePoint()
    this.#pointTimer = this.#clock.setTimer(this.#untilNext(pointIntervalMs), this.#endPoint)
  }

  /** Counted from the start of the phase, so that late timers do not add up; timers may also come a bit early. */
  #untilNext(intervalMs: number): number {
    const elapsedMs = (this.#clock.nowNs() - this.#startNs) / 1e6
    return (Math.floor(elapsedMs / intervalMs + 0.01) + 1) * intervalMs - elapsedMs
  }

  #takePoint(): void {
    const nowNs = this.#clock.nowNs()
    const { records, failed, bytes, p50Us, p99Us } = this.#point.take(nowNs)
    const group = this.#options.group?.()
    this.timeline.push({
      atMs: (nowNs - this.#startNs) / 1e6,
      ...{ records, failed, bytes, p50Us, p99Us },
      ...(group && { lag: group.lag }),
    })
  }

  readonly #endReport = (): void => {
    const { phase, durationMs, reportIntervalMs, group } = this.#options
    const { lag = null, members = [] } = group?.() ?? {}
    const nowNs = this.#clock.nowNs()
    const { elapsedMs, records, bytes, ...rest } = this.#report.take(nowNs)
    this.#onProgress({
      type: 'interval',
      phase,
      elapsedMs: (nowNs - this.#startNs) / 1e6,
      durationMs,
      records,
      bytes,
      ...rest,
      recordsPerSec: (records * 1_000) / elapsedMs,
      bytesPerSec: (bytes * 1_000) / elapsedMs,
      totalRecords: this.#totalRecords,
      lag,
      members,
    })
    this.#reportTimer = this.#clock.setTimer(this.#untilNext(reportIntervalMs), this.#endReport)
  }
}

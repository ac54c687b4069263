/**
 * The producing loop: keeps at most so many records in flight, in a closed loop or at intended times, and ends exactly
 * at its count or time. It decides nothing about what its figures mean.
 */
import type { PayloadPlan, Producer, RecordRun, SendFailure } from '../clients/driver.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Placement } from './keys.ts'
import { Lateness } from './lateness.ts'
import type { LoadFigures } from './load-figures.ts'
import type { Pacer } from './pacer.ts'
import { LoadRun, RunDraft, RunQueue } from './run-queue.ts'
import type { Waker } from './waker.ts'

export interface LoadPlan {
  readonly partitionCount: number
  readonly concurrency: number
  /** Exactly so many records per request; `concurrency` then counts requests. */
  readonly batchRecords: number | null
  readonly messageSizeBytes: number
  readonly batchSizeBytes: number
  readonly lingerMs: number
  readonly messageCount: number | null
  /** Null: no time limit, but `stallLimitMs` without an ack. */
  readonly durationMs: number | null
  readonly messageTimeoutMs: number
}

export interface LoadParts {
  readonly clock: Clock
  readonly producer: Producer
  readonly placement: Placement
  readonly payload: PayloadPlan
  readonly pacer: Pacer
  readonly waker: Waker
  readonly stop: AbortSignal
  readonly lost: AbortSignal
  readonly listener: LoadListener
}

export interface LoadListener {
  /** Gives away the next `count` sequences of the partition; called in the order of sending. */
  takeSequences(partition: number, count: number): number
  onAcked(run: RecordRun, baseOffset: number, atNs: number): void
  onFailed(run: RecordRun, failure: SendFailure): void
}

export type LoadEnd = 'duration' | 'count' | 'stopped' | 'stalled' | 'refused' | 'lost'

/** The broker cannot write its log: it will refuse every further record too. */
const storageErrorCode = 56
const stallLimitMs = 60_000
const interruptedDrainMs = 5_000
/** So long without an ack while sends fail for want of a connection, and the broker counts as lost. */
const connectionLossLimitMs = 5_000
const watchIntervalMs = 250
const firstPauseMs = 10
const longestPauseMs = 100

const oneSlot = { slots: 1, request: null }

export class Load implements LoadFigures {
  sent = 0
  acked = 0
  failed = 0
  unknown = 0
  /** Due at the end and never sent. */
  unsent = 0
  requests = 0
  startNs = 0
  firstSentNs: number | null = null
  lastSentNs = 0
  lastAckNs: number | null = null
  /** Why the broker could not be reached, if that was ever so. */
  connectionError: string | null = null
  /** Why the broker could not store records, if that was ever so. */
  storageError: string | null = null
  /** Of an open loop; nothing is in it otherwise. */
  readonly lateness = new Lateness()

  readonly #plan: LoadPlan
  readonly #parts: LoadParts
  readonly #queue: RunQueue
  /** In no order. */
  readonly #inFlight: LoadRun[] = []
  /** Of the last request of a closed loop: all its records are due at the same time. */
  #times = new Float64Array(0)
  readonly #onStop = (): void => this.#finish('stopped')
  readonly #onLost = (): void => this.#finish('lost')
  #end: LoadEnd | null = null
  #isOver = false
  #settle: (end: LoadEnd) => void = () => {}
  /** Records that have been given a slot; they are sent at the latest when the load ends. */
  #taken = 0
  #usedSlots = 0
  #isTurnScheduled = false
  #endNs = Number.POSITIVE_INFINITY
  #wakeNs = Number.POSITIVE_INFINITY
  #watch: Timer | null = null
  #progressNs = 0
  #connectionLostNs: number | null = null
  #drainUntilNs = Number.POSITIVE_INFINITY
  #pauseMs = 0
  #pausedUntilNs = 0

  constructor(plan: LoadPlan, parts: LoadParts) {
    this.#plan = plan
    this.#parts = parts
    this.#queue = new RunQueue(plan.partitionCount, plan.messageSizeBytes, plan.batchSizeBytes)
  }

  /** First send to last ack; 0 when nothing was acked. */
  get elapsedMs(): number {
    if (this.firstSentNs === null || this.lastAckNs === null) return 0
    return (this.lastAckNs - this.firstSentNs) / 1e6
  }

  /** Resolves when the last answer is in, or when draining has taken as long as it may. */
  run(): Promise<LoadEnd> {
    const { clock, stop, lost } = this.#parts
    this.startNs = clock.nowNs()
    this.#endNs = this.startNs + (this.#plan.durationMs ?? Number.POSITIVE_INFINITY) * 1e6
    this.#progressNs = this.startNs
    const over = new Promise<LoadEnd>((resolve) => {
      this.#settle = resolve
    })
    stop.addEventListener('abort', this.#onStop, { once: true })
    lost.addEventListener('abort', this.#onLost, { once: true })
    this.#watch = clock.setTimer(watchIntervalMs, this.#look)
    if (lost.aborted) this.#finish('lost')
    else if (stop.aborted) this.#finish('stopped')
    else this.#turn()
    return over
  }

  /** False when `run` is not one of this load, or was given up before. */
  onAck(run: RecordRun, baseOffset: number, atNs: number): boolean {
    if (!this.#release(run, atNs)) return false
    this.acked += run.count
    this.lastAckNs = Math.max(this.lastAckNs ?? atNs, atNs)
    this.#progressNs = atNs
    this.#connectionLostNs = null
    this.#pauseMs = 0
    this.#parts.listener.onAcked(run, baseOffset, atNs)
    return true
  }

  onFailure(run: RecordRun, failure: SendFailure, atNs: number): boolean {
    if (!this.#release(run, atNs)) return false
    if (failure.isUnknown) this.unknown += run.count
    else this.failed += run.count
    if (failure.isConnectionLost) {
      this.#connectionLostNs ??= atNs
      this.connectionError = failure.message
    }
    if (failure.kafkaCode === storageErrorCode && this.storageError === null) {
      this.storageError = failure.message
      this.#finish('refused')
    }
    this.#pauseAfterFailure(atNs)
    this.#parts.listener.onFailed(run, failure)
    return true
  }

  /** What the driver never answered: `unknown`. To be called after the producer was closed. */
  giveUp(): void {
    const failure = {
      isUnknown: true,
      isConnectionLost: false,
      kafkaCode: null,
      message: 'never answered',
    }
    for (const run of [...this.#inFlight]) this.onFailure(run, failure, this.lastSentNs)
  }

  #release(run: RecordRun, atNs: number): boolean {
    const { place, slots, request } = run as LoadRun
    const inFlight = this.#inFlight
    if (inFlight[place] !== run) return false
    const last = inFlight.pop() as LoadRun
    if (last !== run) {
      inFlight[place] = last
      last.place = place
    }
    const wasFull = this.#usedSlots >= this.#plan.concurrency
    if (request === null) this.#usedSlots -= slots
    else if (--request.openRuns === 0) this.#usedSlots -= 1
    if (this.#usedSlots < this.#plan.concurrency) this.lateness.free(atNs)
    // An open loop with free slots waits for its waker, so that what is due in a tick goes in one go.
    if (wasFull || this.#end !== null || !this.#parts.pacer.isOpenLoop) this.#scheduleTurn()
    return true
  }

  /** A broker that refuses at once must not make the closed loop spin. */
  #pauseAfterFailure(atNs: number): void {
    if (atNs < this.#pausedUntilNs) return
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2 || firstPauseMs)
    this.#pausedUntilNs = atNs + this.#pauseMs * 1e6
    this.lateness.hold(this.#pausedUntilNs)
  }

  /** One turn per turn of the event loop: all answers that came together free their slots together. */
  #scheduleTurn(): void {
    if (this.#isTurnScheduled || this.#isOver) return
    this.#isTurnScheduled = true
    setImmediate(() => {
      this.#isTurnScheduled = false
      this.#turn()
    })
  }

  readonly #turn = (): void => {
    if (this.#isOver) return
    const nowNs = this.#parts.clock.nowNs()
    if (this.#end === null) {
      this.#take(nowNs)
      if (this.#taken >= this.#limit()) this.#finish('count')
      else if (nowNs >= this.#endNs) this.#finish('duration')
    }
    this.#sendReady(nowNs)
    this.#endIfDrained(nowNs)
    this.#setWake(nowNs)
  }

  #limit(): number {
    return this.#plan.messageCount ?? Number.POSITIVE_INFINITY
  }

  /** How many records may be taken in all by now. In an open loop what was due before the end may still go after it. */
  #dueBy(nowNs: number): number {
    const { pacer } = this.#parts
    const endNs = this.#endNs
    if (!pacer.isOpenLoop) return nowNs < endNs ? this.#limit() : this.#taken
    return Math.min(this.#limit(), pacer.dueCount(Math.min(nowNs, endNs - 1) - this.startNs))
  }

  #intendedNs(nowNs: number): number {
    return this.startNs + this.#parts.pacer.intendedNs(this.#taken, nowNs - this.startNs)
  }

  #take(nowNs: number): void {
    if (nowNs < this.#pausedUntilNs) return
    const { batchRecords, concurrency } = this.#plan
    if (batchRecords !== null) return this.#takeRequests(nowNs, batchRecords)
    const { pacer, placement } = this.#parts
    const count = Math.min(concurrency - this.#usedSlots, this.#dueBy(nowNs) - this.#taken)
    for (let index = 0; index < count; index += 1) {
      const partition = placement.next()
      const intendedNs = this.#intendedNs(nowNs)
      this.#queue.add(partition, placement.key, intendedNs, nowNs)
      this.#taken += 1
      if (pacer.isOpenLoop) this.lateness.add(intendedNs, nowNs, 1)
    }
    this.#use(Math.max(0, count))
  }

  #use(slots: number): void {
    this.#usedSlots += slots
    if (this.#usedSlots >= this.#plan.concurrency) this.lateness.block()
  }

  #takeRequests(nowNs: number, batchRecords: number): void {
    while (this.#usedSlots < this.#plan.concurrency) {
      const size = Math.min(batchRecords, this.#limit() - this.#taken)
      if (size <= 0 || this.#dueBy(nowNs) - this.#taken < size) return
      const { pacer } = this.#parts
      const runs = this.#makeRequest(size, nowNs)
      this.#use(1)
      // A request is due with its last record.
      const dueNs = pacer.intendedNs(this.#taken - 1, nowNs - this.startNs)
      if (pacer.isOpenLoop) this.lateness.add(this.startNs + dueNs, nowNs, size)
      this.#send(runs, nowNs)
    }
  }

  /** Records without keys go to one partition per request, those with keys where their keys belong. */
  #makeRequest(size: number, nowNs: number): LoadRun[] {
    const { placement, payload } = this.#parts
    let partition = placement.next()
    if (placement.key === null) {
      const times = this.#timesOf(size, nowNs)
      this.#taken += size
      return [new LoadRun(partition, times, null, payload, oneSlot)]
    }
    const drafts = new Map<number, RunDraft>()
    for (let index = 0; index < size; index += 1) {
      if (index > 0) partition = placement.next()
      const draft = drafts.get(partition) ?? new RunDraft(partition, nowNs)
      drafts.set(partition, draft)
      draft.add(this.#intendedNs(nowNs), placement.key, 0)
      this.#taken += 1
    }
    const request = { openRuns: drafts.size }
    return Array.from(drafts.values(), (draft) => draft.seal(payload, request))
  }

  /** The intended times of the next `count` records. */
  #timesOf(count: number, nowNs: number): Float64Array {
    const { pacer } = this.#parts
    if (!pacer.isOpenLoop) {
      if (this.#times.length !== count || this.#times[0] !== nowNs) {
        this.#times = new Float64Array(count).fill(nowNs)
      }
      return this.#times
    }
    const times = new Float64Array(count)
    for (let index = 0; index < count; index += 1) {
      const dueNs = pacer.intendedNs(this.#taken + index, nowNs - this.startNs)
      times[index] = this.startNs + dueNs
    }
    return times
  }

  #sendReady(nowNs: number): void {
    const { payload } = this.#parts
    const lingerNs = this.#end === null ? this.#plan.lingerMs * 1e6 : 0
    for (const wave of this.#queue.takeWaves(nowNs - lingerNs)) {
      const runs = wave.map((draft) => draft.seal(payload, null))
      this.#send(runs, nowNs)
    }
  }

  #send(runs: readonly LoadRun[], nowNs: number): void {
    const { producer, listener } = this.#parts
    for (const run of runs) {
      run.firstSequence = listener.takeSequences(run.partition, run.count)
      run.sentAtNs = nowNs
      run.place = this.#inFlight.push(run) - 1
      this.sent += run.count
    }
    this.firstSentNs ??= nowNs
    this.lastSentNs = nowNs
    producer.send(runs)
  }

  #finish(end: LoadEnd): void {
    const nowNs = this.#parts.clock.nowNs()
    const drainMs = this.#drainMs(end)
    if (this.#end === null) {
      this.#end = end
      if (this.#parts.pacer.isOpenLoop) this.unsent = Math.max(0, this.#dueBy(nowNs) - this.#taken)
    } else if (end === 'lost') this.#end = end
    this.#drainUntilNs = Math.min(this.#drainUntilNs, nowNs + drainMs * 1e6)
    this.#scheduleTurn()
  }

  #drainMs(end: LoadEnd): number {
    if (end === 'lost') return 0
    const { messageTimeoutMs } = this.#plan
    const isCutShort = end === 'stopped' || end === 'stalled' || end === 'refused'
    return isCutShort ? Math.min(interruptedDrainMs, messageTimeoutMs) : messageTimeoutMs
  }

  #endIfDrained(nowNs: number): void {
    if (this.#end === null) return
    if (this.#inFlight.length > 0 && nowNs < this.#drainUntilNs) return
    this.#isOver = true
    this.#parts.waker.cancel()
    this.#watch?.cancel()
    this.#parts.stop.removeEventListener('abort', this.#onStop)
    this.#parts.lost.removeEventListener('abort', this.#onLost)
    this.#settle(this.#end)
  }

  /** Sees to it that a turn comes when there will be something to do without an answer coming in. */
  #setWake(nowNs: number): void {
    if (this.#isOver) return
    const atNs = this.#nextTurnNs(nowNs)
    if (atNs >= this.#wakeNs) return
    this.#wakeNs = atNs
    this.#parts.waker.set(atNs, () => {
      this.#wakeNs = Number.POSITIVE_INFINITY
      this.#turn()
    })
  }

  #nextTurnNs(nowNs: number): number {
    if (this.#end !== null) return this.#drainUntilNs
    const { pacer } = this.#parts
    let atNs = this.#endNs
    const openedAtNs = this.#queue.oldestOpenedAtNs()
    if (openedAtNs !== null) atNs = Math.min(atNs, openedAtNs + this.#plan.lingerMs * 1e6)
    if (nowNs < this.#pausedUntilNs) return Math.min(atNs, this.#pausedUntilNs)
    if (pacer.isOpenLoop && this.#usedSlots < this.#plan.concurrency) {
      const lastOfNext = this.#taken + (this.#plan.batchRecords ?? 1) - 1
      atNs = Math.min(atNs, this.startNs + pacer.intendedNs(lastOfNext, 0))
    }
    return atNs
  }

  /** Notices what no event tells: that nothing happens any more. */
  readonly #look = (): void => {
    const nowNs = this.#parts.clock.nowNs()
    const { durationMs } = this.#plan
    if (
      this.#connectionLostNs !== null &&
      nowNs - this.#connectionLostNs >= connectionLossLimitMs * 1e6
    ) {
      this.#finish('lost')
    } else if (
      durationMs === null &&
      this.#end === null &&
      nowNs - this.#progressNs >= stallLimitMs * 1e6
    ) {
      this.#finish('stalled')
    }
    this.#watch = this.#parts.clock.setTimer(watchIntervalMs, this.#look)
  }
}

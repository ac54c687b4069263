/** What waits to be sent: the runs of a partition in their order, and the partitions of a broker in theirs. */
import type { RecordRun, SendFailure } from '../driver.ts'
import type { Connection } from './connection.ts'
import { Fifo } from './fifo.ts'
import type { ProduceAnswer, ProducePrefix } from './produce-frame.ts'
import type { SendRing } from './send-ring.ts'

/** One run until it has ended; then it may be that of another. */
export class Parcel {
  run: RecordRun
  outbox: Outbox
  /** Ascending in the order of sending. */
  serial = 0
  deadlineNs = 0
  /** Of the idempotent producer, once it was given out; else -1. */
  sequence = -1
  isOpen = true
  /** The request that it is in now. */
  request: { readonly isWritten: boolean } | null = null
  /** An earlier request may have put it into the log. */
  mayHaveLanded = false
  attempts = 0
  /** Why the last attempt failed. */
  failure: SendFailure | null = null
  /** Its neighbours in a `ParcelList`. */
  previous: Parcel | null = null
  next: Parcel | null = null

  constructor(run: RecordRun, outbox: Outbox) {
    this.run = run
    this.outbox = outbox
  }

  /** Begins anew; it must be in no queue, list or request. */
  begin(run: RecordRun, outbox: Outbox, serial: number, deadlineNs: number): void {
    this.run = run
    this.outbox = outbox
    this.serial = serial
    this.deadlineNs = deadlineNs
    this.sequence = -1
    this.isOpen = true
    this.mayHaveLanded = false
    this.attempts = 0
    this.failure = null
  }

  /** Whether the log may hold it, as far as is known now. */
  get isUncertain(): boolean {
    return this.mayHaveLanded || this.request?.isWritten === true
  }
}

/** The parcels that are open, in the order of their deadlines, which is the order in which they came. */
export class ParcelList {
  head: Parcel | null = null
  #tail: Parcel | null = null

  push(parcel: Parcel): void {
    parcel.previous = this.#tail
    if (this.#tail === null) this.head = parcel
    else this.#tail.next = parcel
    this.#tail = parcel
  }

  remove(parcel: Parcel): void {
    const { previous, next } = parcel
    if (previous === null) this.head = next
    else previous.next = next
    if (next === null) this.#tail = previous
    else next.previous = previous
    parcel.previous = null
    parcel.next = null
  }
}

/** One partition. */
export class Outbox {
  readonly partition: number
  waiting = new Fifo<Parcel>()
  /** Came back and will be sent again, before all that waits, once nothing of the partition is in flight any more. */
  readonly returned: Parcel[] = []
  inFlight = 0
  nextSequence = 0
  lane: Lane | null = null
  /** In `lane.ready`. */
  isReady = false

  constructor(partition: number) {
    this.partition = partition
  }

  get isBlocked(): boolean {
    return this.returned.length > 0
  }

  get isEmpty(): boolean {
    return this.returned.length === 0 && this.waiting.size === 0
  }

  /** Everything that has not been sent, or has come back, in its order. */
  unsent(): Parcel[] {
    const returned = this.returned.toSorted((a, b) => a.serial - b.serial)
    return [...returned, ...this.waiting]
  }

  /** Puts what came back before all that waits. */
  requeue(): void {
    const parcels = this.unsent()
    this.returned.length = 0
    this.waiting = new Fifo()
    for (const parcel of parcels) if (parcel.isOpen) this.waiting.push(parcel)
  }

  /** Forgets what has ended meanwhile. */
  dropEnded(): void {
    const returned = this.returned.filter(({ isOpen }) => isOpen)
    const waiting = [...this.waiting].filter(({ isOpen }) => isOpen)
    this.returned.splice(0, this.returned.length, ...returned)
    this.waiting = new Fifo()
    for (const parcel of waiting) this.waiting.push(parcel)
  }

  moveTo(lane: Lane | null): void {
    if (lane === this.lane) return
    this.lane?.remove(this)
    this.lane = lane
  }
}

/** The way to one broker, with a connection or without. */
export class Lane {
  readonly nodeId: number
  link: Link | null = null
  requestsInFlight = 0
  /** Partitions with something to send. */
  #ready = new Fifo<Outbox>()

  constructor(nodeId: number) {
    this.nodeId = nodeId
  }

  get isLive(): boolean {
    return this.link?.connection.isOpen === true
  }

  add(outbox: Outbox): void {
    if (outbox.isReady) return
    outbox.isReady = true
    this.#ready.push(outbox)
  }

  /** The next partition with something to send; null when there is none. */
  take(): Outbox | null {
    for (let outbox = this.#ready.shift(); outbox !== undefined; outbox = this.#ready.shift()) {
      outbox.isReady = false
      if (!outbox.isBlocked && outbox.waiting.size > 0) return outbox
    }
    return null
  }

  remove(outbox: Outbox): void {
    const kept = [...this.#ready].filter((one) => one !== outbox)
    this.#ready = new Fifo()
    for (const one of kept) this.#ready.push(one)
    outbox.isReady = false
  }
}

/** What belongs to one connection of a lane. */
export interface Link {
  readonly connection: Connection
  readonly prefix: ProducePrefix
  readonly answer: ProduceAnswer
  readonly ring: SendRing
}

/** What was read of one partition, by offset and by sequence, and by which run of which member. */
import type { ProduceLedger } from './produce-ledger.ts'
import { type Range, Ranges } from './ranges.ts'
import type { BenchHeader, HeaderVerdict } from './record-header.ts'
import { type SequenceHole, SequenceLedger } from './sequence-ledger.ts'

export interface PartitionReport {
  readonly partition: number
  /** Records by distinct offset, wherever they lie. */
  readonly consumed: number
  /** The same within the range of the report. */
  readonly consumedInRange: number
  /** `skipped` + `missingSequences`: lost for certain, always a failed check. Gaps are not in it. */
  readonly missing: number
  /** Offsets of the range that a run's position jumped over and that nobody read. */
  readonly skipped: number
  /**
   * Holes in sequences that neither unread offsets nor corrupt records around them can explain. Of a run whose
   * `ProduceLedger` is given, only its acked sequences can be missing.
   */
  readonly missingSequences: number
  /**
   * Offsets of the range between the runs of this command's members that none of them read. Missing when bench
   * alone wrote and only this command's members were in the group; else judged by the group's commits, or notJudged.
   */
  readonly gaps: readonly Range[]
  /** Deliveries of an offset that another run had delivered: a warning. */
  readonly duplicates: number
  /** Deliveries of an offset that the same run had delivered: a failed check. */
  readonly redelivered: number
  /** Offsets that hold a sequence which another offset holds: a warning, failed when idempotent. */
  readonly oneSequenceTwoOffsets: number
  /** Records after a higher sequence of their run and producer within one run of a member: a failed check. */
  readonly outOfOrder: number
  /** Records without a bench header, or of another run than the expected one. */
  readonly foreign: number
  /** Offsets whose checksum did not match: a failed check. */
  readonly corrupt: number
}

/** The records of a member. */
export interface MemberTally {
  records: number
}

/** Sequences of one producer within one run of a member. */
interface Order {
  readonly run: number
  readonly producer: number
  readonly sequences: SequenceLedger
  highestSequence: number
}

export class PartitionLedger {
  readonly partition: number
  readonly expectedRun: number | null
  readonly delivered = new Ranges()
  readonly corruptOffsets = new Ranges()
  readonly sequences: SequenceLedger[] = []
  duplicates = 0
  redelivered = 0
  oneSequenceTwoOffsets = 0
  outOfOrder = 0
  foreign = 0
  /** Highest position of any run, exclusive. */
  position: number | null = null
  /** Offsets inside batches, with a record or without. */
  readonly #read = new Ranges()
  /** Offsets between two batches of one run. */
  readonly #skipped = new Ranges()
  /** The run with records that are not entered yet; at most one, so that the others see all there is. */
  #stretching: MemberRun | null = null

  constructor(partition: number, expectedRun: number | null) {
    this.partition = partition
    this.expectedRun = expectedRun
  }

  /** Records by distinct offset. */
  get consumed(): number {
    this.settle()
    return this.delivered.size
  }

  read(fromOffset: number, toOffset: number): void {
    this.#read.addRange(fromOffset, toOffset)
    this.position = Math.max(this.position ?? 0, toOffset)
  }

  skip(fromOffset: number, toOffset: number): void {
    this.#skipped.addRange(fromOffset, toOffset)
  }

  /** Enters what a run has observed and not entered. To be called before anything here is read but `position`. */
  settle(): void {
    const run = this.#stretching
    if (run === null) return
    this.#stretching = null
    run.settle()
  }

  /** `run` has records to enter from now on, until `settle`. */
  stretch(run: MemberRun): void {
    this.#stretching = run
  }

  sequencesOf(run: number, producer: number): SequenceLedger {
    let found = this.sequences.find((one) => one.run === run && one.producer === producer)
    if (found === undefined) {
      found = new SequenceLedger(run, producer)
      this.sequences.push(found)
    }
    return found
  }

  report(
    fromOffset: number,
    toOffset: number,
    produced: readonly ProduceLedger[],
  ): PartitionReport {
    this.settle()
    const gaps: Range[] = []
    let skipped = 0
    for (const unread of this.#read.gaps(fromOffset, toOffset)) {
      skipped += this.#skipped.countWithin(unread.from, unread.to)
      gaps.push(...this.#skipped.gaps(unread.from, unread.to))
    }
    const missingSequences = this.#missingSequences(produced)
    return {
      partition: this.partition,
      consumed: this.consumed,
      consumedInRange: this.delivered.countWithin(fromOffset, toOffset),
      missing: skipped + missingSequences,
      skipped,
      missingSequences,
      gaps,
      duplicates: this.duplicates,
      redelivered: this.redelivered,
      oneSequenceTwoOffsets: this.oneSequenceTwoOffsets,
      outOfOrder: this.outOfOrder,
      foreign: this.foreign,
      corrupt: this.corruptOffsets.size,
    }
  }

  /**
   * Each unread offset and each corrupt record between the two ends of a hole explains one sequence of it, and one
   * only. Taking the holes by their upper end and the lowest free offset for each explains all that can be.
   */
  #missingSequences(produced: readonly ProduceLedger[]): number {
    const holes = this.sequences
      .flatMap((sequences) =>
        sequences
          .holes()
          .map((hole) => ({ ...hole, size: sizeOf(hole, sequences, produced, this) })),
      )
      .toSorted((a, b) => a.beforeOffset - b.beforeOffset)
    const used = new Ranges()
    return holes.reduce((missing, hole) => missing + this.#unexplained(hole, used), 0)
  }

  #unexplained(hole: SequenceHole & { size: number }, used: Ranges): number {
    const from = hole.afterOffset + 1
    const explaining = new Ranges()
    const parts = [
      ...this.#read.gaps(from, hole.beforeOffset),
      ...this.corruptOffsets.within(from, hole.beforeOffset),
    ]
    for (const part of parts) explaining.addRange(part.from, part.to)
    let left = hole.size
    for (const part of explaining.all()) {
      for (const free of used.gaps(part.from, part.to)) {
        const taken = Math.min(left, free.to - free.from)
        used.addRange(free.from, free.from + taken)
        left -= taken
      }
    }
    return left
  }
}

/** Sequences of the hole that ought to be in the log, as far as is known. */
const sizeOf = (
  hole: SequenceHole,
  { run, producer }: SequenceLedger,
  produced: readonly ProduceLedger[],
  { partition }: PartitionLedger,
): number => {
  const ledger = produced.find((one) => one.run === run && one.producer === producer)
  if (ledger === undefined) return hole.to - hole.from
  return ledger.acked(partition).countWithin(hole.from, hole.to)
}

/** One member reading one partition from an assignment to the end of it. */
export class MemberRun {
  /** Next offset to read: what the member commits. */
  position = -1
  readonly #ledger: PartitionLedger
  readonly #member: MemberTally
  readonly #delivered = new Ranges()
  readonly #orders: Order[] = []
  #order: Order | null = null
  /**
   * A stretch of records that follow each other in offset and in sequence, all new: most are. They are counted here and
   * entered as one range. It can grow from `#nextOffset` to `#stretchLimit`; nothing is known from there on.
   */
  #stretchFrom = 0
  #nextOffset = 0
  #stretchLimit = -1
  #nextSequence = 0
  #run = -1
  #producer = -1

  constructor(ledger: PartitionLedger, member: MemberTally) {
    this.#ledger = ledger
    this.#member = member
  }

  advance(fromOffset: number, toOffset: number): void {
    if (this.position >= 0 && fromOffset > this.position) {
      this.#ledger.skip(this.position, fromOffset)
    }
    this.#ledger.read(fromOffset, toOffset)
    this.position = toOffset
  }

  /**
   * One delivered record. `header` is read when `verdict` is 'ok' and not kept.
   * Returns true when no member delivered this offset before.
   */
  observe(offset: number, verdict: HeaderVerdict, header: Readonly<BenchHeader>): boolean {
    if (
      offset === this.#nextOffset &&
      offset < this.#stretchLimit &&
      verdict === 'ok' &&
      header.sequence === this.#nextSequence &&
      header.run === this.#run &&
      header.producer === this.#producer
    ) {
      this.#nextOffset = offset + 1
      this.#nextSequence += 1
      return true
    }
    return this.#observeAlone(offset, verdict, header)
  }

  /** How many records may follow the last one in offset and sequence, all of them new. Not positive when it is unknown. */
  get ahead(): number {
    return this.#stretchLimit - this.#nextOffset
  }

  /** As `observe` of `count` records, at most `ahead`, that follow the last one in offset and sequence. */
  extend(count: number): void {
    this.#nextOffset += count
    this.#nextSequence += count
  }

  /** Enters the stretch. Called by the ledger. */
  settle(): void {
    const from = this.#stretchFrom
    const to = this.#nextOffset
    this.#stretchLimit = -1
    if (to === from || this.#order === null) return
    this.#member.records += to - from
    this.#ledger.delivered.addRange(from, to)
    this.#delivered.addRange(from, to)
    this.#order.sequences.extend(to - from)
    this.#order.highestSequence = this.#nextSequence - 1
  }

  #observeAlone(offset: number, verdict: HeaderVerdict, header: Readonly<BenchHeader>): boolean {
    const ledger = this.#ledger
    ledger.settle()
    this.#member.records += 1
    const isFresh = ledger.delivered.add(offset)
    const isFreshHere = this.#delivered.add(offset)
    if (!isFresh) {
      if (isFreshHere) ledger.duplicates += 1
      else ledger.redelivered += 1
    }
    if (verdict === 'corrupt') {
      ledger.corruptOffsets.add(offset)
    } else if (
      verdict === 'none' ||
      (ledger.expectedRun !== null && header.run !== ledger.expectedRun)
    ) {
      if (isFresh) ledger.foreign += 1
    } else {
      this.#observeSequence(offset, header, isFresh)
    }
    return isFresh
  }

  #observeSequence(offset: number, header: Readonly<BenchHeader>, isFresh: boolean): void {
    const { sequence } = header
    const last = this.#order
    const isLast = last !== null && last.run === header.run && last.producer === header.producer
    const order = isLast ? last : this.#orderOf(header)
    if (isFresh) {
      // A sequence stored again is no disorder: a retry lands after what was sent behind it.
      if (!order.sequences.observe(sequence, offset)) this.#ledger.oneSequenceTwoOffsets += 1
      else if (sequence < order.highestSequence) this.#ledger.outOfOrder += 1
      else this.#beginStretch(offset + 1, order, sequence + 1)
    }
    if (sequence > order.highestSequence) order.highestSequence = sequence
  }

  /** What this run delivered is among what all delivered, so that what is new there is new here. */
  #beginStretch(offset: number, order: Order, sequence: number): void {
    const freeSequences = order.sequences.seen.freeUntil(sequence) - sequence
    this.#stretchFrom = offset
    this.#nextOffset = offset
    this.#stretchLimit = Math.min(this.#ledger.delivered.freeUntil(offset), offset + freeSequences)
    this.#nextSequence = sequence
    this.#run = order.run
    this.#producer = order.producer
    this.#ledger.stretch(this)
  }

  #orderOf({ run, producer }: Readonly<BenchHeader>): Order {
    let order = this.#orders.find((one) => one.run === run && one.producer === producer)
    if (order === undefined) {
      const sequences = this.#ledger.sequencesOf(run, producer)
      order = { run, producer, sequences, highestSequence: -1 }
      this.#orders.push(order)
    }
    this.#order = order
    return order
  }
}

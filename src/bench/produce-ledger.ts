/** What became of every record that one producer number of a run sent, by partition, as ranges of sequences. */
import type { ConsumeLedger } from './consume-ledger.ts'
import { type Range, Ranges } from './ranges.ts'
import { runNumberOf } from './record-header.ts'

/** Sequences by the end of their send. */
interface Sends {
  nextSequence: number
  readonly acked: Ranges
  readonly failed: Ranges
  readonly unknown: Ranges
  /** acks=0: handed to the network, never acked. */
  readonly written: Ranges
  readonly ackedOffsets: Ranges
}

/** A ledger as plain data. */
export interface LedgerSnapshot {
  readonly producer: number
  readonly partitions: readonly {
    readonly nextSequence: number
    readonly acked: readonly Range[]
    readonly failed: readonly Range[]
    readonly unknown: readonly Range[]
    readonly written: readonly Range[]
    readonly offsetsAckedTwice: number
  }[]
}

export interface SendCounts {
  /** Given a sequence by `take`. */
  readonly sent: number
  readonly acked: number
  readonly failed: number
  readonly unknown: number
  /** acks=0: neither acked nor failed. */
  readonly written: number
  /** Offsets that the broker acked for more than one record: always a broker fault. */
  readonly offsetsAckedTwice: number
}

/** One producer number: the measured phase and the warm-up of a run have one ledger each. */
export class ProduceLedger {
  readonly run: number
  readonly producer: number
  readonly #partitions: Sends[]
  readonly #offsetsAckedTwice: number[]

  constructor(runId: string, producer: number, partitionCount: number) {
    this.run = runNumberOf(runId)
    this.producer = producer
    this.#partitions = Array.from({ length: partitionCount }, () => ({
      nextSequence: 0,
      acked: new Ranges(),
      failed: new Ranges(),
      unknown: new Ranges(),
      written: new Ranges(),
      ackedOffsets: new Ranges(),
    }))
    this.#offsetsAckedTwice = this.#partitions.map(() => 0)
  }

  /** What another thread needs to make the same ledger of it. Which offsets were acked stays here. */
  snapshot(): LedgerSnapshot {
    const { producer } = this
    const partitions = this.#partitions.map((sends, partition) => ({
      nextSequence: sends.nextSequence,
      acked: sends.acked.all(),
      failed: sends.failed.all(),
      unknown: sends.unknown.all(),
      written: sends.written.all(),
      offsetsAckedTwice: this.#offsetsAckedTwice[partition] as number,
    }))
    return { producer, partitions }
  }

  static of(runId: string, { producer, partitions }: LedgerSnapshot): ProduceLedger {
    const ledger = new ProduceLedger(runId, producer, partitions.length)
    for (const [partition, known] of partitions.entries()) {
      const sends = ledger.#sends(partition)
      sends.nextSequence = known.nextSequence
      for (const kind of ['acked', 'failed', 'unknown', 'written'] as const) {
        for (const { from, to } of known[kind]) sends[kind].addRange(from, to)
      }
      ledger.#offsetsAckedTwice[partition] = known.offsetsAckedTwice
    }
    return ledger
  }

  /** Gives the next `count` sequences of `partition` away and returns the first. Rule: dense from 0 per partition. */
  take(partition: number, count: number): number {
    const sends = this.#sends(partition)
    const first = sends.nextSequence
    sends.nextSequence += count
    return first
  }

  /** `baseOffset` -1 (acks=0) counts as written, not as acked. Rule: with acks=0 nothing is acked. */
  onAck(partition: number, firstSequence: number, count: number, baseOffset: number): void {
    const sends = this.#sends(partition)
    if (baseOffset < 0) {
      sends.written.addRange(firstSequence, firstSequence + count)
      return
    }
    sends.acked.addRange(firstSequence, firstSequence + count)
    const fresh = sends.ackedOffsets.addRange(baseOffset, baseOffset + count)
    this.#offsetsAckedTwice[partition] =
      (this.#offsetsAckedTwice[partition] as number) + count - fresh
  }

  /** Rule: a send that is not acked is failed (certainly not in the log) or unknown (timeout, connection lost). */
  onFailure(partition: number, firstSequence: number, count: number, isUnknown: boolean): void {
    const sends = this.#sends(partition)
    const ranges = isUnknown ? sends.unknown : sends.failed
    ranges.addRange(firstSequence, firstSequence + count)
  }

  /** Of one partition, or of all. */
  counts(partition?: number): SendCounts {
    const chosen = partition === undefined ? this.#partitions : [this.#sends(partition)]
    const sum = (valueOf: (sends: Sends) => number): number =>
      chosen.reduce((total, sends) => total + valueOf(sends), 0)
    return {
      sent: sum((sends) => sends.nextSequence),
      acked: sum((sends) => sends.acked.size),
      failed: sum((sends) => sends.failed.size),
      unknown: sum((sends) => sends.unknown.size),
      written: sum((sends) => sends.written.size),
      offsetsAckedTwice:
        partition === undefined
          ? this.#offsetsAckedTwice.reduce((total, count) => total + count, 0)
          : (this.#offsetsAckedTwice[partition] as number),
    }
  }

  /** Acked sequences of `partition`. */
  acked(partition: number): Ranges {
    return this.#sends(partition).acked
  }

  /** Compares what was sent with the sequences that a scan of the log saw. */
  compare(partition: number, seen: Ranges, repeated: Ranges): ProducerBalance {
    const sends = this.#sends(partition)
    const landed = sends.acked.countShared(seen)
    const unknownLanded = sends.unknown.countShared(seen)
    const failedLanded = sends.failed.countShared(seen)
    const writtenLanded = sends.written.countShared(seen)
    return {
      ackedLanded: landed,
      ackedMissing: sends.acked.size - landed,
      ackedTwice: sends.acked.countShared(repeated),
      unknownLanded,
      failedLanded,
      writtenLanded,
      neverSent: seen.size - landed - unknownLanded - failedLanded - writtenLanded,
    }
  }

  #sends(partition: number): Sends {
    const sends = this.#partitions[partition]
    if (sends === undefined) throw new RangeError(`partition ${partition}: not of this topic`)
    return sends
  }
}

export interface ProducerBalance {
  readonly ackedLanded: number
  readonly ackedMissing: number
  /** Acked records that the log holds more than once. */
  readonly ackedTwice: number
  readonly unknownLanded: number
  /** In the log although the send failed for certain: a broker or client fault. */
  readonly failedLanded: number
  readonly writtenLanded: number
  /** Of this run, and never sent: 0 unless sends were still under way. */
  readonly neverSent: number
}

export interface LogBalance extends ProducerBalance {
  readonly partition: number
  /** Records of other runs, of no run, or of a producer number that is not in the balance. */
  readonly foreign: number
  /** Offsets beyond the first that hold a record of this run again. */
  readonly retryDuplicates: number
  readonly corrupt: number
  /** Offsets of the range that the scan did not read. */
  readonly unread: number
  /** Every acked record is in the log exactly once, and the whole range was read. */
  readonly holds: boolean
}

/**
 * Rule: when delta and acked differ, the range is read once, and the check holds when every acked record of this run
 * is in the log exactly once; what else is there is foreign, unknown-landed or a retry duplicate.
 * `scan` has read [fromOffset, toOffset) with this run expected; `ledgers` are all producer numbers of the run.
 */
export const balanceLog = (
  ledgers: readonly ProduceLedger[],
  scan: ConsumeLedger,
  partition: number,
  range: { fromOffset: number; toOffset: number },
): LogBalance => {
  const total: { -readonly [name in keyof ProducerBalance]: number } = {
    ackedLanded: 0,
    ackedMissing: 0,
    ackedTwice: 0,
    unknownLanded: 0,
    failedLanded: 0,
    writtenLanded: 0,
    neverSent: 0,
  }
  const none = new Ranges()
  const streams = scan.sequencesOf(partition)
  for (const ledger of ledgers) {
    const stream = streams.find(
      ({ run, producer }) => run === ledger.run && producer === ledger.producer,
    )
    const balance = ledger.compare(partition, stream?.seen ?? none, stream?.repeated ?? none)
    for (const name of Object.keys(total) as (keyof ProducerBalance)[]) total[name] += balance[name]
  }
  const strangers = streams.filter(
    ({ run, producer }) =>
      !ledgers.some((ledger) => ledger.run === run && ledger.producer === producer),
  )
  const report = scan.report(partition, range)
  const strange = strangers.reduce((sum, { seen, repeats }) => sum + seen.size + repeats, 0)
  const strangeRepeats = strangers.reduce((sum, { repeats }) => sum + repeats, 0)
  const unread = report.skipped + report.gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0)
  return {
    partition,
    ...total,
    foreign: report.foreign + strange,
    retryDuplicates: report.oneSequenceTwoOffsets - strangeRepeats,
    corrupt: report.corrupt,
    unread,
    holds: total.ackedMissing === 0 && total.ackedTwice === 0 && unread === 0,
  }
}

/**
 * What the members of one command read, by partition: every verdict of a consume phase comes from here. Memory grows
 * with holes, moves and anomalies, never with the number of records.
 *
 * Use: `onAssigned` and `onRevoked` as the group events arrive; for each batch `const run = onBatch(...)`, then
 * `run.observe(...)` per record; at the end `report` per partition.
 */
import {
  MemberRun,
  type MemberTally,
  PartitionLedger,
  type PartitionReport,
} from './partition-ledger.ts'
import type { ProduceLedger } from './produce-ledger.ts'
import { runNumberOf } from './record-header.ts'
import type { SequenceLedger } from './sequence-ledger.ts'

interface Member extends MemberTally {
  /** The runs under way, by partition. */
  readonly runs: Map<number, MemberRun>
}

export class ConsumeLedger {
  readonly #partitions: PartitionLedger[]
  /** By index; holes where an index was not used. */
  readonly #members: (Member | undefined)[] = []

  /** With `expectedRunId`, records of other runs are foreign and only counted; null ledgers every run found. */
  constructor(partitionCount: number, expectedRunId: string | null) {
    const expected = expectedRunId === null ? null : runNumberOf(expectedRunId)
    this.#partitions = Array.from(
      { length: partitionCount },
      (_, partition) => new PartitionLedger(partition, expected),
    )
  }

  /**
   * The member now holds exactly `partitions`. A partition it held without a break keeps its run, another one begins
   * a run at its first batch. Rule: what one run delivers twice is redelivered (a failed check), what two runs
   * deliver is a duplicate after a move (a warning).
   */
  onAssigned(member: number, partitions: readonly number[]): void {
    const { runs } = this.#member(member)
    for (const partition of runs.keys()) {
      if (!partitions.includes(partition)) runs.delete(partition)
    }
    for (const other of this.#members) {
      if (other === undefined || other.runs === runs) continue
      for (const partition of partitions) other.runs.delete(partition)
    }
  }

  /** The member's runs of `partitions` end; of all it holds when left out. */
  onRevoked(member: number, partitions?: readonly number[]): void {
    const { runs } = this.#member(member)
    for (const partition of partitions ?? [...runs.keys()]) runs.delete(partition)
  }

  /**
   * A batch that moves the member's position to `toOffset`; observe its records on the returned run. Call it also
   * for a batch without records. Rule: the position is the batch's last offset + 1; offsets inside the batch without
   * a record (control records, compaction) are read, offsets between two batches of one run were skipped.
   */
  onBatch(member: number, partition: number, fromOffset: number, toOffset: number): MemberRun {
    const reader = this.#member(member)
    let run = reader.runs.get(partition)
    if (run === undefined) {
      run = new MemberRun(this.#ledger(partition), reader)
      reader.runs.set(partition, run)
    }
    run.advance(fromOffset, toOffset)
    return run
  }

  /** Verdicts on [fromOffset, toOffset) of `partition`; see `PartitionReport` for what `produced` changes. */
  report(
    partition: number,
    range: { fromOffset: number; toOffset: number },
    produced: readonly ProduceLedger[] = [],
  ): PartitionReport {
    return this.#ledger(partition).report(range.fromOffset, range.toOffset, produced)
  }

  /** Highest position any member reached, exclusive; null before the first batch. Rule: drained. */
  position(partition: number): number | null {
    return this.#ledger(partition).position
  }

  /** Positions of the partitions that `member` holds and has read from: what it commits. */
  positions(member: number): Map<number, number> {
    const positions = new Map<number, number>()
    for (const [partition, run] of this.#member(member).runs) positions.set(partition, run.position)
    return positions
  }

  /** Records delivered to `member`, duplicates included. */
  recordsOf(member: number): number {
    for (const ledger of this.#partitions) ledger.settle()
    return this.#member(member).records
  }

  /** Records by distinct partition and offset, of all members. */
  get consumed(): number {
    return this.#partitions.reduce((sum, ledger) => sum + ledger.consumed, 0)
  }

  /** The sequences seen in `partition`, by run and producer number. */
  sequencesOf(partition: number): readonly SequenceLedger[] {
    const ledger = this.#ledger(partition)
    ledger.settle()
    return ledger.sequences
  }

  #member(member: number): Member {
    const found = this.#members[member] ?? { records: 0, runs: new Map() }
    this.#members[member] = found
    return found
  }

  #ledger(partition: number): PartitionLedger {
    const ledger = this.#partitions[partition]
    if (ledger === undefined) throw new RangeError(`partition ${partition}: not of this topic`)
    return ledger
  }
}

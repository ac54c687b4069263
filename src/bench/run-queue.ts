/** Records that are ready to be sent, grouped by partition into runs of at most one record batch. */
import type { PayloadPlan, RecordRun } from '../clients/driver.ts'

/** What a record costs in a batch besides its key and value. */
const recordOverheadBytes = 12

/** Records without keys in a full batch; one at least. */
export const recordsPerBatch = (valueSizeBytes: number, limitBytes: number): number =>
  Math.max(1, Math.floor(limitBytes / (valueSizeBytes + recordOverheadBytes)))

/** One slot of several runs, until the last of them is answered. */
interface Request {
  openRuns: number
}

type Slots = Pick<LoadRun, 'slots' | 'request'>

/** A run of a load, from its send to its end. */
export class LoadRun implements RecordRun {
  readonly partition: number
  readonly count: number
  readonly intendedAtNs: Float64Array
  readonly keys: readonly Buffer[] | null
  readonly payload: PayloadPlan
  /** That it has to itself. */
  readonly slots: number
  /** Whose slot it shares; null when it has its own. */
  readonly request: Request | null
  firstSequence = 0
  sentAtNs = 0
  /** Its index among the runs in flight. */
  place = -1

  constructor(
    partition: number,
    intendedAtNs: Float64Array,
    keys: readonly Buffer[] | null,
    payload: PayloadPlan,
    { slots, request }: Slots,
  ) {
    this.partition = partition
    this.count = intendedAtNs.length
    this.intendedAtNs = intendedAtNs
    this.keys = keys
    this.payload = payload
    this.slots = slots
    this.request = request
  }
}

/** A run that is still growing. */
export class RunDraft {
  readonly partition: number
  readonly openedAtNs: number
  count = 0
  sizeBytes = 0
  #intendedAtNs: Float64Array
  #keys: Buffer[] | null = null

  /** Room for `expectedCount` records is made at once; it grows when that is not enough. */
  constructor(partition: number, openedAtNs: number, expectedCount = 1) {
    this.partition = partition
    this.openedAtNs = openedAtNs
    this.#intendedAtNs = new Float64Array(Math.max(1, expectedCount))
  }

  add(intendedAtNs: number, key: Buffer | null, sizeBytes: number): void {
    if (this.count === this.#intendedAtNs.length) this.#grow()
    this.#intendedAtNs[this.count] = intendedAtNs
    this.count += 1
    if (key !== null) {
      this.#keys ??= []
      this.#keys.push(key)
    }
    this.sizeBytes += sizeBytes
  }

  /** It has a slot per record, unless it is part of a `request`. */
  seal(payload: PayloadPlan, request: Request | null): LoadRun {
    const times = this.#intendedAtNs
    const { partition, count } = this
    const intendedAtNs = times.length === count ? times : times.subarray(0, count)
    const slots = { slots: request === null ? count : 0, request }
    return new LoadRun(partition, intendedAtNs, this.#keys, payload, slots)
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#intendedAtNs.length)
    larger.set(this.#intendedAtNs)
    this.#intendedAtNs = larger
  }
}

export class RunQueue {
  readonly #valueSizeBytes: number
  readonly #limitBytes: number
  /** By partition, oldest first; only the last one still grows. */
  readonly #drafts: RunDraft[][]
  /** Records of the last draft: the next one will be alike. */
  #lastCount = 1

  constructor(partitionCount: number, valueSizeBytes: number, limitBytes: number) {
    this.#valueSizeBytes = valueSizeBytes
    this.#limitBytes = limitBytes
    this.#drafts = Array.from({ length: partitionCount }, () => [])
  }

  /** Queues a record. A batch always takes at least one. */
  add(partition: number, key: Buffer | null, intendedAtNs: number, nowNs: number): void {
    const drafts = this.#drafts[partition] as RunDraft[]
    let draft = drafts.at(-1)
    if (draft === undefined || draft.sizeBytes + this.#sizeOf(key) > this.#limitBytes) {
      draft = new RunDraft(partition, nowNs, this.#lastCount)
      drafts.push(draft)
    }
    draft.add(intendedAtNs, key, this.#sizeOf(key))
  }

  #sizeOf(key: Buffer | null): number {
    return this.#valueSizeBytes + (key?.length ?? 0) + recordOverheadBytes
  }

  /**
   * Takes out what may go: full drafts, and those opened at `openedByNs` or before. Each wave holds at most one draft
   * per partition; a partition's drafts come in order.
   */
  takeWaves(openedByNs: number): RunDraft[][] {
    const waves: RunDraft[][] = []
    for (const drafts of this.#drafts) {
      const last = drafts.at(-1)
      if (last === undefined) continue
      this.#lastCount = last.count
      const isFull = last.sizeBytes + this.#sizeOf(null) > this.#limitBytes
      const isLastReady = isFull || last.openedAtNs <= openedByNs
      const ready = drafts.splice(0, isLastReady ? drafts.length : drafts.length - 1)
      ready.forEach((draft, index) => {
        const wave = waves[index]
        if (wave === undefined) waves.push([draft])
        else wave.push(draft)
      })
    }
    return waves
  }

  /** When the oldest waiting draft was opened; null when nothing waits. */
  oldestOpenedAtNs(): number | null {
    let oldest: number | null = null
    for (const drafts of this.#drafts) {
      const opened = drafts[0]?.openedAtNs
      if (opened !== undefined && (oldest === null || opened < oldest)) oldest = opened
    }
    return oldest
  }
}

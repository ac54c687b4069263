/** One consumer of a command: what happened to it, in the words of the result file. */
import type { Consumer, GroupEvent } from '../clients/driver.ts'
import type { MemberState } from '../results/progress.ts'
import type { ConsumerResult } from '../results/result.ts'

export class Member {
  readonly name: string
  consumer: Consumer | null = null
  startedAtNs: number | null = null
  memberId: string | null = null
  firstAssignmentNs: number | null = null
  firstRecordNs: number | null = null
  lastAssignmentNs: number | null = null
  /** The longest time that it was settled in a generation without a partition. */
  longestIdleNs = 0
  #idleSinceNs: number | null = null
  /** Join and sync were done at least once, with partitions or without. */
  hasSettled = false
  rebalances = 0
  /** Records delivered to it, those that another member had before included. */
  records = 0
  crash: string | null = null
  readonly generations: number[] = []
  /** What it held from when on; no entry says the same as the one before. */
  readonly #assignments: { atNs: number; generation: number; partitions: readonly number[] }[] = []
  /** The last assignment that was not empty. */
  partitions: readonly number[] = []
  /** What it may read now. */
  held: ReadonlySet<number> = new Set()
  /** Partitions whose position at or beyond the target it has committed. */
  readonly committedAtTarget = new Set<number>()
  /** Records that waited for this member when it started; null when that could not be read. */
  lagAtStart: number | null = null

  constructor(name: string) {
    this.name = name
  }

  onGroupEvent(event: GroupEvent): void {
    switch (event.type) {
      case 'assigned':
        return this.#onAssigned(event.memberId, event.generation, event.partitions, event.atNs)
      case 'generation':
        return this.#learn(event.memberId, event.generation)
      case 'revoked':
      case 'left':
        this.held = new Set()
        this.#note(event.atNs, this.generations.at(-1) ?? -1, [])
        this.#endIdle(event.atNs)
    }
  }

  #note(atNs: number, generation: number, held: readonly number[]): void {
    const partitions = held.toSorted((a, b) => a - b)
    const last = this.#assignments.at(-1)
    const isNews =
      last === undefined
        ? generation >= 0 || partitions.length > 0
        : last.generation !== generation || last.partitions.join() !== partitions.join()
    if (isNews) this.#assignments.push({ atNs, generation, partitions })
  }

  /** How long it has been in a generation without a partition; null when it is not. */
  idleNs(nowNs: number): number | null {
    return this.#idleSinceNs === null ? null : nowNs - this.#idleSinceNs
  }

  #endIdle(atNs: number): void {
    if (this.#idleSinceNs === null) return
    this.longestIdleNs = Math.max(this.longestIdleNs, atNs - this.#idleSinceNs)
    this.#idleSinceNs = null
  }

  #onAssigned(
    memberId: string,
    generation: number,
    partitions: readonly number[],
    atNs: number,
  ): void {
    this.#learn(memberId, generation)
    if (this.hasSettled) this.rebalances += 1
    this.hasSettled = true
    this.held = new Set(partitions)
    this.#note(atNs, generation, partitions)
    if (partitions.length === 0) {
      this.#idleSinceNs ??= atNs
      return
    }
    this.#endIdle(atNs)
    this.partitions = partitions.toSorted((a, b) => a - b)
    this.firstAssignmentNs ??= atNs
    this.lastAssignmentNs = atNs
  }

  #learn(memberId: string, generation: number): void {
    this.memberId = memberId
    if (generation >= 0 && this.generations.at(-1) !== generation) this.generations.push(generation)
  }

  state(): MemberState {
    return {
      name: this.name,
      generation: this.generations.at(-1) ?? null,
      partitions: [...this.held].toSorted((a, b) => a - b),
    }
  }

  /** Times count from `phaseStartNs` (started, assignments) and from the member's start (the others). */
  result(phaseStartNs: number): ConsumerResult {
    const startedNs = this.startedAtNs
    const sinceStart = (atNs: number | null): number | null =>
      atNs === null || startedNs === null ? null : (atNs - startedNs) / 1e6
    return {
      name: this.name,
      memberId: this.memberId,
      startedAtMs: startedNs === null ? 0 : (startedNs - phaseStartNs) / 1e6,
      firstAssignmentMs: sinceStart(this.firstAssignmentNs),
      firstRecordMs: sinceStart(this.firstRecordNs),
      rebalances: this.rebalances,
      generations: [...this.generations],
      partitions: [...this.partitions],
      records: this.records,
      assignments: this.#assignments.map(({ atNs, generation, partitions }) => ({
        atMs: (atNs - phaseStartNs) / 1e6,
        generation,
        partitions: [...partitions],
      })),
    }
  }
}

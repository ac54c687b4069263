/**
 * The consuming loop: the members of one command join one after the other and read until the group is drained or the
 * run ends otherwise. Everything read goes into the ledger; nothing is judged here.
 */
import type { BatchCursor, Consumer, ConsumerSink } from '../clients/driver.ts'
import type { Timer } from '../clock.ts'
import { messageOf, UsageError } from '../errors.ts'
import type { Warning } from '../results/result.ts'
import { passAlike } from './alike-records.ts'
import { ConsumeLedger } from './consume-ledger.ts'
import type { GroupStart } from './group-start.ts'
import { allocateReceived } from './known-bodies.ts'
import { Member } from './member.ts'
import type { MemberRun } from './partition-ledger.ts'
import { createHeader, parseRecord } from './record-header.ts'
import type { RunContext } from './run-context.ts'
import { endsWithin, withTimeLimit } from './time-limit.ts'

export type ReadingEnd =
  | 'drained'
  | 'duration'
  | 'count'
  | 'stopped'
  | 'stalled'
  | 'crashed'
  | 'lost'

/** What one batch brought. */
export interface BatchTally {
  readonly records: number
  readonly bytes: number
  readonly atNs: number
}

export interface ReadingListener {
  onBatch(tally: BatchTally): void
  /** Records read `latencyUs` after their intended time; only of those produced since the phase began. */
  onEndToEnd(latencyUs: number, records: number): void
  onFetch(serviceNs: number): void
}

const tickMs = 50
const pollIntervalMs = 500
const stallLimitMs = 60_000
/** So long without an answer of the broker and without a record, and it counts as lost. */
const silenceLimitMs = 10_000
const commitLimitMs = 5_000
const handoverLimitNs = 5e9
const closeLimitMs = 10_000

export class GroupReading {
  readonly ledger: ConsumeLedger
  readonly members: readonly Member[]
  readonly warnings: Warning[] = []
  startNs = 0
  lastRecordNs: number | null = null
  requests = 0
  hasForeignMembers: boolean
  /** Members of the group at its largest, those of other commands included. */
  mostMembers = 0
  /** The group's commits as last polled; -1 where there is none. */
  committed: ReadonlyMap<number, number> = new Map()
  readonly #context: RunContext
  readonly #group: GroupStart
  readonly #listener: ReadingListener
  readonly #header = createHeader()
  readonly #startups: Promise<void>[] = []
  readonly #knownIds = new Set<string>()
  readonly #timers: Timer[] = []
  readonly #onStop = (): void => this.#finish('stopped')
  readonly #onLost = (): void => this.#finish('lost')
  #end: ReadingEnd | null = null
  /** From here on a member keeps what it held, to be judged by. */
  #isLeaving = false
  #settle: (end: ReadingEnd) => void = () => {}
  #refuse: (error: UsageError) => void = () => {}
  #tick: Timer | null = null
  #startEpochUs = 0
  #isPolling = false
  #pollNs = Number.NEGATIVE_INFINITY
  #silentSinceNs: number | null = null
  #thaw: () => void = () => {}
  readonly #thawed = new Promise<void>((resolve) => {
    this.#thaw = resolve
  })

  constructor(context: RunContext, group: GroupStart, listener: ReadingListener) {
    this.#context = context
    this.#group = group
    this.#listener = listener
    this.ledger = new ConsumeLedger(context.topic.partitionCount, null)
    this.hasForeignMembers = group.hasForeignMembers
    this.members = Array.from(
      { length: context.options.consumers },
      (_, index) => new Member(`consumer-${index + 1}`),
    )
  }

  /**
   * Resolves when there is nothing more to read, or reading may go on no longer. Rejects with a `UsageError` when the
   * client cannot do what was asked of it.
   */
  run(): Promise<ReadingEnd> {
    const { clock, options, stop, lost } = this.#context
    const over = new Promise<ReadingEnd>((resolve, reject) => {
      this.#settle = resolve
      this.#refuse = reject
    })
    this.startNs = clock.nowNs()
    this.#startEpochUs = clock.epochMs() * 1_000
    if (lost.aborted) this.#finish('lost')
    if (stop.aborted) this.#finish('stopped')
    if (this.#end !== null) return over
    stop.addEventListener('abort', this.#onStop, { once: true })
    lost.addEventListener('abort', this.#onLost, { once: true })
    this.members.forEach((member, index) => {
      const start = (): void => void this.#startups.push(this.#start(member, index))
      if (index === 0 || options.staggerMs === 0) start()
      else this.#timers.push(clock.setTimer(index * options.staggerMs, start))
    })
    if (options.durationMs !== null) {
      this.#timers.push(clock.setTimer(options.durationMs, () => this.#finish('duration')))
    }
    this.#tick = clock.setTimer(tickMs, this.#look)
    return over
  }

  /** Commits where wanted, asks the group once more, and leaves. To be called once `run` has resolved. */
  async leave(beforeLeaving: () => Promise<void>): Promise<void> {
    const { clock, options } = this.#context
    const isLost = this.#end === 'lost'
    await endsWithin(clock, closeLimitMs, Promise.all(this.#startups))
    if (!isLost && options.autoCommit) {
      await Promise.all(this.members.map((member) => this.#commit(member)))
    }
    if (!isLost) await beforeLeaving()
    this.#isLeaving = true
    const closing = this.members.map(async (member) => member.consumer?.close())
    this.#thaw()
    await endsWithin(clock, closeLimitMs, Promise.all(closing))
  }

  /** Records between the group's position and the target, by partition; 0 where nothing can be known. */
  lagTo(targets: ReadonlyMap<number, number>): Map<number, number> {
    const lag = new Map<number, number>()
    for (const [partition, target] of targets) {
      const isUnknown = this.#isHeldElsewhere(partition) && !this.#context.options.autoCommit
      lag.set(partition, isUnknown ? 0 : Math.max(0, target - this.position(partition)))
    }
    return lag
  }

  /** How far the group has read as far as this command can know, exclusive. */
  position(partition: number): number {
    const own = this.ledger.position(partition) ?? 0
    const committed = this.committed.get(partition) ?? -1
    return Math.max(own, committed, this.#group.fromOffsets.get(partition) ?? 0)
  }

  /** Members that have not (yet) been through a join and a sync. */
  unsettled(): Member[] {
    return this.members.filter((member) => !member.hasSettled)
  }

  /** Asks for commits and members. Rejects when the broker does not answer. */
  async poll(): Promise<void> {
    const { admin, groupId, topic, clock } = this.#context
    const [committed, ids] = await Promise.all([
      admin.committedOffsets(groupId, topic.name),
      admin.groupMembers(groupId),
    ])
    this.committed = this.#usable(committed)
    this.#silentSinceNs = null
    this.#pollNs = clock.nowNs()
    this.mostMembers = Math.max(this.mostMembers, ids.length)
    const unknown = ids.filter((id) => !this.#knownIds.has(id)).length
    const unnamed = this.members.filter((member) => member.startedAtNs !== null && !member.memberId)
    if (unknown > unnamed.length) this.hasForeignMembers = true
  }

  #usable(committed: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
    const { staleCommits } = this.#group
    return new Map([...committed].filter(([partition, at]) => staleCommits.get(partition) !== at))
  }

  #isHeldElsewhere(partition: number): boolean {
    return this.hasForeignMembers && !this.members.some((member) => member.held.has(partition))
  }

  async #start(member: Member, index: number): Promise<void> {
    const { clock, driver, connection, options, topic, groupId } = this.#context
    if (this.#end !== null) return
    member.startedAtNs = clock.nowNs()
    member.lagAtStart = [...this.lagTo(this.#group.targets).values()].reduce((a, b) => a + b, 0)
    let consumer: Consumer
    try {
      consumer = await driver.createConsumer(
        connection,
        {
          topic: topic.name,
          groupId,
          clientId: member.name,
          assignor: options.assignor,
          autoCommit: options.autoCommit,
          isolation: options.isolation,
          fetchMinBytes: options.fetchMinBytes,
          fetchMaxWaitMs: options.fetchMaxWaitMs,
          maxPartitionFetchBytes: options.maxPartitionFetchBytes,
          sessionTimeoutMs: options.sessionTimeoutMs,
          allocate: allocateReceived,
        },
        this.#sinkOf(member, index),
      )
      member.consumer = consumer
      if (this.#end === null) await consumer.start()
    } catch (error) {
      member.crash = messageOf(error)
      if (!(error instanceof UsageError)) return
      this.#refuse(error)
      this.#finish('crashed')
    }
  }

  #sinkOf(member: Member, index: number): ConsumerSink {
    return {
      onBatch: (batch) => this.#onBatch(member, index, batch),
      onGroupEvent: (event) => {
        if (this.#isLeaving) return
        member.onGroupEvent(event)
        if (event.type === 'assigned') this.ledger.onAssigned(index, event.partitions)
        else if (event.type !== 'generation') this.ledger.onRevoked(index)
        if (member.memberId !== null) this.#knownIds.add(member.memberId)
      },
      onFetch: (serviceNs, hasRecords) => {
        if (this.#end !== null) return
        this.requests += 1
        if (hasRecords) this.#listener.onFetch(serviceNs)
      },
      onCrash: (error) => {
        member.crash = error.message
      },
    }
  }

  /**
   * After the end nothing counts: the batch waits, so that the client neither goes on nor commits it.
   * With `-n` the batch is taken in slices, so that the position is right where the count is reached.
   */
  #onBatch(member: Member, index: number, batch: BatchCursor): void | Promise<void> {
    if (this.#end !== null) return this.#thawed
    const header = this.#header
    const receivedUs = this.#startEpochUs + (batch.receivedAtNs - this.startNs) / 1_000
    let records = 0
    let bytes = 0
    let slice = this.#openSlice(index, batch, batch.fromOffset)
    while (batch.next()) {
      while (batch.offset >= slice.to && this.#remaining() > 0) {
        slice = this.#openSlice(index, batch, slice.to)
      }
      if (batch.offset >= slice.to) break
      const verdict = parseRecord(batch, header)
      if (!slice.run.observe(batch.offset, verdict, header)) continue
      const alike = verdict === 'ok' ? passAlike(batch, slice.run, slice.to) : 0
      records += 1 + alike
      bytes += Math.max(0, batch.valueLength) * (1 + alike)
      if (verdict === 'ok' && header.intendedAtEpochUs >= this.#startEpochUs) {
        const latencyUs = Math.max(0, receivedUs - header.intendedAtEpochUs)
        this.#listener.onEndToEnd(latencyUs, 1 + alike)
      }
    }
    while (slice.to < batch.toOffset && this.#remaining() > 0) {
      slice = this.#openSlice(index, batch, slice.to)
    }
    member.records = this.ledger.recordsOf(index)
    this.#count(member, { records, bytes, atNs: batch.receivedAtNs })
    return slice.to < batch.toOffset ? this.#thawed : undefined
  }

  #openSlice(index: number, batch: BatchCursor, from: number): { to: number; run: MemberRun } {
    const to = Math.min(batch.toOffset, from + this.#remaining())
    return { to, run: this.ledger.onBatch(index, batch.partition, from, to) }
  }

  #count(member: Member, tally: BatchTally): void {
    if (tally.records > 0) {
      this.lastRecordNs = Math.max(this.lastRecordNs ?? 0, tally.atNs)
      member.firstRecordNs ??= tally.atNs
    }
    this.#silentSinceNs = null
    this.#listener.onBatch(tally)
    if (this.#remaining() === 0) this.#finish('count')
  }

  #remaining(): number {
    const { messageCount } = this.#context.options
    return messageCount === null ? Number.POSITIVE_INFINITY : messageCount - this.ledger.consumed
  }

  readonly #look = (): void => {
    const { clock } = this.#context
    if (this.#end !== null) return
    const nowNs = clock.nowNs()
    const end = this.#endBy(nowNs)
    if (end !== null) return this.#finish(end)
    this.#commitAtTarget()
    if (nowNs - this.#pollNs >= pollIntervalMs * 1e6) void this.#pollQuietly(nowNs)
    this.#tick = clock.setTimer(tickMs, this.#look)
  }

  #endBy(nowNs: number): ReadingEnd | null {
    const { options } = this.#context
    const started = this.members.filter((member) => member.startedAtNs !== null)
    if (
      started.length === this.members.length &&
      started.every((member) => member.crash !== null)
    ) {
      return 'crashed'
    }
    if (this.#silentSinceNs !== null && nowNs - this.#silentSinceNs >= silenceLimitMs * 1e6) {
      return 'lost'
    }
    const progressNs = this.lastRecordNs ?? this.startNs
    if (options.durationMs === null && nowNs - progressNs >= stallLimitMs * 1e6) return 'stalled'
    return options.until === 'drained' && this.#isDrained(nowNs) ? 'drained' : null
  }

  /** Every partition has been read to the target, and every member has been in a settled generation. */
  #isDrained(nowNs: number): boolean {
    if (this.unsettled().length > 0 || this.#isHandingOver(nowNs)) return false
    for (const lag of this.lagTo(this.#group.targets).values()) if (lag > 0) return false
    return true
  }

  /** A cooperative newcomer gets in the next generation what others give up in this one (KIP-429). */
  #isHandingOver(nowNs: number): boolean {
    const { options, topic } = this.#context
    if (options.assignor !== 'cooperative-sticky') return false
    if (Math.max(this.mostMembers, this.members.length) > topic.partitionCount) return false
    return this.members.some((member) => {
      const idleNs = member.idleNs(nowNs)
      return idleNs !== null && idleNs < handoverLimitNs
    })
  }

  /** Other commands wait for this command's commits, so those that reach the target are made at once. */
  #commitAtTarget(): void {
    if (!this.#context.options.autoCommit) return
    for (const [index, member] of this.members.entries()) {
      const positions = this.ledger.positions(index)
      for (const [partition, position] of positions) {
        const target = this.#group.targets.get(partition) ?? 0
        if (position < target || member.committedAtTarget.has(partition)) continue
        member.committedAtTarget.add(partition)
        member.consumer?.commit(new Map([[partition, position]])).catch(() => {
          member.committedAtTarget.delete(partition)
        })
      }
    }
  }

  async #pollQuietly(nowNs: number): Promise<void> {
    if (this.#isPolling) return
    this.#isPolling = true
    try {
      await this.poll()
    } catch {
      this.#silentSinceNs ??= nowNs
    } finally {
      this.#isPolling = false
      this.#pollNs = this.#context.clock.nowNs()
    }
  }

  async #commit(member: Member): Promise<void> {
    const { clock } = this.#context
    const positions = this.ledger.positions(this.members.indexOf(member))
    if (member.consumer === null || positions.size === 0) return
    try {
      await withTimeLimit(clock, commitLimitMs, 'commit', member.consumer.commit(positions))
    } catch (error) {
      this.warnings.push({
        code: 'commit-failed',
        text: `${member.name}: its last commit failed: ${messageOf(error)}`,
        advice: 'Other members of the group may read some of its records again.',
      })
    }
  }

  #finish(end: ReadingEnd): void {
    if (this.#end !== null) return
    this.#end = end
    this.#tick?.cancel()
    for (const timer of this.#timers) timer.cancel()
    this.#context.stop.removeEventListener('abort', this.#onStop)
    this.#context.lost.removeEventListener('abort', this.#onLost)
    this.#settle(end)
  }
}

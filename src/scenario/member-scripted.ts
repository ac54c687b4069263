/**
 * A group member of bench's own, over the protocol codec: it does what a client library does, and what its script tells
 * it to do otherwise, so that the coordinator can be shown what libraries do on their bad days only.
 */
import type { Driver } from '../clients/driver.ts'
import { loadDriver } from '../clients/index.ts'
import { assignGroup, partitionsIn, protocolNames, topicsOf } from '../clients/wire/assignment.ts'
import { ConnectionError } from '../clients/wire/errors.ts'
import type { JoinAnswer, MemberAssignment } from '../clients/wire/group-requests.ts'
import { type Clock, sleep } from '../clock.ts'
import { messageOf, UsageError } from '../errors.ts'
import { encodeSubscription } from '../protocol/consumer-protocol.ts'
import { errorCode } from '../protocol/errors.ts'
import { readBenchVersion } from '../results/environment.ts'
import { GroupRefusal, type MemberRequests, openGroupRequests } from './member-group-requests.ts'
import type { MemberLink } from './member-link.ts'
import type { MemberOptions, MemberScript } from './member-protocol.ts'
import { MemberReading } from './member-reading.ts'

const backoffMs = 100
const { UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, MEMBER_ID_REQUIRED } = errorCode
export interface ScriptedParts {
  readonly requests: MemberRequests
  /** Its readers are used, its group members not. */
  readonly driver: Driver
  readonly options: MemberOptions
  readonly link: MemberLink
  readonly clock: Clock
}

export class ScriptedMember {
  readonly #parts: ScriptedParts
  readonly #script: MemberScript
  readonly #stop = new AbortController()
  #memberId = ''
  #generationId = -1
  #reading: MemberReading | null = null
  /** As of the last commit that was accepted. */
  #committed = new Map<number, number>()
  #joinsToLose: number

  constructor(parts: ScriptedParts) {
    this.#parts = parts
    const { script } = parts.options
    if (script === null) throw new UsageError('script: a scripted member needs one, be it {}')
    this.#script = script
    this.#joinsToLose = this.#script.loseJoinAnswers
  }

  /** Resolves to the exit code when told to stop, or when the group wants it no more. */
  async run(): Promise<0 | 1> {
    const { link, clock, requests } = this.#parts
    link.tell({ type: 'joining', atMs: clock.epochMs() })
    const obeyed = this.#obey()
    try {
      await this.#live()
      await this.#leave()
      await obeyed
      link.tell({ type: 'left', atMs: clock.epochMs() })
      return 0
    } catch (error) {
      this.#tellError(error, true)
      return 1
    } finally {
      await this.#reading?.end()
      requests.close()
    }
  }

  get #isStopping(): boolean {
    return this.#stop.signal.aborted
  }

  async #obey(): Promise<void> {
    for await (const command of this.#parts.link.commands) {
      if (command.type === 'stop') break
      if (command.type === 'commit' && this.#parts.options.commit !== 'none') await this.#commit()
    }
    this.#stop.abort()
  }

  async #live(): Promise<void> {
    while (!this.#isStopping) {
      try {
        await this.#untilStop(this.#liveOneGeneration())
      } catch (error) {
        if (error instanceof GroupRefusal && !error.isPassing) throw error
        this.#tellError(error, false)
        await this.#sleep(backoffMs)
      }
    }
  }

  /** From a join to the word to join again. */
  async #liveOneGeneration(): Promise<void> {
    const joined = await this.#join()
    if (joined === null || this.#isStopping) return
    await this.#sleep(this.#script.syncDelayMs)
    const isLeader = joined.leader === this.#memberId
    const { neverSyncFromGeneration: from, neverSyncOnlyAsLeader } = this.#script
    const holdsBack = from !== null && joined.generationId >= from
    if (holdsBack && (isLeader || !neverSyncOnlyAsLeader)) return this.#holdBack()
    const assignments = isLeader ? await this.#assign(joined) : []
    const partitions = await this.#sync(assignments)
    if (partitions === null || this.#isStopping) return
    const hasGivenUp = await this.#take(partitions)
    if (!hasGivenUp) await this.#beatUntilTold()
    if (!this.#isStopping) await this.#prepareRejoin()
  }

  async #join(): Promise<JoinAnswer | null> {
    const { requests, options } = this.#parts
    const losesAnswer = this.#joinsToLose > 0
    if (losesAnswer) this.#joinsToLose -= 1
    const name = protocolNames[options.assignor]
    let answer: JoinAnswer
    try {
      const protocol = { name, metadata: this.#subscription() }
      answer = await (losesAnswer
        ? requests.joinInVain(this.#memberId, protocol)
        : requests.join(this.#memberId, protocol))
    } catch (error) {
      if (this.#script.retriesJoinWithoutId) this.#memberId = ''
      throw error
    }
    if (answer.errorCode === 0) {
      this.#memberId = answer.memberId
      this.#generationId = answer.generationId
      return answer
    }
    if (answer.errorCode === MEMBER_ID_REQUIRED) this.#memberId = answer.memberId
    await this.#onRefusal('join', answer.errorCode)
    return null
  }

  #subscription(): Buffer {
    const { topic, assignor } = this.#parts.options
    const topics = [topic]
    if (assignor !== 'cooperative-sticky') return encodeSubscription(0, { topics })
    const ownedPartitions = [{ topic, partitions: this.#owned() }]
    return encodeSubscription(1, { topics, ownedPartitions })
  }

  #owned(): number[] {
    return [...(this.#reading?.positions.keys() ?? [])]
  }

  async #assign(joined: JoinAnswer): Promise<MemberAssignment[]> {
    const { requests, options } = this.#parts
    return assignGroup(options.assignor, joined, await requests.partitionsOf(topicsOf(joined)))
  }

  /** null when the coordinator has no assignment for it. */
  async #sync(assignments: readonly MemberAssignment[]): Promise<number[] | null> {
    const { requests, options } = this.#parts
    const name = protocolNames[options.assignor]
    const answer = await requests.sync(this.#identity(), name, assignments)
    if (answer.errorCode !== 0) {
      await this.#onRefusal('sync', answer.errorCode)
      return null
    }
    return partitionsIn(answer.assignment, options.topic)
  }

  /** Lets the others wait for a SyncGroup that does not come. */
  async #holdBack(): Promise<void> {
    const { lateSyncMs } = this.#script
    if (lateSyncMs === null) {
      await this.#beatUntilTold(true)
      // The group has forgotten it; it does not come back.
      return this.#sleep(null)
    }
    await this.#beatFor(lateSyncMs)
    const partitions = await this.#sync([])
    if (partitions === null || this.#isStopping) return
    await this.#take(partitions)
    await this.#beatUntilTold()
    if (!this.#isStopping) await this.#prepareRejoin()
  }

  /** Reads what was assigned. True when it gave up partitions and has to join again so that others get them. */
  async #take(partitions: readonly number[]): Promise<boolean> {
    const { requests, link, clock } = this.#parts
    const before = this.#reading
    const given = this.#owned().filter((partition) => !partitions.includes(partition))
    await before?.end()
    if (given.length > 0) {
      await this.#commitIfWanted()
      link.tell({ type: 'revoked', partitions: given, atMs: clock.epochMs() })
    }
    const { memberId } = this.#identity()
    const generation = this.#generationId
    link.tell({
      type: 'assigned',
      memberId,
      generation,
      partitions: [...partitions],
      atMs: clock.epochMs(),
    })
    const kept = before?.positions ?? new Map<number, number>()
    const added = partitions.filter((partition) => !kept.has(partition))
    const positions = await requests.startPositions(added, this.#script.fetchesAllOffsets)
    // What is kept was read on without a commit: it is committed as far as it was before.
    const committed = new Map(positions)
    for (const partition of partitions) {
      const at = kept.get(partition)
      if (at === undefined) continue
      positions.set(partition, at)
      committed.set(partition, this.#committed.get(partition) ?? -1)
    }
    if (this.#isStopping) return false
    this.#committed = committed
    this.#read(positions)
    return given.length > 0
  }

  #read(positions: ReadonlyMap<number, number>): void {
    const { options } = this.#parts
    this.#reading = new MemberReading(
      {
        ...this.#parts,
        onHandled: async () => {
          if (options.commit === 'each-batch') await this.#commit()
        },
        onCrash: (message) => this.#tellError(new Error(message), false),
      },
      positions,
    )
    this.#reading.begin()
  }

  async #beatUntilTold(goesOnInRebalance = false): Promise<void> {
    while (!this.#isStopping) {
      await this.#sleep(this.#parts.options.heartbeatIntervalMs)
      if (this.#isStopping) return
      const code = await this.#beat()
      if (code === 0 || (goesOnInRebalance && code === REBALANCE_IN_PROGRESS)) continue
      return this.#onRefusal('heartbeat', code)
    }
  }

  /** For as long as it takes its time; what it is told meanwhile comes again. */
  async #beatFor(durationMs: number): Promise<void> {
    const { clock, options } = this.#parts
    const endNs = clock.nowNs() + durationMs * 1e6
    while (!this.#isStopping) {
      const leftMs = (endNs - clock.nowNs()) / 1e6
      if (leftMs <= 0) return
      await this.#sleep(Math.min(leftMs, options.heartbeatIntervalMs))
      if (!this.#isStopping) await this.#beat()
    }
  }

  async #beat(): Promise<number> {
    if (this.#script.neverHeartbeats) return 0
    if (this.#parts.options.commit === 'auto') await this.#commitIfWanted()
    return this.#parts.requests.heartbeat(this.#identity())
  }

  async #prepareRejoin(): Promise<void> {
    const { assignor } = this.#parts.options
    if (assignor !== 'cooperative-sticky') await this.#revokeAll()
    if (this.#memberId !== '') await this.#beatFor(this.#script.rejoinDelayMs)
  }

  async #revokeAll(): Promise<void> {
    const { link, clock } = this.#parts
    if (this.#reading === null) return
    await this.#reading.end()
    if (this.#memberId !== '') await this.#commitIfWanted()
    this.#reading = null
    link.tell({ type: 'revoked', partitions: null, atMs: clock.epochMs() })
  }

  async #leave(): Promise<void> {
    const { requests, options } = this.#parts
    await this.#revokeAll()
    if (this.#memberId === '' || options.groupInstanceId !== null) return
    try {
      await requests.leave(this.#memberId)
    } catch (error) {
      this.#tellError(error, false)
    }
  }

  async #commitIfWanted(): Promise<void> {
    const { commit } = this.#parts.options
    if (commit === 'none' || commit === 'manual') return
    const positions = this.#reading?.positions ?? new Map<number, number>()
    const hasMoved = [...positions].some(([partition, at]) => this.#committed.get(partition) !== at)
    if (hasMoved) await this.#commit()
  }

  /** A refusal is told, not thrown: a rebalance may have come between. */
  async #commit(): Promise<void> {
    const { requests, link, clock } = this.#parts
    const positions = new Map(this.#reading?.positions)
    try {
      const code = positions.size === 0 ? 0 : await requests.commit(this.#identity(), positions)
      if (code !== 0) return this.#tellError(new GroupRefusal('commit', code), false)
      this.#committed = positions
      link.tell({ type: 'committed', offsets: [...positions], atMs: clock.epochMs() })
    } catch (error) {
      this.#tellError(error, false)
    }
  }

  /** Throws a `GroupRefusal` when a client would give up. */
  async #onRefusal(doing: string, code: number): Promise<void> {
    const refusal = new GroupRefusal(doing, code)
    if (!refusal.isPassing) throw refusal
    if (code === UNKNOWN_MEMBER_ID) {
      this.#memberId = ''
      await this.#revokeAll()
    }
    if (code === REBALANCE_IN_PROGRESS || code === MEMBER_ID_REQUIRED) return
    this.#tellError(refusal, false)
    await this.#sleep(backoffMs)
  }

  #identity() {
    return { memberId: this.#memberId, generationId: this.#generationId }
  }

  /** Until `stop` with null. */
  #sleep(delayMs: number | null): Promise<void> {
    const { signal } = this.#stop
    if (delayMs === 0) return Promise.resolve()
    if (delayMs !== null) return sleep(this.#parts.clock, delayMs, signal)
    return new Promise((resolve) => {
      if (signal.aborted) return resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** What waits for a rebalance is not waited for any longer once it has to leave. */
  async #untilStop(work: Promise<void>): Promise<void> {
    work.catch(() => {})
    await Promise.race([work, this.#sleep(null)])
  }

  #tellError(error: unknown, isFatal: boolean): void {
    const code = error instanceof GroupRefusal ? error.code : null
    const message =
      error instanceof ConnectionError ? `connection: ${error.message}` : messageOf(error)
    const atMs = this.#parts.clock.epochMs()
    this.#parts.link.tell({ type: 'error', code, message, isFatal, atMs })
  }
}

/** Resolves to the exit code. Rejects with a `SurroundingsError` when no broker answers. */
export const runScriptedMember = async (
  options: MemberOptions,
  link: MemberLink,
  clock: Clock,
): Promise<0 | 1> => {
  link.tell({ type: 'hello', library: 'scripted', version: readBenchVersion() })
  const requests = await openGroupRequests(options, clock)
  const driver = await loadDriver('kafkajs')
  return new ScriptedMember({ requests, driver, options, link, clock }).run()
}

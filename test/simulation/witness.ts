import type { DescribedGroup } from '../../src/broker/group/requests.ts'
import { errorCode } from '../../src/protocol/errors.ts'
import type { AnswerOf, Exchange, GroupApi } from './exchange.ts'
import { Generations } from './generations.ts'
import { JoinModel } from './join-model.ts'
import { OffsetModel } from './offset-model.ts'
import { Presence } from './presence.ts'
import type { Schedule } from './schedule.ts'
import type { InvariantName, Violation } from './violation.ts'

/**
 * Watches a coordinator from its doorstep: every request, every answer, and the group as it describes itself after
 * each step. Keeps the first violation of an invariant; knows nothing of the coordinator's inside.
 */

export interface Blame {
  /** Only the first is kept: what follows is most often its consequence. */
  (invariant: InvariantName, text: string): void
}

type Identified = { readonly memberId: string; readonly groupInstanceId: string | null }

export class Witness {
  violation: Violation | null = null
  readonly generations: Generations
  readonly offsets: OffsetModel
  readonly #presence: Presence
  readonly #joins: JoinModel
  readonly #schedule: Schedule
  readonly #nowMs: () => number
  #group: DescribedGroup | null = null

  constructor(schedule: Schedule, nowMs: () => number) {
    const blame: Blame = (invariant, text) => this.blame(invariant, text)
    this.#schedule = schedule
    this.#nowMs = nowMs
    this.generations = new Generations(blame, nowMs, schedule)
    this.#presence = new Presence(blame, nowMs, schedule, this.generations)
    this.#joins = new JoinModel(blame, nowMs, this.#presence, schedule)
    this.offsets = new OffsetModel(blame)
  }

  /** As the coordinator described it after its last step. */
  get group(): DescribedGroup | null {
    return this.#group
  }

  blame(invariant: InvariantName, text: string): void {
    this.violation ??= { invariant, text, atMs: this.#nowMs() }
  }

  /** After each step of the coordinator. */
  see(group: DescribedGroup | null): void {
    const before = this.#group
    this.#group = group
    this.generations.see(before, group)
    this.#presence.see(before, group)
    this.#joins.see(before, group)
  }

  /** The coordinator has forgotten all but the committed offsets. */
  onRestart(): void {
    this.#group = null
    this.generations.forget()
    this.#presence.forget()
    this.#joins.forget()
  }

  /** Before each step of the coordinator, when all that the last one brought about is out. */
  beforeStep(): void {
    this.generations.checkWhole()
    this.#joins.beforeStep(this.#group)
  }

  onRequest<N extends GroupApi>(exchange: Exchange<N>): void {
    const asked = exchange as Exchange<GroupApi>
    this.beforeStep()
    if (isOf(asked, 'JoinGroup')) {
      this.#presence.onJoin(asked)
      this.#joins.onRequest(asked)
    }
    if (isOf(asked, 'LeaveGroup')) {
      this.#presence.onLeave(asked)
      this.#joins.onLeave(asked)
    }
    if (isOf(asked, 'SyncGroup')) this.generations.onSync(asked)
    this.#noteWaiting(asked, 1)
  }

  /** `isAtOnce`: in the same step as the request. */
  onAnswer<N extends GroupApi>(exchange: Exchange<N>, given: AnswerOf<N>, isAtOnce: boolean): void {
    const asked = exchange as Exchange<GroupApi>
    this.#noteWaiting(asked, -1)
    if (isOf(asked, 'JoinGroup')) this.#onJoined(asked, given as AnswerOf<'JoinGroup'>, isAtOnce)
    else if (isOf(asked, 'SyncGroup')) {
      this.#onSynced(asked, given as AnswerOf<'SyncGroup'>, isAtOnce)
    } else if (isOf(asked, 'Heartbeat')) this.#onHeartbeat(asked, given as AnswerOf<'Heartbeat'>)
    else if (isOf(asked, 'OffsetCommit')) {
      this.#onCommitted(asked, given as AnswerOf<'OffsetCommit'>)
    } else if (isOf(asked, 'OffsetFetch')) {
      this.offsets.onFetched(asked, given as AnswerOf<'OffsetFetch'>)
    }
  }

  /** Once the group has come to rest. */
  checkEnd(): void {
    this.beforeStep()
    const { generationLimit: limit } = this.#schedule
    const { count } = this.generations
    if (limit !== null && count > limit) {
      this.blame('I5', `${count} generations, where members came and went for at most ${limit}`)
    }
  }

  #noteWaiting(asked: Exchange<GroupApi>, change: 1 | -1): void {
    if (isOf(asked, 'JoinGroup') || isOf(asked, 'SyncGroup')) {
      this.#presence.onWaiting(asked.request.memberId, change)
    }
  }

  #onJoined(asked: Exchange<'JoinGroup'>, given: AnswerOf<'JoinGroup'>, isAtOnce: boolean): void {
    const { memberId, errorCode: code } = given
    if (code === errorCode.NONE || code === errorCode.MEMBER_ID_REQUIRED) {
      this.#presence.onHandedOut(memberId)
    }
    if (code === errorCode.NONE) {
      this.generations.onJoined(asked, given, isAtOnce, this.#group)
      this.#presence.onJoined(asked, memberId)
      if (!isAtOnce) this.#presence.onContact(memberId)
    }
    this.#joins.onAnswer(asked, given, isAtOnce)
  }

  #onSynced(asked: Exchange<'SyncGroup'>, given: AnswerOf<'SyncGroup'>, isAtOnce: boolean): void {
    const isAssigned = given.errorCode === errorCode.NONE
    if (isAssigned) this.generations.onSynced(asked, given)
    const isCancelled = !isAtOnce && this.#group?.state === 'PreparingRebalance'
    // Its session begins anew with every sync that was waited for, and with the leader's.
    const isDue = asked.before?.state === 'CompletingRebalance'
    if (isCancelled || (isAssigned && isDue)) this.#presence.onContact(asked.request.memberId)
    if (!isAtOnce) return
    const expected = this.#expectedCode(asked, asked.request, asked.request.generationId)
    this.#compare('SyncGroup', asked.request, given.errorCode, expected)
  }

  #onHeartbeat(asked: Exchange<'Heartbeat'>, given: AnswerOf<'Heartbeat'>): void {
    const { request } = asked
    const expected = this.#expectedCode(asked, request, request.generationId)
    this.#compare('Heartbeat', request, given.errorCode, expected)
    if (expected === 0 || expected === errorCode.REBALANCE_IN_PROGRESS) {
      this.#presence.onContact(request.memberId)
    }
  }

  #onCommitted(asked: Exchange<'OffsetCommit'>, given: AnswerOf<'OffsetCommit'>): void {
    const { request } = asked
    const generationId = request.generationIdOrMemberEpoch
    const isBetween = asked.before?.state === 'CompletingRebalance'
    const verdict =
      asked.before === null
        ? unknownGroupCode(asked.call.version)
        : this.#expectedCode(asked, request, generationId)
    const isMember = verdict === 0 || verdict === errorCode.REBALANCE_IN_PROGRESS
    const between = isBetween ? errorCode.REBALANCE_IN_PROGRESS : errorCode.NONE
    // While members are asked to rejoin, those of the generation that ends may commit for the last time.
    const expected = isMember ? between : verdict
    for (const { partitions } of given.topics) {
      for (const partition of partitions) {
        this.#compare('OffsetCommit', request, partition.errorCode, expected)
      }
    }
    // A commit of nothing is answered before the group is asked.
    if (expected === errorCode.NONE && request.topics.length > 0) {
      this.#presence.onContact(request.memberId)
    }
    this.offsets.onCommitted(asked, given)
  }

  /** What Kafka answers to a heartbeat of these: the instance is looked at first, then the member, then the generation. */
  #expectedCode(
    { before }: Exchange<GroupApi>,
    { memberId, groupInstanceId }: Identified,
    generationId: number,
  ): number {
    if (before === null) return errorCode.UNKNOWN_MEMBER_ID
    const { members } = before
    if (groupInstanceId !== null) {
      const holder = members.find((member) => member.groupInstanceId === groupInstanceId)
      if (holder === undefined) return errorCode.UNKNOWN_MEMBER_ID
      if (holder.memberId !== memberId) return errorCode.FENCED_INSTANCE_ID
    } else if (!members.some((member) => member.memberId === memberId)) {
      return errorCode.UNKNOWN_MEMBER_ID
    }
    if (generationId !== this.generations.currentId) return errorCode.ILLEGAL_GENERATION
    return before.state === 'PreparingRebalance' ? errorCode.REBALANCE_IN_PROGRESS : errorCode.NONE
  }

  #compare(api: GroupApi, { memberId }: Identified, code: number, expected: number): void {
    if (code === expected) return
    this.blame('I8', `${api} of ${memberId} was answered ${code}, where Kafka answers ${expected}`)
  }
}

/** What an OffsetCommit calls a group that there is not (KIP-848). */
const unknownGroupCode = (version: number): number =>
  version >= 9 ? errorCode.GROUP_ID_NOT_FOUND : errorCode.ILLEGAL_GENERATION

const isOf = <N extends GroupApi>(
  exchange: Exchange<GroupApi>,
  api: N,
): exchange is Exchange<N> & Exchange<GroupApi> => exchange.api === api

import type { DescribedGroup } from '../../src/broker/group/requests.ts'
import { errorCode } from '../../src/protocol/errors.ts'
import type { RequestOf } from '../../src/protocol/messages/index.ts'
import type { AnswerOf, Exchange } from './exchange.ts'
import type { Presence } from './presence.ts'
import type { Schedule } from './schedule.ts'
import type { Blame } from './witness.ts'

/** What members have said in their joins, and for whom a join phase has to wait (I3, I5, I6). */

type Protocols = RequestOf<'JoinGroup'>['protocols']

/** Whether a join gets the running generation at once or begins another one. */
type Verdict = 'answer' | 'rebalance' | null

export class JoinModel {
  readonly #blame: Blame
  readonly #nowMs: () => number
  readonly #presence: Presence
  /** By member id, of static members by instance. */
  readonly #said = new Map<string, Protocols>()
  readonly #verdicts = new Map<Exchange<'JoinGroup'>, Verdict>()
  /** Handed-out ids whose owners have not come back, and when they are given up. */
  readonly #pending = new Map<string, number>()
  #openCount = 0
  #isInitial = false
  #initialBeganMs = 0
  readonly #initialDelayMs: number
  /** Infinite where nobody says how many will come. */
  readonly #expectedMembers: number

  constructor(blame: Blame, nowMs: () => number, presence: Presence, { settings }: Schedule) {
    this.#blame = blame
    this.#nowMs = nowMs
    this.#presence = presence
    this.#initialDelayMs = Number(settings['group.initial.rebalance.delay.ms'] ?? 0)
    const expected = Number(settings['group.initial.rebalance.expected.members'] ?? 0)
    this.#expectedMembers = expected > 0 ? expected : Number.POSITIVE_INFINITY
  }

  forget(): void {
    this.#pending.clear()
    this.#verdicts.clear()
  }

  onRequest(asked: Exchange<'JoinGroup'>): void {
    const { memberId, groupInstanceId, protocols } = asked.request
    const key = keyOf(memberId, groupInstanceId)
    const verdict = this.#verdict(asked, this.#said.get(key))
    this.#verdicts.set(asked, verdict)
    this.#openCount++
    const isKnown = asked.before?.members.some((each) => each.memberId === memberId) === true
    const isReturn = memberId === '' && groupInstanceId !== null
    if (this.#pending.delete(memberId) || isKnown || isReturn) this.#said.set(key, protocols)
  }

  onAnswer(asked: Exchange<'JoinGroup'>, given: AnswerOf<'JoinGroup'>, isAtOnce: boolean): void {
    this.#openCount--
    const { memberId, errorCode: code, generationId } = given
    const { request, atMs } = asked
    if (code === errorCode.MEMBER_ID_REQUIRED) {
      this.#pending.set(memberId, atMs + request.sessionTimeoutMs)
    }
    const verdict = this.#verdicts.get(asked)
    this.#verdicts.delete(asked)
    if (code !== errorCode.NONE) return
    this.#said.set(keyOf(memberId, request.groupInstanceId), request.protocols)
    const isAnswered = isAtOnce && generationId === asked.generationId
    if (verdict === 'answer' && !isAnswered) {
      this.#blame('I5', `the join of ${memberId} changed nothing, and began a generation`)
    } else if (verdict === 'rebalance' && isAnswered) {
      this.#blame('I5', `the join of ${memberId} should have begun a generation`)
    }
    this.#checkMetadata(given)
  }

  onLeave({ request }: Exchange<'LeaveGroup'>): void {
    this.#pending.delete(request.memberId)
    for (const { memberId } of request.members) this.#pending.delete(memberId)
  }

  /** Between two steps a group does not wait for members that have all joined. */
  beforeStep(group: DescribedGroup | null): void {
    if (group?.state !== 'PreparingRebalance') return
    const nowMs = this.#nowMs()
    if (this.#isInitial) {
      if (this.#openCount < this.#expectedMembers) return
      this.#blame('I6', 'all expected members have joined, and the first generation does not begin')
      return
    }
    for (const [memberId, untilMs] of this.#pending) {
      if (untilMs < nowMs) this.#pending.delete(memberId)
    }
    if (this.#pending.size > 0 || this.#openCount < group.members.length) return
    this.#blame('I6', 'all members have joined, and the next generation does not begin')
  }

  see(before: DescribedGroup | null, now: DescribedGroup | null): void {
    const wasPreparing = before?.state === 'PreparingRebalance'
    if (now?.state === 'PreparingRebalance' && !wasPreparing) {
      this.#isInitial = before === null || before.state === 'Empty'
      this.#initialBeganMs = this.#nowMs()
    }
    if (now?.state !== 'CompletingRebalance' || !wasPreparing) return
    const nowMs = this.#nowMs()
    if (this.#isInitial) {
      const waitedMs = nowMs - this.#initialBeganMs
      const isDue = waitedMs >= this.#initialDelayMs || now.members.length >= this.#expectedMembers
      // In Kafka whoever expires ends even this delay, unlike whoever joins or leaves.
      const hasExpired = [...this.#pending.values()].includes(nowMs)
      const isSmaller = now.members.length < before.members.length
      if (!isDue && !hasExpired && !isSmaller)
        this.#blame('I5', `the first generation began after ${waitedMs} ms`)
      return
    }
    const awaited = [...this.#pending].find(([, untilMs]) => untilMs > nowMs)
    if (awaited === undefined || this.#presence.isJoinPhaseOver) return
    this.#blame('I5', `a generation began without waiting for ${awaited[0]}`)
  }

  #verdict({ request, before }: Exchange<'JoinGroup'>, said: Protocols | undefined): Verdict {
    const { memberId, groupInstanceId, protocols } = request
    const member = before?.members.find((each) => each.memberId === memberId)
    if (member === undefined || member.groupInstanceId !== groupInstanceId) return null
    if (said === undefined) return null
    const isSame = areSame(said, protocols)
    const mayAnswer = before?.state === 'Stable' && !this.#presence.isLeader(memberId)
    if (mayAnswer || before?.state === 'CompletingRebalance') {
      return isSame ? 'answer' : 'rebalance'
    }
    return before?.state === 'Stable' ? 'rebalance' : null
  }

  #checkMetadata({ protocolName, members }: AnswerOf<'JoinGroup'>): void {
    for (const { memberId, groupInstanceId, metadata } of members) {
      const said = this.#said.get(keyOf(memberId, groupInstanceId ?? null))
      const chosen = said?.find(({ name }) => name === protocolName)
      if (said === undefined || chosen?.metadata.equals(metadata) === true) continue
      this.#blame('I3', `the leader was not given what ${memberId} said for ${protocolName}`)
    }
  }
}

const keyOf = (memberId: string, groupInstanceId: string | null): string =>
  groupInstanceId === null ? memberId : `instance ${groupInstanceId}`

const areSame = (a: Protocols, b: Protocols): boolean =>
  a.length === b.length &&
  a.every(({ name, metadata }, i) => {
    const other = b[i]
    return other !== undefined && other.name === name && other.metadata.equals(metadata)
  })

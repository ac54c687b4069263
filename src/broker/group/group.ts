import { errorCode } from '../../protocol/errors.ts'
import {
  answerJoin,
  answerSync,
  dismiss,
  joinAnswer,
  refusedJoin,
  refusedSync,
  syncAnswer,
} from './answers.ts'
import { Member, park } from './member.ts'
import { Rebalance, type RebalanceParts } from './rebalance.ts'
import type {
  HeartbeatRequest,
  JoinAnswer,
  JoinRequest,
  MemberIdentity,
  SyncAnswer,
  SyncRequest,
} from './requests.ts'
import { Roster } from './roster.ts'

/**
 * One classic consumer group: what each request does to it, and the session timers, as in Kafka's GroupMetadataManager.
 * Every transition runs to its end at once; an answer that has to wait is a promise.
 */

export interface GroupParts extends RebalanceParts {
  readonly maxSize: number
  readonly newMemberId: (prefix: string) => string
}

const faultCode = {
  fenced: errorCode.FENCED_INSTANCE_ID,
  unknown: errorCode.UNKNOWN_MEMBER_ID,
} as const

const isOtherThan = (own: string | null, said: string | null): boolean =>
  said !== null && said !== own

export class Group {
  readonly groupId: string
  readonly roster = new Roster()
  readonly #parts: GroupParts
  readonly #rebalance: Rebalance

  constructor(groupId: string, parts: GroupParts) {
    this.groupId = groupId
    this.#parts = parts
    this.#rebalance = new Rebalance(this.roster, parts, (member) => this.#startSession(member))
  }

  join(request: JoinRequest): JoinAnswer | Promise<JoinAnswer> {
    const { roster } = this
    const { memberId } = request
    if (roster.state === 'Dead') return refusedJoin(errorCode.COORDINATOR_NOT_AVAILABLE, memberId)
    if (!this.#hasRoomFor(memberId)) {
      this.#forget(memberId)
      return refusedJoin(errorCode.GROUP_MAX_SIZE_REACHED, '')
    }
    if (!roster.supports(request.protocolType, request.protocols)) {
      return refusedJoin(errorCode.INCONSISTENT_GROUP_PROTOCOL, memberId)
    }
    if (memberId === '') return this.#joinWithoutId(request)
    if (roster.pendingJoin.has(memberId)) {
      // A handed-out id is never a static member's; Kafka fails on this as well.
      return request.groupInstanceId === null
        ? this.#joinAsNew(request, memberId)
        : refusedJoin(errorCode.UNKNOWN_SERVER_ERROR, memberId)
    }
    const found = roster.find(request)
    return found instanceof Member
      ? this.#joinAs(found, request)
      : refusedJoin(faultCode[found], memberId)
  }

  sync(request: SyncRequest): SyncAnswer | Promise<SyncAnswer> {
    const { roster } = this
    const found = this.#findInGeneration(request)
    if (!(found instanceof Member)) return refusedSync(found)
    if (
      isOtherThan(roster.protocolType, request.protocolType) ||
      isOtherThan(roster.protocolName, request.protocolName)
    ) {
      return refusedSync(errorCode.INCONSISTENT_GROUP_PROTOCOL)
    }
    if (roster.state === 'PreparingRebalance') return refusedSync(errorCode.REBALANCE_IN_PROGRESS)
    this.#rebalance.noteSync(found)
    return roster.state === 'Stable'
      ? syncAnswer(roster, found)
      : this.#syncWhileCompleting(found, request)
  }

  /** Answers an error code. */
  heartbeat(request: HeartbeatRequest): number {
    const { roster } = this
    const isCurrent = this.#parts.rules.isHeartbeatCurrent(roster, request.generationId)
    const found = this.#findInGeneration(request, isCurrent)
    if (!(found instanceof Member)) return found
    this.#startSession(found)
    return roster.state === 'PreparingRebalance' ? errorCode.REBALANCE_IN_PROGRESS : errorCode.NONE
  }

  /** Answers an error code for each; an instance id without a member id stands for whoever holds it. */
  leave(identities: readonly MemberIdentity[]): number[] {
    const codes = identities.map((identity) => this.#leaveOne(identity))
    if (codes.includes(errorCode.NONE)) this.#rebalanceIfActive('a member left')
    return codes
  }

  /** Whether offsets may be committed, as an error code. A member that may has thereby shown that it is alive. */
  admitCommit(request: HeartbeatRequest): number {
    const { roster } = this
    if (roster.state === 'Empty' && request.generationId < 0) return errorCode.NONE
    const found = this.#findInGeneration(request)
    if (!(found instanceof Member)) return found
    if (roster.state === 'CompletingRebalance') return errorCode.REBALANCE_IN_PROGRESS
    this.#startSession(found)
    return errorCode.NONE
  }

  /**
   * Another node coordinates the group from now on: what is parked is answered NOT_COORDINATOR, who has never been in a
   * generation is forgotten, and sessions begin anew, as when Kafka loads a group from its log.
   */
  handOver(): void {
    const { roster } = this
    for (const memberId of roster.pendingJoin.keys()) this.#dropPending(memberId)
    for (const member of roster.members.values()) {
      if (member.isNew) {
        dismiss(roster, member, errorCode.NOT_COORDINATOR)
        continue
      }
      answerJoin(member, refusedJoin(errorCode.NOT_COORDINATOR, member.memberId))
      answerSync(member, refusedSync(errorCode.NOT_COORDINATOR))
      this.#startSession(member)
    }
  }

  /** Ends the group: timers stop, and what is parked is answered NOT_COORDINATOR. */
  close(): void {
    const { roster } = this
    this.#rebalance.stop()
    for (const memberId of roster.pendingJoin.keys()) this.#dropPending(memberId)
    for (const member of roster.members.values()) {
      dismiss(roster, member, errorCode.NOT_COORDINATOR)
    }
    roster.enter('Dead')
  }

  #hasRoomFor(memberId: string): boolean {
    const { roster } = this
    const { maxSize } = this.#parts
    const member = roster.members.get(memberId)
    if (roster.state === 'PreparingRebalance') {
      // Those that have joined are counted, so that the last to rejoin are turned away.
      return (member?.parkedJoin ?? null) !== null || roster.awaitingJoinCount < maxSize
    }
    return roster.state === 'Empty' || member !== undefined || roster.members.size < maxSize
  }

  #forget(memberId: string): void {
    this.#dropPending(memberId)
    const member = this.roster.members.get(memberId)
    if (member !== undefined) dismiss(this.roster, member, errorCode.UNKNOWN_MEMBER_ID)
  }

  #joinWithoutId(request: JoinRequest): JoinAnswer | Promise<JoinAnswer> {
    const { clock, newMemberId, rules } = this.#parts
    const { groupInstanceId } = request
    const memberId = newMemberId(groupInstanceId ?? request.clientId)
    const holder = groupInstanceId === null ? null : this.roster.staticMember(groupInstanceId)
    if (holder !== null) return this.#replaceStatic(holder, request, memberId)
    if (groupInstanceId !== null || !rules.isMemberIdRequired(request)) {
      return this.#joinAsNew(request, memberId)
    }
    const timer = clock.setTimer(request.sessionTimeoutMs, () => this.#expirePending(memberId))
    this.roster.pendingJoin.set(memberId, timer)
    return refusedJoin(errorCode.MEMBER_ID_REQUIRED, memberId)
  }

  #joinAsNew(request: JoinRequest, memberId: string): JoinAnswer | Promise<JoinAnswer> {
    const { roster } = this
    this.#dropPending(memberId)
    const member = new Member(memberId, request)
    member.isNew = true
    roster.add(member)
    this.#startSession(member, this.#parts.rules.newMemberTimeoutMs(member))
    if (roster.state === 'PreparingRebalance') this.#rebalance.noteNewcomer()
    return this.#joinAs(member, request)
  }

  #joinAs(member: Member, request: JoinRequest): JoinAnswer | Promise<JoinAnswer> {
    const { roster } = this
    const { rules } = this.#parts
    const isAnsweredNow =
      (roster.state === 'Stable' &&
        rules.onJoinWhileStable(roster, member, request.protocols) === 'answer') ||
      (roster.state === 'CompletingRebalance' &&
        rules.onJoinWhileCompleting(roster, member, request.protocols) === 'answer')
    return isAnsweredNow
      ? joinAnswer(roster, rules, member)
      : this.#parkJoin(member, request, `member ${member.memberId} joined`)
  }

  #parkJoin(member: Member, request: JoinRequest, reason: string): Promise<JoinAnswer> {
    member.update(request)
    // A repeated join takes the place of the first, whose connection is most likely gone.
    answerJoin(member, refusedJoin(errorCode.REBALANCE_IN_PROGRESS, member.memberId))
    const parked = park<JoinAnswer>()
    member.parkedJoin = parked
    this.#rebalance.startOrComplete(reason)
    return parked.promise
  }

  /** A static member came back without its id (KIP-345): it gets a new one, and the old one is fenced. */
  #replaceStatic(
    holder: Member,
    request: JoinRequest,
    memberId: string,
  ): JoinAnswer | Promise<JoinAnswer> {
    const { roster } = this
    const { rules } = this.#parts
    const oldLeaderId = roster.leaderId ?? ''
    answerJoin(holder, refusedJoin(errorCode.FENCED_INSTANCE_ID, holder.memberId))
    answerSync(holder, refusedSync(errorCode.FENCED_INSTANCE_ID))
    holder.sessionTimer?.cancel()
    const member = new Member(memberId, request)
    member.assignment = holder.assignment
    roster.replace(holder, member)
    this.#startSession(member)
    if (roster.state === 'Stable' && rules.selectProtocol(roster) === roster.protocolName) {
      const answer = joinAnswer(roster, rules, member)
      // Before KIP-814 it is the old leader's id that keeps a returning leader from assigning anew.
      return request.canSkipAssignment
        ? { ...answer, isAssignmentSkipped: memberId === roster.leaderId }
        : { ...answer, leader: oldLeaderId, members: [] }
    }
    return this.#parkJoin(member, request, `static member ${memberId} came back`)
  }

  #syncWhileCompleting(member: Member, request: SyncRequest): SyncAnswer | Promise<SyncAnswer> {
    const { roster } = this
    const decision = this.#parts.rules.onSyncWhileCompleting(roster, member)
    if (decision === 'park') {
      // A repeated sync takes the place of the first, whose connection is most likely gone.
      answerSync(member, refusedSync(errorCode.REBALANCE_IN_PROGRESS))
      const parked = park<SyncAnswer>()
      member.parkedSync = parked
      return parked.promise
    }
    if (decision === 'assign') {
      this.#rebalance.assign(request.assignments)
      this.#startSession(member)
    }
    return syncAnswer(roster, member)
  }

  #leaveOne(identity: MemberIdentity): number {
    const { roster } = this
    const { memberId, groupInstanceId } = identity
    if (roster.state === 'Dead') return errorCode.COORDINATOR_NOT_AVAILABLE
    if (roster.pendingJoin.has(memberId)) {
      this.#dropPending(memberId)
      return errorCode.NONE
    }
    const isByInstance = memberId === '' && groupInstanceId !== null
    const found = isByInstance
      ? (roster.staticMember(groupInstanceId) ?? 'unknown')
      : roster.find(identity)
    if (!(found instanceof Member)) return faultCode[found]
    dismiss(roster, found, errorCode.UNKNOWN_MEMBER_ID)
    return errorCode.NONE
  }

  #rebalanceIfActive(reason: string): void {
    switch (this.roster.state) {
      case 'Stable':
      case 'CompletingRebalance':
        return this.#rebalance.start(reason)
      case 'PreparingRebalance':
        return this.#rebalance.completeIfReady()
      case 'Empty':
      case 'Dead':
    }
  }

  #findInGeneration(
    request: HeartbeatRequest,
    isCurrent = request.generationId === this.roster.generationId,
  ): Member | number {
    const { roster } = this
    if (roster.state === 'Dead') return errorCode.COORDINATOR_NOT_AVAILABLE
    const found = roster.find(request)
    if (!(found instanceof Member)) return faultCode[found]
    return isCurrent ? found : errorCode.ILLEGAL_GENERATION
  }

  #startSession(member: Member, timeoutMs = this.#parts.rules.sessionTimeoutMs(member)): void {
    member.sessionTimer?.cancel()
    member.sessionTimer = this.#parts.clock.setTimer(timeoutMs, () => this.#expire(member))
  }

  #expire(member: Member): void {
    member.sessionTimer = null
    const isWaiting = member.parkedJoin !== null || member.parkedSync !== null
    if (isWaiting && !member.isNew) return
    this.#parts.log(`member ${member.memberId} expired`)
    dismiss(this.roster, member, errorCode.UNKNOWN_MEMBER_ID)
    if (this.roster.state === 'PreparingRebalance') this.#completeIfAllJoined()
    else this.#rebalance.start(`member ${member.memberId} expired`)
  }

  #expirePending(memberId: string): void {
    this.roster.pendingJoin.delete(memberId)
    this.#parts.log(`member id ${memberId} expired unused`)
    if (this.roster.state === 'PreparingRebalance') this.#completeIfAllJoined()
  }

  /** Unlike a join or a leave, an expiry may end even an initial delay. */
  #completeIfAllJoined(): void {
    if (this.#parts.rules.isJoinComplete(this.roster)) this.#rebalance.complete()
  }

  #dropPending(memberId: string): void {
    this.roster.pendingJoin.get(memberId)?.cancel()
    this.roster.pendingJoin.delete(memberId)
  }
}

import { errorCode } from '../protocol/errors.ts'
import type { Exchange } from './exchange.ts'
import {
  type Blob,
  type JoinAnswer,
  type JoinRequest,
  type LeaveRequest,
  rebalanceTimeoutOf,
  type SyncRequest,
} from './group-messages.ts'

/**
 * One group as its members' messages show it. Knows only members that are recorded: where others may be at work it
 * stays silent.
 */

interface Member {
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /** JSON of the protocols of its last join. */
  protocols: string
  /** Last time it was heard of. */
  lastSignUs: number
  isJoining: boolean
  /** Its SyncGroup waits for the leader's; the broker does not expire it meanwhile. */
  isSyncing: boolean
  /** When it was last let into a generation; null before. */
  joinedAtUs: number | null
  generationId: number
  /** The broker asked it to join again since. */
  isAsked: boolean
}

interface Roster {
  readonly generationId: number
  /** JSON of ids and subscriptions, as the leader got them. */
  readonly members: string
  readonly memberIds: readonly string[]
}

const rosterText = (answer: JoinAnswer): string =>
  JSON.stringify(
    answer.members
      .map(({ memberId, metadata }) => [memberId, metadata] as const)
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  )

export class GroupTrace {
  private readonly members = new Map<string, Member>()
  private generationId = -1
  private leader = ''
  /** As told to the last leader; null before one was seen. */
  private roster: Roster | null = null
  /** Something happened since that roster that makes Kafka rebalance. */
  private hasCause = false
  private syncedGenerationId = -1
  private assignments: SyncRequest['assignments'] = []

  onSign(memberId: string, atUs: number): void {
    const member = this.members.get(memberId)
    if (member === undefined) return
    if (this.isSilent(member, atUs)) {
      // Its session is over: whoever it is by now, the others need not wait for it.
      this.hasCause = true
      this.members.delete(memberId)
      return
    }
    member.lastSignUs = atUs
  }

  onJoinRequest(request: JoinRequest, atUs: number): void {
    const { memberId, sessionTimeoutMs } = request
    this.onSign(memberId, atUs)
    const known = this.members.get(memberId)
    const protocols = JSON.stringify(request.protocols)
    const rebalanceTimeoutMs = rebalanceTimeoutOf(request)
    // A leader that joins without being asked makes Kafka rebalance; a follower does so by another subscription.
    const isOwnWish = known !== undefined && !known.isAsked && memberId === this.leader
    if (known?.joinedAtUs == null || known.protocols !== protocols || isOwnWish)
      this.hasCause = true
    if (memberId === '') return
    this.members.set(memberId, {
      joinedAtUs: null,
      generationId: -1,
      ...known,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocols,
      lastSignUs: atUs,
      isJoining: true,
      isSyncing: false,
      isAsked: false,
    })
  }

  onJoinRefused(request: JoinRequest, answer: JoinAnswer): void {
    const member = this.members.get(request.memberId)
    if (member !== undefined) member.isJoining = false
    this.onErrorCode(request.memberId, answer.errorCode)
  }

  onErrorCode(memberId: string, code: number): void {
    const member = this.members.get(memberId)
    if (member === undefined) return
    if (code === errorCode.REBALANCE_IN_PROGRESS) member.isAsked = true
    if (code === errorCode.UNKNOWN_MEMBER_ID || code === errorCode.FENCED_INSTANCE_ID) {
      this.hasCause = true
      this.members.delete(memberId)
    }
  }

  onLeaveRequest(request: LeaveRequest): void {
    this.hasCause = true
    for (const { memberId } of [request, ...(request.members ?? [])]) {
      this.members.delete(memberId ?? '')
    }
  }

  onSyncAnswer(memberId: string, atUs: number): void {
    const member = this.members.get(memberId)
    if (member === undefined) return
    member.isSyncing = false
    member.lastSignUs = atUs
  }

  onSyncRequest(request: SyncRequest): void {
    const member = this.members.get(request.memberId)
    if (member !== undefined) member.isSyncing = true
    if (request.memberId !== this.leader && request.assignments.length === 0) return
    this.syncedGenerationId = request.generationId
    this.assignments = request.assignments
  }

  /** Names of members that belong to the group and have not joined again since `exchange` asked to join. */
  oldMembersNotBack(exchange: Exchange, request: JoinRequest, nowUs: number): string[] {
    const isNew = this.members.get(request.memberId)?.joinedAtUs == null
    if (!isNew) return []
    const olds = [...this.members].filter(([, { joinedAtUs }]) => joinedAtUs !== null)
    const patienceMs = Math.max(0, ...olds.map(([, { rebalanceTimeoutMs }]) => rebalanceTimeoutMs))
    if (nowUs - exchange.requestedAtUs >= patienceMs * 1_000) return []
    return olds
      .filter(([, old]) => !old.isJoining && (old.joinedAtUs ?? 0) < exchange.requestedAtUs)
      .filter(([, old]) => !this.isSilent(old, nowUs))
      .map(([memberId]) => `'${memberId}'`)
  }

  generationBefore(answer: JoinAnswer): number {
    return this.roster?.generationId ?? answer.generationId - 1
  }

  /** Whether the leader is told of a new generation of the same members, and nothing that was seen explains it. */
  isWithoutCause(answer: JoinAnswer, nowUs: number): boolean {
    if (answer.members.length === 0 || this.roster === null || this.hasCause) return false
    if (answer.generationId <= this.roster.generationId) return false
    if ([...this.members.values()].some((member) => this.isSilent(member, nowUs))) return false
    return rosterText(answer) === this.roster.members
  }

  onJoined(request: JoinRequest, answer: JoinAnswer, nowUs: number): void {
    const { memberId, generationId } = answer
    const before = this.members.get(request.memberId) ?? this.members.get(memberId)
    if (request.memberId !== memberId) this.members.delete(request.memberId)
    this.members.set(memberId, {
      sessionTimeoutMs: request.sessionTimeoutMs,
      rebalanceTimeoutMs: rebalanceTimeoutOf(request),
      protocols: JSON.stringify(request.protocols),
      ...before,
      lastSignUs: nowUs,
      isJoining: false,
      isSyncing: false,
      joinedAtUs: nowUs,
      generationId,
      isAsked: false,
    })
    if (generationId >= this.generationId) {
      this.generationId = generationId
      this.leader = answer.leader
    }
    if (answer.members.length > 0 && generationId > (this.roster?.generationId ?? -1)) {
      const memberIds = answer.members.map((one) => one.memberId)
      this.roster = { generationId, members: rosterText(answer), memberIds }
      this.hasCause = false
    }
  }

  /** What the leader of this generation handed in for the member; null when that was not seen. */
  assignmentGivenTo({ generationId, memberId }: SyncRequest): Blob | null {
    if (generationId !== this.syncedGenerationId) return null
    return this.assignments.find((one) => one.memberId === memberId)?.assignment ?? null
  }

  /** The leader knew of the member and left it out, as with more members than partitions: not the broker's doing. */
  isGivenNothing(request: SyncRequest): boolean {
    const { generationId, memberId } = request
    if (generationId !== this.syncedGenerationId || !this.isInRoster(generationId, memberId)) {
      return false
    }
    return (this.assignmentGivenTo(request)?.sizeBytes ?? 0) === 0
  }

  private isInRoster(generationId: number, memberId: string): boolean {
    return this.roster?.generationId === generationId && this.roster.memberIds.includes(memberId)
  }

  isBeforeLeader({ generationId, memberId }: SyncRequest): boolean {
    if (generationId !== this.generationId || memberId === this.leader) return false
    if (this.syncedGenerationId === generationId) return false
    const leader = this.members.get(this.leader)
    return leader !== undefined && (leader.isJoining || leader.generationId === generationId)
  }

  /** Not heard of for so long that the broker may have taken it for dead; a member that is joining is waited for. */
  private isSilent(member: Member, nowUs: number): boolean {
    const isParked = member.isJoining || member.isSyncing
    return !isParked && nowUs - member.lastSignUs >= member.sessionTimeoutMs * 1_000
  }
}

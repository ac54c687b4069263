import type { Timer } from '../../clock.ts'
import type { Member } from './member.ts'
import type { MemberIdentity, MemberProtocol } from './requests.ts'
import { type GroupState, previousStates } from './state.ts'

/** Who is in a group and what state it is in: the data of Kafka's ClassicGroup, with no decisions and no timers of its own. */
export class Roster {
  #state: GroupState = 'Empty'
  #previousState: GroupState = 'Empty'
  readonly #staticIds = new Map<string, string>()
  /** By member id, in the order of joining. */
  readonly members = new Map<string, Member>()
  /** Handed-out ids whose owners have not come back yet (KIP-394), with their session timers. */
  readonly pendingJoin = new Map<string, Timer>()
  /** Ids of members of this generation that have not sent a sync yet, and that some may never send (see `replace`). */
  readonly pendingSync = new Set<string>()
  generationId = 0
  protocolType: string | null = null
  protocolName: string | null = null
  leaderId: string | null = null

  get state(): GroupState {
    return this.#state
  }

  get previousState(): GroupState {
    return this.#previousState
  }

  enter(state: GroupState): void {
    if (!previousStates[state].includes(this.#state)) {
      throw new Error(`a group cannot go from ${this.#state} to ${state}`)
    }
    this.#previousState = this.#state
    this.#state = state
  }

  add(member: Member): void {
    if (this.members.size === 0) this.protocolType = member.protocolType
    this.members.set(member.memberId, member)
    if (member.groupInstanceId !== null) {
      this.#staticIds.set(member.groupInstanceId, member.memberId)
    }
    this.leaderId ??= member.memberId
  }

  remove(member: Member): void {
    this.members.delete(member.memberId)
    this.pendingSync.delete(member.memberId)
    if (member.groupInstanceId !== null) this.#staticIds.delete(member.groupInstanceId)
    if (this.leaderId === member.memberId) this.leaderId = this.members.keys().next().value ?? null
  }

  /**
   * Puts `next` in the place of `old`, the same static member under an earlier id; leadership goes with it. A sync stays
   * due of the earlier id, as in Kafka: there will be a rebalance, and nobody is removed for it.
   */
  replace(old: Member, next: Member): void {
    const wasLeader = this.leaderId === old.memberId
    const wasPendingSync = this.pendingSync.has(old.memberId)
    this.remove(old)
    this.add(next)
    if (wasLeader) this.leaderId = next.memberId
    if (wasPendingSync) this.pendingSync.add(old.memberId)
  }

  staticMember(groupInstanceId: string): Member | null {
    const memberId = this.#staticIds.get(groupInstanceId)
    return memberId === undefined ? null : (this.members.get(memberId) ?? null)
  }

  /** The member that `identity` means, or why not: another id holds the instance, or nobody is known by it. */
  find({ memberId, groupInstanceId }: MemberIdentity): Member | 'fenced' | 'unknown' {
    if (groupInstanceId !== null) {
      const holder = this.staticMember(groupInstanceId)
      if (holder !== null && holder.memberId !== memberId) return 'fenced'
      if (holder === null) return 'unknown'
    }
    return this.members.get(memberId) ?? 'unknown'
  }

  get awaitingJoinCount(): number {
    let count = 0
    for (const member of this.members.values()) if (member.parkedJoin !== null) count++
    return count
  }

  get hasAllJoined(): boolean {
    return this.pendingJoin.size === 0 && this.awaitingJoinCount === this.members.size
  }

  /** The longest of the members' rebalance timeouts. */
  get rebalanceTimeoutMs(): number {
    return Math.max(0, ...[...this.members.values()].map((member) => member.rebalanceTimeoutMs))
  }

  /** Whether a member with these protocols could be served together with those that are in the group. */
  supports(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.#state === 'Empty') return protocolType !== '' && protocols.length > 0
    return (
      protocolType === this.protocolType &&
      protocols.some(({ name }) => this.isSupportedByAll(name))
    )
  }

  isSupportedByAll(protocolName: string): boolean {
    return [...this.members.values()].every((member) => member.supports(protocolName))
  }
}

import type { Clock, Timer } from '../../clock.ts'
import { errorCode } from '../../protocol/errors.ts'
import { answerJoin, answerSync, dismiss, joinAnswer, refusedSync, syncAnswer } from './answers.ts'
import { type Member, noAssignment } from './member.ts'
import type { MemberAssignment } from './requests.ts'
import type { Roster } from './roster.ts'
import type { GroupRules } from './rules.ts'
import { kafkaTuning, type RebalanceTuning } from './tuning.ts'

/** How a group goes from one generation to the next: it gathers joins, then syncs, each phase with its timer. */

export interface RebalanceParts {
  readonly clock: Clock
  readonly rules: GroupRules
  readonly initialRebalanceDelayMs: number
  readonly log: (line: string) => void
  /** What other brokers than Kafka have; Kafka's ways unless given. */
  readonly tuning?: RebalanceTuning
}

/** Of an adaptive initial delay: it is prolonged by its length for every so many members. */
const membersPerDelay = 10

export class Rebalance {
  readonly #roster: Roster
  readonly #parts: RebalanceParts
  readonly #tuning: RebalanceTuning
  readonly #initialDelayMs: number
  readonly #startSession: (member: Member) => void
  #joinTimer: Timer | null = null
  #syncTimer: Timer | null = null
  #leaderTimer: Timer | null = null
  /** Whether somebody came during the running initial delay, which prolongs it. */
  #hasNewcomers = false

  constructor(roster: Roster, parts: RebalanceParts, startSession: (member: Member) => void) {
    this.#roster = roster
    this.#parts = parts
    this.#tuning = parts.rules.tuned(parts.tuning ?? kafkaTuning)
    this.#initialDelayMs = parts.rules.initialDelayMs(parts.initialRebalanceDelayMs)
    this.#startSession = startSession
  }

  /** After a join: asks the members to rejoin if they are not being asked already, else sees whether all have. */
  startOrComplete(reason: string): void {
    if (this.#roster.state === 'PreparingRebalance') this.completeIfReady()
    else this.start(reason)
  }

  start(reason: string): void {
    const roster = this.#roster
    const { clock, rules, log } = this.#parts
    const delayMs = this.#initialDelayMs
    if (roster.state === 'CompletingRebalance') this.#cancelSyncs()
    this.#stopSyncTimer()
    this.#stopLeaderTimer()
    roster.pendingSync.clear()
    const isInitial = roster.state === 'Empty'
    roster.enter('PreparingRebalance')
    log(`generation ${roster.generationId} ends: ${reason}`)
    if (isInitial) {
      if (this.#hasExpectedMembers) return this.complete()
      this.#hasNewcomers = false
      this.#delayInitial(delayMs, Math.max(roster.rebalanceTimeoutMs - delayMs, 0))
    } else if (rules.isJoinComplete(roster)) {
      this.complete()
    } else {
      this.#joinTimer = clock.setTimer(rules.joinTimeoutMs(roster), () => this.complete())
    }
  }

  /** Completes the join phase if all have joined, but never cuts an initial delay short, save for the members expected. */
  completeIfReady(): void {
    const isInitial = this.#roster.previousState === 'Empty'
    const isReady = isInitial
      ? this.#hasExpectedMembers
      : this.#parts.rules.isJoinComplete(this.#roster)
    if (isReady) this.complete()
  }

  /** Ends the join phase: whoever has not rejoined is dropped (static members stay), the rest is the next generation. */
  complete(): void {
    const roster = this.#roster
    const { clock, rules, log } = this.#parts
    this.#stopJoinTimer()
    for (const member of roster.members.values()) {
      if (member.parkedJoin !== null || member.isStatic) continue
      log(`member ${member.memberId} did not rejoin and is dropped`)
      dismiss(roster, member, errorCode.UNKNOWN_MEMBER_ID)
    }
    if (roster.members.size === 0) return this.#becomeEmpty()
    const leaderId = rules.electLeader(roster)
    if (leaderId === null) {
      log('no member has rejoined; the group waits on')
      this.#joinTimer = clock.setTimer(rules.joinTimeoutMs(roster), () => this.complete())
      return
    }
    roster.leaderId = leaderId
    roster.generationId++
    roster.protocolName = rules.selectProtocol(roster)
    roster.enter('CompletingRebalance')
    log(`generation ${roster.generationId} has ${roster.members.size} members`)
    for (const member of roster.members.values()) {
      answerJoin(member, joinAnswer(roster, rules, member))
      member.isNew = false
      this.#startSession(member)
      roster.pendingSync.add(member.memberId)
    }
    this.#syncTimer = clock.setTimer(rules.syncTimeoutMs(roster), () => this.#expireSyncs())
    const { leaderSyncTimeoutMs } = this.#tuning
    if (leaderSyncTimeoutMs !== null) {
      this.#leaderTimer = clock.setTimer(leaderSyncTimeoutMs, () => this.#replaceLeaderSync())
    }
  }

  noteNewcomer(): void {
    this.#hasNewcomers = true
  }

  noteSync(member: Member): void {
    this.#roster.pendingSync.delete(member.memberId)
    if (this.#roster.pendingSync.size === 0) this.#stopSyncTimer()
  }

  /** The leader's assignment makes the group Stable and answers every parked sync. */
  assign(assignments: readonly MemberAssignment[]): void {
    const roster = this.#roster
    this.#stopLeaderTimer()
    const assignmentOf = new Map(assignments.map((each) => [each.memberId, each.assignment]))
    for (const member of roster.members.values()) {
      member.assignment = assignmentOf.get(member.memberId) ?? noAssignment
      if (answerSync(member, syncAnswer(roster, member))) this.#startSession(member)
    }
    roster.enter('Stable')
  }

  stop(): void {
    this.#stopJoinTimer()
    this.#stopSyncTimer()
    this.#stopLeaderTimer()
  }

  /** Lets the first members gather (KIP-134): newcomers prolong the wait, at most to the rebalance timeout. */
  #delayInitial(delayMs: number, remainingMs: number): void {
    const { clock } = this.#parts
    this.#joinTimer = clock.setTimer(delayMs, () => {
      if (!this.#hasNewcomers || remainingMs === 0) return this.complete()
      this.#hasNewcomers = false
      const wantedMs = this.#initialDelayMs * this.#delayFactor
      const nextDelayMs = Math.min(wantedMs, remainingMs)
      this.#delayInitial(nextDelayMs, remainingMs - nextDelayMs)
    })
  }

  get #delayFactor(): number {
    const { isDelayAdaptive } = this.#tuning
    return isDelayAdaptive ? Math.ceil(this.#roster.awaitingJoinCount / membersPerDelay) : 1
  }

  get #hasExpectedMembers(): boolean {
    const { expectedMembers } = this.#tuning
    return expectedMembers > 0 && this.#roster.awaitingJoinCount >= expectedMembers
  }

  /** The leader has not synced in time: what it would have said is made up for it, or else it goes the way of all that do not sync. */
  #replaceLeaderSync(): void {
    const assignments = this.#tuning.assignForLeader(this.#roster)
    this.#parts.log(
      `leader ${this.#roster.leaderId} did not sync in time${assignments === null ? '' : '; the broker assigns'}`,
    )
    if (assignments === null) this.#expireSyncs()
    else this.assign(assignments)
  }

  #becomeEmpty(): void {
    const roster = this.#roster
    roster.generationId++
    roster.protocolName = null
    roster.enter('Empty')
    this.#parts.log(`generation ${roster.generationId} is empty`)
  }

  #cancelSyncs(): void {
    for (const member of this.#roster.members.values()) {
      member.assignment = noAssignment
      const wasParked = answerSync(member, refusedSync(errorCode.REBALANCE_IN_PROGRESS))
      if (wasParked) this.#startSession(member)
    }
  }

  #expireSyncs(): void {
    const roster = this.#roster
    for (const memberId of roster.pendingSync) {
      const member = roster.members.get(memberId)
      if (member !== undefined) dismiss(roster, member, errorCode.UNKNOWN_MEMBER_ID)
    }
    this.start('members did not sync in time')
  }

  #stopJoinTimer(): void {
    this.#joinTimer?.cancel()
    this.#joinTimer = null
  }

  #stopSyncTimer(): void {
    this.#syncTimer?.cancel()
    this.#syncTimer = null
  }

  #stopLeaderTimer(): void {
    this.#leaderTimer?.cancel()
    this.#leaderTimer = null
  }
}

import type { Member } from './member.ts'
import type { JoinRequest, MemberProtocol, PartitionOffset } from './requests.ts'
import type { Roster } from './roster.ts'
import type { RebalanceTuning } from './tuning.ts'

/** The decisions of a group as named functions, so that a defect is a set of rules with one of them replaced. */
export interface GroupRules {
  /** Whether a dynamic newcomer is sent away to come back with the id it is given (KIP-394). */
  isMemberIdRequired(request: JoinRequest): boolean
  /** After a join into a Stable group by a newcomer or a known member: rebalance, or answer the generation as it is. */
  onJoinWhileStable(
    roster: Roster,
    member: Member,
    protocols: readonly MemberProtocol[],
  ): 'rebalance' | 'answer'
  /** The same while the leader's assignment is awaited. */
  onJoinWhileCompleting(
    roster: Roster,
    member: Member,
    protocols: readonly MemberProtocol[],
  ): 'rebalance' | 'answer'
  /** How long the first members of an empty group are waited for, out of what the settings say. */
  initialDelayMs(settingMs: number): number
  /** What is made of the settings that Kafka does not have. */
  tuned(tuning: RebalanceTuning): RebalanceTuning
  /** Whether the next generation can begin without waiting for the join timer. */
  isJoinComplete(roster: Roster): boolean
  /** How long a rebalance waits for members of the last generation. */
  joinTimeoutMs(roster: Roster): number
  /** How long a generation waits for its members' syncs. */
  syncTimeoutMs(roster: Roster): number
  /** How long a newcomer's first join may stay parked. */
  newMemberTimeoutMs(member: Member): number
  /** How long a member may stay silent. */
  sessionTimeoutMs(member: Member): number
  /** Whether a member that names this generation in a heartbeat is up to date. */
  isHeartbeatCurrent(roster: Roster, generationId: number): boolean
  /** Whether an admitted commit is kept. */
  isCommitKept(offset: PartitionOffset): boolean
  /** Whether a sync brings the assignment, waits for it, or is answered with what there is. */
  onSyncWhileCompleting(roster: Roster, member: Member): 'assign' | 'park' | 'answer'
  /** The member that leads the next generation; null when none has joined. */
  electLeader(roster: Roster): string | null
  /** The protocol of the next generation. */
  selectProtocol(roster: Roster): string | null
  /** Whether the answer to this member's join lists all members. */
  isGivenMembers(roster: Roster, member: Member): boolean
}

const electLeader = ({ leaderId, members }: Roster): string | null => {
  const joined = [...members.values()].filter((member) => member.parkedJoin !== null)
  const leader = joined.find((member) => member.memberId === leaderId) ?? joined[0]
  return leader?.memberId ?? null
}

/** Where a Java HashMap of few entries has `text` among its keys. */
const bucketOf = (text: string): number => {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return (hash ^ (hash >>> 16)) & 15
}

/**
 * Each member votes for the first of its protocols that all support; the most votes win, and of as many those of the
 * protocol that Kafka's map of votes has first. So the choice stays when a static member comes back and is last.
 */
const selectProtocol = (roster: Roster): string | null => {
  const members = [...roster.members.values()]
  const names = members[0]?.protocols.map(({ name }) => name) ?? []
  const candidates = new Set(names.filter((name) => roster.isSupportedByAll(name)))
  const votes = new Map<string, number>()
  for (const member of members) {
    const choice = member.protocols.find(({ name }) => candidates.has(name))
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  let winner: string | null = null
  let most = 0
  for (const name of [...votes.keys()].toSorted((a, b) => bucketOf(a) - bucketOf(b))) {
    const count = votes.get(name) ?? 0
    if (count > most) [winner, most] = [name, count]
  }
  return winner
}

/** The rules of Apache Kafka (GroupMetadataManager, ClassicGroup). */
export const kafkaGroupRules: GroupRules = {
  isMemberIdRequired: (request) => request.isMemberIdRequired,
  onJoinWhileStable: (roster, member, protocols) =>
    member.isNew || member.memberId === roster.leaderId || !member.hasProtocols(protocols)
      ? 'rebalance'
      : 'answer',
  onJoinWhileCompleting: (_roster, member, protocols) =>
    member.isNew || !member.hasProtocols(protocols) ? 'rebalance' : 'answer',
  initialDelayMs: (settingMs) => settingMs,
  tuned: (tuning) => tuning,
  isJoinComplete: (roster) => roster.hasAllJoined,
  joinTimeoutMs: (roster) => roster.rebalanceTimeoutMs,
  syncTimeoutMs: (roster) => roster.rebalanceTimeoutMs,
  newMemberTimeoutMs: () => 5 * 60_000,
  sessionTimeoutMs: (member) => member.sessionTimeoutMs,
  isHeartbeatCurrent: (roster, generationId) => generationId === roster.generationId,
  isCommitKept: () => true,
  onSyncWhileCompleting: (roster, member) =>
    member.memberId === roster.leaderId ? 'assign' : 'park',
  electLeader,
  selectProtocol,
  isGivenMembers: (roster, member) => member.memberId === roster.leaderId,
}

import type { MemberAssignment } from './requests.ts'
import type { Roster } from './roster.ts'

/** How a group's rebalances differ from Kafka's. */
export interface RebalanceTuning {
  /** The initial delay ends once so many members have joined; 0: it never ends early. */
  readonly expectedMembers: number
  /** Whether the initial delay is prolonged by more the more members have come. */
  readonly isDelayAdaptive: boolean
  /** How long a generation waits for its leader's sync; null: as long as for every other. */
  readonly leaderSyncTimeoutMs: number | null
  /** The assignment in the place of the leader's that did not come; null when the group's members are to be removed instead. */
  readonly assignForLeader: (roster: Roster) => readonly MemberAssignment[] | null
}

export const kafkaTuning: RebalanceTuning = {
  expectedMembers: 0,
  isDelayAdaptive: false,
  leaderSyncTimeoutMs: null,
  assignForLeader: () => null,
}

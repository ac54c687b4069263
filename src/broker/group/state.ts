/** The five states of a classic group: how each answers every request, and what leads out of it. Source: Kafka's ClassicGroupState. */

/**
 * `Empty`: no members; may hold committed offsets and handed-out member ids.
 * - join: starts the initial delay; sync, heartbeat, leave: UNKNOWN_MEMBER_ID; commit: taken from a simple consumer
 * - a member is added -> PreparingRebalance; the group is deleted -> Dead
 *
 * `PreparingRebalance`: members are asked to rejoin.
 * - join: parked; sync, heartbeat: REBALANCE_IN_PROGRESS; leave: member goes; commit: taken in the old generation
 * - all members have joined, or the join timer ends -> CompletingRebalance; none is left -> Empty
 *
 * `CompletingRebalance`: the generation has its members and waits for the leader's assignment.
 * - join: the same answer again, or a rebalance when the member's protocols differ; sync: parked until the leader's;
 *   heartbeat: fine; leave: member goes; commit: REBALANCE_IN_PROGRESS
 * - the leader's sync -> Stable; a member comes, goes or changes, or the sync timer ends -> PreparingRebalance
 *
 * `Stable`: every member has an assignment.
 * - join: of a follower with unchanged protocols the same generation at once, else a rebalance; sync: the assignment
 *   at once; heartbeat: fine; leave: member goes; commit: taken
 * - a member comes, goes or changes, the leader rejoins, or the sync timer ends -> PreparingRebalance
 *
 * `Dead`: deleted or closed; every request gets COORDINATOR_NOT_AVAILABLE, and nothing leads out of it.
 */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** From which states each state may be entered. */
export const previousStates: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead'],
}

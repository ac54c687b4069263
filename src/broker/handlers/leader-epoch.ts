import { errorCode } from '../../protocol/errors.ts'

/** The leader epoch of every partition: there is one node, so leaders never change. */
export const leaderEpoch = 0

/** The error of a request that believes in `currentLeaderEpoch` (KIP-320); -1 is no belief. */
export const leaderEpochFault = (currentLeaderEpoch: number): number => {
  if (currentLeaderEpoch < 0 || currentLeaderEpoch === leaderEpoch) return errorCode.NONE
  return errorCode.UNKNOWN_LEADER_EPOCH
}

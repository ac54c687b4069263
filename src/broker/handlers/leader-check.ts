import { errorCode } from '../../protocol/errors.ts'
import type { BrokerContext } from '../context.ts'
import type { Placement } from '../placement.ts'

/** Whether the node that was asked may answer for a partition. Source: Kafka's Partition.getLocalLog, ReplicaManager. */

/** What a request says of the leader that it believes in. */
interface Belief {
  /** -1: none (KIP-320). */
  readonly currentLeaderEpoch?: number
  /** Whether a replica that does not lead may answer too (KIP-392). */
  readonly mayBeFollower?: boolean
}

/** The error code for a request to `nodeId` about an existing partition. */
export const leaderFault = (
  { replicas, leaderId, leaderEpoch }: Placement,
  nodeId: number,
  { currentLeaderEpoch = -1, mayBeFollower = false }: Belief = {},
): number => {
  if (!replicas.includes(nodeId)) return errorCode.NOT_LEADER_OR_FOLLOWER
  if (currentLeaderEpoch >= 0 && currentLeaderEpoch !== leaderEpoch) {
    return currentLeaderEpoch < leaderEpoch
      ? errorCode.FENCED_LEADER_EPOCH
      : errorCode.UNKNOWN_LEADER_EPOCH
  }
  return leaderId === nodeId || mayBeFollower ? errorCode.NONE : errorCode.NOT_LEADER_OR_FOLLOWER
}

/** What tells a client where to go instead (KIP-951): the leader of a partition, for the partition's answer. */
export const currentLeaderOf = ({ leaderId, leaderEpoch }: Placement) => ({ leaderId, leaderEpoch })

/** The same for the whole answer: how the leaders that it names are reached. */
export const endpointsOf = (leaderIds: ReadonlySet<number>, { cluster }: BrokerContext) =>
  cluster.nodes
    .filter(({ nodeId }) => leaderIds.has(nodeId))
    .map(({ nodeId, host, port }) => ({ nodeId, host, port }))

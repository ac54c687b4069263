import { messageOf } from '../../errors.ts'
import { errorCode } from '../../protocol/errors.ts'
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/alter-partition-reassignments.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { StorageError } from '../store/store.ts'

type Wish = AlterPartitionReassignmentsRequest['topics'][number]['partitions'][number]

interface Fault {
  readonly errorCode: number
  readonly errorMessage: string | null
}

const alter = (
  topic: string,
  { partitionIndex, replicas }: Wish,
  mayChangeCount: boolean,
  { cluster }: BrokerContext,
): Fault => {
  const placement = cluster.placementOf(topic, partitionIndex)
  if (placement === null) {
    return {
      errorCode: errorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: `Unable to find partition ${topic}-${partitionIndex}.`,
    }
  }
  if (replicas === null) {
    return { errorCode: errorCode.NO_REASSIGNMENT_IN_PROGRESS, errorMessage: null }
  }
  const reason = cluster.replicasFault([replicas])
  if (reason !== null) {
    return { errorCode: errorCode.INVALID_REPLICA_ASSIGNMENT, errorMessage: reason }
  }
  if (!mayChangeCount && replicas.length !== placement.replicas.length) {
    return {
      errorCode: errorCode.INVALID_REPLICATION_FACTOR,
      errorMessage: `The replication factor is ${placement.replicas.length} and must not change.`,
    }
  }
  try {
    cluster.reassign(topic, partitionIndex, replicas)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    return { errorCode: errorCode.KAFKA_STORAGE_ERROR, errorMessage: messageOf(error) }
  }
  return { errorCode: errorCode.NONE, errorMessage: null }
}

/**
 * AlterPartitionReassignments: v0-1 (KIP-455)
 * Behaviour: other replicas for a partition, done when it is answered, as nothing has to be copied. A leader that is not
 * among them gives way to the first of them. Null replicas, to cancel, are NO_REASSIGNMENT_IN_PROGRESS. Partitions of
 * `__consumer_offsets` move the coordinator of their groups: see `Cluster`.
 * Version notes: v1 may forbid another number of replicas (KIP-860).
 */
export const handleAlterPartitionReassignments: Handler<
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse
> = ({ topics, allowReplicationFactorChange }, _call, broker) => ({
  errorCode: errorCode.NONE,
  allowReplicationFactorChange,
  responses: topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((wish) => ({
      partitionIndex: wish.partitionIndex,
      ...alter(name, wish, allowReplicationFactorChange, broker),
    })),
  })),
})

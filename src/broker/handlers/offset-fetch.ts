import { errorCode } from '../../protocol/errors.ts'
import type {
  OffsetFetchRequest,
  OffsetFetchResponse,
} from '../../protocol/messages/offset-fetch.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { isCoordinator } from './coordinator-check.ts'

/**
 * OffsetFetch: v1-9
 * Behaviour: answers every partition that was asked for, with offset -1 and no error where nothing is committed, an
 * unknown group included.
 * Version notes: v2 null topics ask for all that is committed (KIP-88); v5 adds the leader epoch (KIP-320); v7 asks for
 * stable offsets only, which all are without transactions (KIP-447); v8 asks for many groups, each answered under its
 * id (KIP-709); v9 adds member id and epoch, of no meaning to classic groups (KIP-848).
 */
export const handleOffsetFetch: Handler<OffsetFetchRequest, OffsetFetchResponse> = (
  request,
  { version },
  broker,
) => {
  const { groups } = broker
  if (version >= 8) {
    return {
      groups: request.groups.map(({ groupId, topics }) =>
        isCoordinator(groupId, broker)
          ? { groupId, topics: fetchTopics(groups, groupId, topics) }
          : { groupId, topics: [], errorCode: errorCode.NOT_COORDINATOR },
      ),
    }
  }
  const { groupId, topics } = request
  if (isCoordinator(groupId, broker)) return { topics: fetchTopics(groups, groupId, topics) }
  // Before v2 there is no error of the whole answer.
  return version < 2
    ? { topics: refuseTopics(topics, errorCode.NOT_COORDINATOR) }
    : { topics: [], errorCode: errorCode.NOT_COORDINATOR }
}

type RequestedTopics = OffsetFetchRequest['topics']

const refuseTopics = (requested: RequestedTopics, code: number) =>
  (requested ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      metadata: '',
      errorCode: code,
    })),
  }))

const fetchTopics = (
  groups: BrokerContext['groups'],
  groupId: string,
  requested: RequestedTopics,
) => {
  const asked = requested?.map(({ name, partitionIndexes }) => ({
    topic: name,
    partitions: partitionIndexes,
  }))
  return groups.fetchOffsets(groupId, asked ?? null).map(({ topic, partitions }) => ({
    name: topic,
    partitions: partitions.map(({ partition, offset, leaderEpoch, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      metadata,
      errorCode: errorCode.NONE,
    })),
  }))
}

import { errorCode } from '../../protocol/errors.ts'
import type {
  OffsetCommitRequest,
  OffsetCommitResponse,
} from '../../protocol/messages/offset-commit.ts'
import type { Handler } from '../context.ts'
import { isCoordinator } from './coordinator-check.ts'

/**
 * OffsetCommit: v2-9
 * Behaviour: UNKNOWN_TOPIC_OR_PARTITION for partitions that do not exist; the others share the group's verdict, but for
 * OFFSET_METADATA_TOO_LARGE. Generation -1 commits for a group without members.
 * Version notes: v2-4 carry a retention time; v6 adds the leader epoch (KIP-320); v7 the group instance id (KIP-345);
 * v9 calls an unknown group GROUP_ID_NOT_FOUND (KIP-848), before it is ILLEGAL_GENERATION.
 * Not done: offsets never expire, so the retention time has no effect.
 */
export const handleOffsetCommit: Handler<OffsetCommitRequest, OffsetCommitResponse> = (
  request,
  { version },
  broker,
) => {
  const { groups, topics } = broker
  if (!isCoordinator(request.groupId, broker)) {
    return answer(request, () => errorCode.NOT_COORDINATOR)
  }
  const existing = request.topics.flatMap(({ name, partitions }) => {
    const partitionCount = topics.get(name)?.partitionCount ?? 0
    return partitions
      .filter(({ partitionIndex: index }) => index >= 0 && index < partitionCount)
      .map((requested) => ({ topic: name, requested }))
  })
  const codes = groups.commitOffsets({
    groupId: request.groupId,
    memberId: request.memberId,
    groupInstanceId: request.groupInstanceId,
    generationId: request.generationIdOrMemberEpoch,
    knowsGroupIdNotFound: version >= 9,
    offsets: existing.map(({ topic, requested }) => ({
      topic,
      partition: requested.partitionIndex,
      offset: requested.committedOffset,
      leaderEpoch: requested.committedLeaderEpoch,
      metadata: requested.committedMetadata ?? '',
    })),
  })
  const codeOf = new Map(existing.map(({ requested }, i) => [requested, codes[i]]))
  return answer(
    request,
    (requested) => codeOf.get(requested) ?? errorCode.UNKNOWN_TOPIC_OR_PARTITION,
  )
}

type Requested = OffsetCommitRequest['topics'][number]['partitions'][number]

const answer = (
  { topics }: OffsetCommitRequest,
  codeOf: (requested: Requested) => number,
): OffsetCommitResponse => ({
  topics: topics.filter(isAsked).map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((requested) => ({
      partitionIndex: requested.partitionIndex,
      errorCode: codeOf(requested),
    })),
  })),
})

/** Kafka leaves a topic without partitions out of its answer. */
const isAsked = ({ partitions }: OffsetCommitRequest['topics'][number]): boolean =>
  partitions.length > 0

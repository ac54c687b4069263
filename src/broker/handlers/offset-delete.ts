import { errorCode } from '../../protocol/errors.ts'
import type {
  OffsetDeleteRequest,
  OffsetDeleteResponse,
} from '../../protocol/messages/offset-delete.ts'
import type { Handler } from '../context.ts'
import { isCoordinator } from './coordinator-check.ts'

/**
 * OffsetDelete: v0
 * Behaviour: deletes committed offsets; GROUP_SUBSCRIBED_TO_TOPIC where active members read the topic,
 * UNKNOWN_TOPIC_OR_PARTITION where there is none, no error where nothing was committed (KIP-496).
 */
export const handleOffsetDelete: Handler<OffsetDeleteRequest, OffsetDeleteResponse> = (
  request,
  _call,
  broker,
) => {
  const { groups, topics } = broker
  if (!isCoordinator(request.groupId, broker)) {
    return { errorCode: errorCode.NOT_COORDINATOR, topics: [] }
  }
  const exists = (topic: string, index: number): boolean =>
    index >= 0 && index < (topics.get(topic)?.partitionCount ?? 0)
  const requested = request.topics.map(({ name, partitions }) => ({
    topic: name,
    partitions: partitions.map(({ partitionIndex }) => partitionIndex),
  }))
  const existing = requested.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.filter((index) => exists(topic, index)),
  }))
  const codes = groups.deleteOffsets(request.groupId, existing)
  if (typeof codes === 'number') return { errorCode: codes, topics: [] }
  return {
    errorCode: errorCode.NONE,
    topics: requested.map(({ topic, partitions }, i) => ({
      name: topic,
      partitions: partitions.map((partitionIndex) => ({
        partitionIndex,
        errorCode: exists(topic, partitionIndex)
          ? (codes[i] ?? errorCode.NONE)
          : errorCode.UNKNOWN_TOPIC_OR_PARTITION,
      })),
    })),
  }
}

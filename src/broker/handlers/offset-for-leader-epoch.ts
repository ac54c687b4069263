import { errorCode } from '../../protocol/errors.ts'
import type {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/offset-for-leader-epoch.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { endOfEpoch } from '../placement.ts'
import { StorageError } from '../store/store.ts'
import { leaderFault } from './leader-check.ts'

/** OffsetForLeaderEpoch (KIP-320): where an epoch of a partition's leaders ended; the current one at the log's end. */

type PartitionResponse = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number]

const answerPartition = (
  topic: string,
  wanted: OffsetForLeaderEpochRequest['topics'][number]['partitions'][number],
  broker: BrokerContext,
): PartitionResponse => {
  const { partition } = wanted
  try {
    const log = broker.topics.partition(topic, partition)
    if (!log) return { partition, errorCode: errorCode.UNKNOWN_TOPIC_OR_PARTITION }
    const placement = broker.topics.placement(topic, partition)
    const { currentLeaderEpoch } = wanted
    const code = leaderFault(placement, broker.nodeId, { currentLeaderEpoch })
    if (code !== errorCode.NONE) return { partition, errorCode: code }
    return {
      partition,
      errorCode: code,
      ...endOfEpoch(placement, wanted.leaderEpoch, log.logEndOffset),
    }
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    broker.topics.reportFault(error)
    return { partition, errorCode: errorCode.KAFKA_STORAGE_ERROR }
  }
}

export const handleOffsetForLeaderEpoch: Handler<
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse
> = (request, _call, broker) => ({
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((wanted) => answerPartition(topic, wanted, broker)),
  })),
})

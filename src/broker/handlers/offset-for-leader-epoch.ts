import { errorCode } from '../../protocol/errors.ts'
import type {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/offset-for-leader-epoch.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { StorageError } from '../store/store.ts'
import { leaderEpoch, leaderEpochFault } from './leader-epoch.ts'

/** OffsetForLeaderEpoch (KIP-320): there is one epoch, and it ends at the log's end. */

type PartitionResponse = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number]

const answerPartition = (
  topic: string,
  wanted: OffsetForLeaderEpochRequest['topics'][number]['partitions'][number],
  broker: BrokerContext,
): PartitionResponse => {
  const { partition } = wanted
  try {
    const log = broker.topics.partition(topic, partition)
    const code = log
      ? leaderEpochFault(wanted.currentLeaderEpoch)
      : errorCode.UNKNOWN_TOPIC_OR_PARTITION
    return log && code === errorCode.NONE && wanted.leaderEpoch === leaderEpoch
      ? { partition, errorCode: code, leaderEpoch, endOffset: log.logEndOffset }
      : { partition, errorCode: code }
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

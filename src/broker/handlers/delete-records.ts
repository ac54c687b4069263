import { errorCode } from '../../protocol/errors.ts'
import type {
  DeleteRecordsRequest,
  DeleteRecordsResponse,
} from '../../protocol/messages/delete-records.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { StorageError } from '../store/store.ts'
import { leaderFault } from './leader-check.ts'

/** DeleteRecords (KIP-107): moves the log start up to an offset; -1 is the high watermark. */

type PartitionResponse = DeleteRecordsResponse['topics'][number]['partitions'][number]

const refused = (partitionIndex: number, code: number): PartitionResponse => ({
  partitionIndex,
  errorCode: code,
  lowWatermark: -1,
})

const deleteFrom = (
  topic: string,
  partitionIndex: number,
  offset: number,
  broker: BrokerContext,
): PartitionResponse => {
  try {
    const log = broker.topics.partition(topic, partitionIndex)
    if (!log) return refused(partitionIndex, errorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const fault = leaderFault(broker.topics.placement(topic, partitionIndex), broker.nodeId)
    if (fault !== errorCode.NONE) return refused(partitionIndex, fault)
    if (offset < -1 || offset > log.logEndOffset) {
      return refused(partitionIndex, errorCode.OFFSET_OUT_OF_RANGE)
    }
    broker.topics.deleteRecords(topic, partitionIndex, offset === -1 ? log.logEndOffset : offset)
    return { partitionIndex, errorCode: errorCode.NONE, lowWatermark: log.logStartOffset }
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    broker.topics.reportFault(error)
    return refused(partitionIndex, errorCode.KAFKA_STORAGE_ERROR)
  }
}

export const handleDeleteRecords: Handler<DeleteRecordsRequest, DeleteRecordsResponse> = (
  request,
  _call,
  broker,
) => ({
  topics: request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, offset }) =>
      deleteFrom(name, partitionIndex, offset, broker),
    ),
  })),
})

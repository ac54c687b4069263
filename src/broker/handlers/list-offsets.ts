import { type Codec, decompress, readyCompression } from '../../protocol/compression.ts'
import { errorCode } from '../../protocol/errors.ts'
import type {
  ListOffsetsRequest,
  ListOffsetsResponse,
} from '../../protocol/messages/list-offsets.ts'
import {
  codecOf,
  type DecodedRecord,
  decodeBatch,
  maxTimestampOf,
  nextOffsetOf,
} from '../../protocol/record-batch.ts'
import type { BrokerContext, Handler } from '../context.ts'
import type { Log } from '../log.ts'
import { epochAt } from '../placement.ts'
import { StorageError } from '../store/store.ts'
import { leaderFault } from './leader-check.ts'

/**
 * ListOffsets: log end (-1), log start (-2, -4), the largest timestamp (-3), or the first record from a timestamp on.
 * Version notes: v7 -3 (KIP-734), v8 -4 and v9 -5 (KIP-405), v11 -6 (KIP-1023). There is no tiered storage, so -5 and -6 find nothing.
 */

type PartitionResponse = ListOffsetsResponse['topics'][number]['partitions'][number]
type Found = { readonly timestamp: number; readonly offset: number }

/** The first version of each negative timestamp. */
const sentinelFromVersion = new Map([
  [-1, 1],
  [-2, 1],
  [-3, 7],
  [-4, 8],
  [-5, 9],
  [-6, 11],
])
/** What one batch may become when it is decompressed. */
const maxDecompressedBytes = 100 * 2 ** 20

const findInBatch = async (
  batch: Buffer,
  isWanted: (record: DecodedRecord) => boolean,
): Promise<Found | null> => {
  await readyCompression(codecOf(batch) as Codec)
  const records = decodeBatch(batch, (codec, data) =>
    decompress(codec as Codec, data, maxDecompressedBytes),
  )
  for (const record of records) {
    if (isWanted(record)) return { timestamp: record.timestampMs, offset: record.offset }
  }
  return null
}

const findTimestamp = async (log: Log, timestampMs: number): Promise<Found | null> => {
  const { logStartOffset } = log
  let batch = log.batchAtTimestamp(timestampMs, logStartOffset)
  while (batch) {
    const found = await findInBatch(
      batch,
      (record) => record.timestampMs >= timestampMs && record.offset >= logStartOffset,
    )
    if (found) return found
    batch = log.batchAtTimestamp(timestampMs, nextOffsetOf(batch))
  }
  return null
}

const findMaxTimestamp = async (log: Log): Promise<Found | null> => {
  const batch = log.batchOfMaxTimestamp()
  return batch && findInBatch(batch, (record) => record.timestampMs === maxTimestampOf(batch))
}

const find = async (log: Log, timestamp: number): Promise<Found | null> => {
  switch (timestamp) {
    case -1:
      return { timestamp: -1, offset: log.logEndOffset }
    case -2:
    case -4:
      return { timestamp: -1, offset: log.logStartOffset }
    case -3:
      return await findMaxTimestamp(log)
    case -5:
    case -6:
      return null
    default:
      return await findTimestamp(log, timestamp)
  }
}

type Wanted = ListOffsetsRequest['topics'][number]['partitions'][number]

const answerPartition = async (
  topic: string,
  wanted: Wanted,
  version: number,
  broker: BrokerContext,
): Promise<PartitionResponse> => {
  const { partitionIndex, currentLeaderEpoch, timestamp } = wanted
  const refused = (code: number): PartitionResponse => ({ partitionIndex, errorCode: code })
  if (timestamp < 0 && version < (sentinelFromVersion.get(timestamp) ?? Infinity)) {
    return refused(errorCode.UNSUPPORTED_VERSION)
  }
  try {
    const log = broker.topics.partition(topic, partitionIndex)
    if (!log) return refused(errorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const placement = broker.topics.placement(topic, partitionIndex)
    const fault = leaderFault(placement, broker.nodeId, { currentLeaderEpoch })
    if (fault !== errorCode.NONE) return refused(fault)
    const found = await find(log, timestamp)
    const leaderEpoch = epochAt(placement, found?.offset ?? 0)
    return found
      ? { partitionIndex, errorCode: errorCode.NONE, ...found, leaderEpoch }
      : { partitionIndex, errorCode: errorCode.NONE }
  } catch (error) {
    if (error instanceof StorageError) {
      broker.topics.reportFault(error)
      return refused(errorCode.KAFKA_STORAGE_ERROR)
    }
    // Only a batch that its producer encoded wrongly cannot be decoded: its CRC was right.
    return refused(errorCode.UNKNOWN_SERVER_ERROR)
  }
}

/** A partition that is asked for twice is refused once, as Kafka does. */
const answerAll = (
  topic: string,
  wanted: readonly Wanted[],
  version: number,
  broker: BrokerContext,
): Promise<PartitionResponse[]> => {
  const byIndex = new Map<number, Wanted>()
  const repeated = new Set<number>()
  for (const one of wanted) {
    if (byIndex.has(one.partitionIndex)) repeated.add(one.partitionIndex)
    byIndex.set(one.partitionIndex, one)
  }
  return Promise.all(
    [...byIndex].map(async ([partitionIndex, one]) =>
      repeated.has(partitionIndex)
        ? { partitionIndex, errorCode: errorCode.INVALID_REQUEST }
        : answerPartition(topic, one, version, broker),
    ),
  )
}

export const handleListOffsets: Handler<ListOffsetsRequest, ListOffsetsResponse> = async (
  request,
  call,
  broker,
) => ({
  topics: await Promise.all(
    request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await answerAll(name, partitions, call.version, broker),
    })),
  ),
})

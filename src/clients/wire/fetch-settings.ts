/** What readers and group members set alike: how they fetch, where a log begins, and how they tell that they gave up. */
import type { Clock } from '../../clock.ts'
import { readyCompression } from '../../protocol/compression.ts'
import { listOffsets } from '../../protocol/messages/list-offsets.ts'
import type { ConnectionOptions, ConsumerSink, ReaderOptions } from '../driver.ts'
import { redact } from '../security.ts'
import { Cluster, describe, isConnectionLoss } from './cluster.ts'
import { assertNoError, BrokerError, toDriverError } from './errors.ts'
import type { FetchSettings } from './fetch-request.ts'
import { numberOf, textOf } from './properties.ts'

/** The timestamp that stands for the log start. */
const earliest = -2
const zstd = 4
/** kafkajs' default too, unless one partition alone may bring more. */
const leastMaxBytes = 10 * 2 ** 20
/**
 * Two answers of two partitions each, so that the half that has come of one is seldom moved to make room for the rest. Larger
 * does not help: what has just been read is to be found in the processor's cache.
 */
const receiveBufferBytes = 4 * 2 ** 20

type FetchWish = Omit<ReaderOptions, 'partitions'>

export const fetchSettings = (
  clientId: string,
  { properties, requestTimeoutMs }: ConnectionOptions,
  options: FetchWish,
): FetchSettings => ({
  clientId,
  topic: options.topic,
  isolation: options.isolation,
  minBytes: options.fetchMinBytes,
  maxWaitMs: options.fetchMaxWaitMs,
  maxBytes: numberOf(
    properties,
    'fetch.max.bytes',
    Math.max(leastMaxBytes, options.maxPartitionFetchBytes),
  ),
  partitionMaxBytes: options.maxPartitionFetchBytes,
  rackId: textOf(properties, 'client.rack', ''),
  requestTimeoutMs: numberOf(properties, 'request.timeout.ms', requestTimeoutMs),
})

/**
 * A cluster to read a topic from. Rejects with a `SurroundingsError` when no broker can be reached, and with a
 * `DriverError` for what the broker says of the topic.
 */
export const openForReading = async (
  connection: ConnectionOptions,
  { topic, allocate }: Pick<ReaderOptions, 'topic' | 'allocate'>,
  clock: Clock,
): Promise<Cluster> => {
  await readyCompression(zstd)
  try {
    const receiveBuffer = {
      sizeBytes: receiveBufferBytes,
      ...(allocate === undefined ? {} : { allocate }),
    }
    return await Cluster.open(connection, clock, { topics: [topic], receiveBuffer })
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw toDriverError(`read topic ${topic}`, error, connection)
  }
}

/** The first offset in the log. Rejects with a `BrokerError` or `ConnectionError`. */
export const logStartOf = async (
  cluster: Cluster,
  topic: string,
  partition: number,
): Promise<number> => {
  const leader = cluster.leadersOf(topic).get(partition)
  const connection = await cluster.connectionTo(leader?.leaderId ?? -1, 'control')
  const { leaderEpoch = -1 } = leader ?? {}
  const partitions = [
    { partitionIndex: partition, timestamp: earliest, currentLeaderEpoch: leaderEpoch },
  ]
  const answer = await connection.request(listOffsets, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: topic, partitions }],
    timeoutMs: 0,
  })
  const told = answer.topics[0]?.partitions[0]
  assertNoError(told?.errorCode ?? 0)
  return told?.offset ?? 0
}

export const tellCrash = (
  sink: ConsumerSink,
  error: unknown,
  connection: ConnectionOptions,
): void => {
  const message = redact(describe(error), connection)
  sink.onCrash({ message, isConnectionLost: isConnectionLoss(error) })
}

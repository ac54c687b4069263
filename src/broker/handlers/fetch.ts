import { errorCode } from '../../protocol/errors.ts'
import type { FetchRequest, FetchResponse } from '../../protocol/messages/fetch.ts'
import type { BrokerContext, Call, Handler } from '../context.ts'
import type { Log } from '../log.ts'
import { StorageError } from '../store/store.ts'
import { leaderEpoch, leaderEpochFault } from './leader-epoch.ts'

/**
 * Fetch: whole batches as they are stored; waits for `minBytes` until `maxWaitMs` is over.
 * Version notes: v7 sessions (KIP-227), v9 leader epochs (KIP-320), v11 preferred replica (KIP-392),
 * v13 topics by id (KIP-516).
 * Not done: sessions. Every request to open one is answered with session 0, which means none.
 */

type FetchPartition = FetchRequest['topics'][number]['partitions'][number]
type TopicResponse = FetchResponse['responses'][number]
type PartitionResponse = TopicResponse['partitions'][number]

const noBytes = Buffer.alloc(0)

const unknownCodes: ReadonlySet<number> = new Set([
  errorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorCode.UNKNOWN_TOPIC_ID,
])

const refused = (partitionIndex: number, code: number): PartitionResponse => ({
  partitionIndex,
  errorCode: code,
  highWatermark: -1,
  abortedTransactions: unknownCodes.has(code) ? [] : null,
  records: noBytes,
})

const faultOf = (log: Log | null, wanted: FetchPartition): number => {
  if (!log) return errorCode.UNKNOWN_TOPIC_OR_PARTITION
  const { currentLeaderEpoch, lastFetchedEpoch, fetchOffset } = wanted
  if (leaderEpochFault(currentLeaderEpoch) !== errorCode.NONE) {
    return leaderEpochFault(currentLeaderEpoch)
  }
  // Records of an epoch that never was are of another log.
  const isForeign = lastFetchedEpoch > leaderEpoch
  return isForeign || fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset
    ? errorCode.OFFSET_OUT_OF_RANGE
    : errorCode.NONE
}

/** With names put in for ids; a topic whose id nobody knows has an empty name. */
const named = (request: FetchRequest, version: number, broker: BrokerContext): FetchRequest => {
  if (version < 13) return request
  const topics = request.topics.map((wanted) => ({
    ...wanted,
    topic: broker.topics.getById(wanted.topicId)?.name ?? '',
  }))
  return { ...request, topics }
}

/** Reads all partitions of one request, within its budget of bytes. */
class FetchRead {
  readonly #request: FetchRequest
  readonly #broker: BrokerContext
  readonly #namelessCode: number
  #remainingBytes: number
  readBytes = 0
  hasFault = false

  constructor(request: FetchRequest, version: number, broker: BrokerContext) {
    this.#request = named(request, version, broker)
    this.#broker = broker
    this.#namelessCode =
      version < 13 ? errorCode.UNKNOWN_TOPIC_OR_PARTITION : errorCode.UNKNOWN_TOPIC_ID
    this.#remainingBytes = Math.min(request.maxBytes, broker.settings['fetch.max.bytes'])
  }

  run(): FetchResponse {
    const responses = this.#request.topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map((wanted) => this.#readPartition(topic, wanted)),
    }))
    return { errorCode: errorCode.NONE, sessionId: 0, responses }
  }

  #readPartition(topic: string, wanted: FetchPartition): PartitionResponse {
    try {
      const log = this.#broker.topics.partition(topic, wanted.partition)
      const code = topic === '' ? this.#namelessCode : faultOf(log, wanted)
      if (!log || code !== errorCode.NONE) {
        this.hasFault = true
        return refused(wanted.partition, code)
      }
      return this.#readLog(log, wanted)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.#broker.topics.reportFault(error)
      this.hasFault = true
      return refused(wanted.partition, errorCode.KAFKA_STORAGE_ERROR)
    }
  }

  #readLog(log: Log, { partition, fetchOffset, partitionMaxBytes }: FetchPartition) {
    const isFirst = this.readBytes === 0
    const maxBytes = Math.min(partitionMaxBytes, this.#remainingBytes)
    const records = isFirst || maxBytes > 0 ? log.read(fetchOffset, maxBytes, isFirst) : noBytes
    this.readBytes += records.length
    this.#remainingBytes -= records.length
    return {
      partitionIndex: partition,
      errorCode: errorCode.NONE,
      highWatermark: log.logEndOffset,
      lastStableOffset: log.logEndOffset,
      logStartOffset: log.logStartOffset,
      abortedTransactions: this.#request.isolationLevel === 1 ? [] : null,
      records,
    }
  }
}

/** Answers once `missingBytes` more have come, time is over or a log was closed; not at all when the client has gone. */
const park = (
  request: FetchRequest,
  call: Call,
  broker: BrokerContext,
  missingBytes: number,
): Promise<FetchResponse | null> =>
  new Promise((resolve, reject) => {
    let missing = missingBytes
    const unwatch: (() => void)[] = []
    const stop = (): void => {
      timer.cancel()
      call.closed.removeEventListener('abort', leave)
      for (const end of unwatch) end()
    }
    const answer = (): void => {
      stop()
      try {
        resolve(new FetchRead(request, call.version, broker).run())
      } catch (error) {
        reject(error)
      }
    }
    function leave(): void {
      stop()
      resolve(null)
    }
    const timer = broker.clock.setTimer(request.maxWaitMs, answer)
    call.closed.addEventListener('abort', leave)
    const onAppend = (appendedBytes: number): void => {
      missing -= appendedBytes
      if (missing <= 0) answer()
    }
    for (const { topic, partitions } of named(request, call.version, broker).topics) {
      for (const { partition } of partitions) {
        const log = broker.topics.partition(topic, partition)
        if (log) unwatch.push(log.watch(onAppend))
      }
    }
  })

/** No session is ever given out, so one that a client names is unknown; -1 and 0 ask for a full answer. */
const hasUnknownSession = ({ sessionEpoch }: FetchRequest): boolean =>
  sessionEpoch !== -1 && sessionEpoch !== 0

export const handleFetch: Handler<FetchRequest, FetchResponse> = (request, call, broker) => {
  if (hasUnknownSession(request)) {
    return { errorCode: errorCode.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0, responses: [] }
  }
  const read = new FetchRead(request, call.version, broker)
  const response = read.run()
  const minBytes = Math.min(request.minBytes, request.maxBytes)
  const isReady = read.hasFault || read.readBytes >= minBytes || request.maxWaitMs <= 0
  if (isReady || request.topics.length === 0) return response
  if (call.closed.aborted) return null
  return park(request, call, broker, minBytes - read.readBytes)
}

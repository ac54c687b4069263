import { errorCode } from '../../protocol/errors.ts'
import type { FetchRequest, FetchResponse } from '../../protocol/messages/fetch.ts'
import type { BrokerContext, Call, Handler } from '../context.ts'
import type { Log } from '../log.ts'
import { endOfEpoch, type Placement } from '../placement.ts'
import { StorageError } from '../store/store.ts'
import { currentLeaderOf, endpointsOf, leaderFault } from './leader-check.ts'

/**
 * Fetch: whole batches as they are stored; waits for `minBytes` until `maxWaitMs` is over.
 * Version notes: v7 sessions (KIP-227), v9 leader epochs (KIP-320), v11 preferred replica (KIP-392),
 * v13 topics by id (KIP-516), v16 the leader to ask instead (KIP-951).
 * Not done: sessions. Every request to open one is answered with session 0, which means none.
 */

type FetchPartition = FetchRequest['topics'][number]['partitions'][number]
type TopicResponse = FetchResponse['responses'][number]
type PartitionResponse = TopicResponse['partitions'][number]

const noBytes = Buffer.alloc(0)

const unknownPartition = errorCode.UNKNOWN_TOPIC_OR_PARTITION
const unknownCodes: ReadonlySet<number> = new Set([unknownPartition, errorCode.UNKNOWN_TOPIC_ID])

const refused = (partitionIndex: number, code: number): PartitionResponse => ({
  partitionIndex,
  errorCode: code,
  highWatermark: -1,
  abortedTransactions: unknownCodes.has(code) ? [] : null,
  records: noBytes,
})

const faultOf = (log: Log, placement: Placement, wanted: FetchPartition): number => {
  const { lastFetchedEpoch, fetchOffset } = wanted
  // Records of an epoch that never was are of another log.
  const isForeign = lastFetchedEpoch > placement.leaderEpoch
  return isForeign || fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset
    ? errorCode.OFFSET_OUT_OF_RANGE
    : errorCode.NONE
}

/** Where the log of `wanted.lastFetchedEpoch` has ended before `wanted.fetchOffset`; null when the reader is right (KIP-595). */
const divergenceOf = (log: Log, placement: Placement, wanted: FetchPartition) => {
  const { lastFetchedEpoch, fetchOffset } = wanted
  if (lastFetchedEpoch < 0 || lastFetchedEpoch >= placement.leaderEpoch) return null
  const end = endOfEpoch(placement, lastFetchedEpoch, log.logEndOffset)
  const isRight = end?.leaderEpoch === lastFetchedEpoch && end.endOffset >= fetchOffset
  return end === null || isRight ? null : { epoch: end.leaderEpoch, endOffset: end.endOffset }
}

const leaderFaults: ReadonlySet<number> = new Set([
  errorCode.NOT_LEADER_OR_FOLLOWER,
  errorCode.FENCED_LEADER_EPOCH,
])

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
  readonly #version: number
  readonly #namelessCode: number
  /** Of the partitions that are to be asked of another node. */
  readonly #otherLeaders = new Set<number>()
  #remainingBytes: number
  readBytes = 0
  hasFault = false

  constructor(request: FetchRequest, version: number, broker: BrokerContext) {
    this.#request = named(request, version, broker)
    this.#broker = broker
    this.#version = version
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
    const nodeEndpoints = endpointsOf(this.#otherLeaders, this.#broker)
    return { errorCode: errorCode.NONE, sessionId: 0, responses, nodeEndpoints }
  }

  #readPartition(topic: string, wanted: FetchPartition): PartitionResponse {
    try {
      const log = this.#broker.topics.partition(topic, wanted.partition)
      if (!log) return this.#refuse(wanted, topic === '' ? this.#namelessCode : unknownPartition)
      const placement = this.#broker.topics.placement(topic, wanted.partition)
      const code = leaderFault(placement, this.#broker.nodeId, {
        currentLeaderEpoch: wanted.currentLeaderEpoch,
        mayBeFollower: this.#version >= 11,
      })
      if (leaderFaults.has(code)) return this.#refer(wanted, code, placement)
      if (code !== errorCode.NONE) return this.#refuse(wanted, code)
      const divergingEpoch = divergenceOf(log, placement, wanted)
      if (divergingEpoch !== null) {
        this.hasFault = true
        return { ...this.#readNothing(log, wanted), divergingEpoch }
      }
      const fault = faultOf(log, placement, wanted)
      return fault === errorCode.NONE ? this.#readLog(log, wanted) : this.#refuse(wanted, fault)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.#broker.topics.reportFault(error)
      return this.#refuse(wanted, errorCode.KAFKA_STORAGE_ERROR)
    }
  }

  #refuse({ partition }: FetchPartition, code: number): PartitionResponse {
    this.hasFault = true
    return refused(partition, code)
  }

  #refer(wanted: FetchPartition, code: number, placement: Placement): PartitionResponse {
    const response = this.#refuse(wanted, code)
    if (this.#version < 16) return response
    this.#otherLeaders.add(placement.leaderId)
    return { ...response, currentLeader: currentLeaderOf(placement) }
  }

  #readLog(log: Log, wanted: FetchPartition): PartitionResponse {
    const { fetchOffset, partitionMaxBytes } = wanted
    const isFirst = this.readBytes === 0
    const maxBytes = Math.min(partitionMaxBytes, this.#remainingBytes)
    const records = isFirst || maxBytes > 0 ? log.read(fetchOffset, maxBytes, isFirst) : noBytes
    this.readBytes += records.length
    this.#remainingBytes -= records.length
    return { ...this.#readNothing(log, wanted), records }
  }

  #readNothing(log: Log, { partition }: FetchPartition): PartitionResponse {
    return {
      partitionIndex: partition,
      errorCode: errorCode.NONE,
      highWatermark: log.logEndOffset,
      lastStableOffset: log.logEndOffset,
      logStartOffset: log.logStartOffset,
      abortedTransactions: this.#request.isolationLevel === 1 ? [] : null,
      records: noBytes,
    }
  }
}

/** Answers once `missingBytes` more have come, time is over, a log was closed or moved; not at all when the client has gone. */
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
    const { topics } = named(request, call.version, broker)
    for (const { topic, partitions } of topics) {
      for (const { partition } of partitions) {
        const log = broker.topics.partition(topic, partition)
        if (log) unwatch.push(log.watch(onAppend))
      }
    }
    const isWanted = (name: string, index: number): boolean =>
      topics.some(
        ({ topic, partitions }) =>
          topic === name && partitions.some(({ partition }) => partition === index),
      )
    unwatch.push(
      broker.cluster.watchMoves((name, index) => {
        if (isWanted(name, index)) answer()
      }),
    )
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

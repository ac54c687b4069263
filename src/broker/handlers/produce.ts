import { errorCode } from '../../protocol/errors.ts'
import type { ProduceRequest, ProduceResponse } from '../../protocol/messages/produce.ts'
import { assignAppendTime } from '../../protocol/record-batch.ts'
import { type BrokerContext, CloseConnection, type Handler } from '../context.ts'
import { type RecordFault, recordFault } from '../record-check.ts'
import { StorageError } from '../store/store.ts'
import { currentLeaderOf, endpointsOf, leaderFault } from './leader-check.ts'

/**
 * Produce: checks one batch per partition by its header, assigns its offsets in place and stores its bytes as they are.
 * Version notes: v3 record batches (KIP-98), v7 zstd (KIP-110), v8 error messages (KIP-467), v10 the leader to ask instead
 * (KIP-951). Not done: transactions.
 */

type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]

const refused = (index: number, { errorCode: code, message }: RecordFault): PartitionResponse => ({
  index,
  errorCode: code,
  baseOffset: -1,
  errorMessage: message,
})

const invalidAcks: RecordFault = {
  errorCode: errorCode.INVALID_REQUIRED_ACKS,
  message: 'acks must be -1, 0 or 1',
}
const noRecords: RecordFault = {
  errorCode: errorCode.INVALID_RECORD,
  message: 'there are no records',
}

const appendTo = (
  name: string,
  index: number,
  records: Buffer | null,
  request: { version: number; transactionalId: string | null },
  broker: BrokerContext,
): PartitionResponse => {
  const place = broker.topics.placeOf(name, index)
  if (place === null) {
    const message = `there is no partition ${index} of topic ${name}`
    return refused(index, { errorCode: errorCode.UNKNOWN_TOPIC_OR_PARTITION, message })
  }
  const { limits, log, placement } = place
  const leaderCode = leaderFault(placement, broker.nodeId)
  if (leaderCode !== errorCode.NONE) {
    const message = `node ${broker.nodeId} does not lead partition ${index} of topic ${name}`
    const response = refused(index, { errorCode: leaderCode, message })
    return request.version < 10
      ? response
      : { ...response, currentLeader: currentLeaderOf(placement) }
  }
  // Kafka does not answer here at all; a client is better off with an answer.
  if (records === null) return refused(index, noRecords)
  const nowMs = Math.floor(broker.clock.epochMs())
  const fault = recordFault(records, limits, request, nowMs)
  if (fault) return refused(index, fault)
  const verdict = log.producers.check(records)
  if (verdict.kind === 'refuse') return refused(index, verdict)

  const { isLogAppendTime } = limits
  if (isLogAppendTime) assignAppendTime(records, nowMs)
  return {
    index,
    errorCode: errorCode.NONE,
    baseOffset:
      verdict.kind === 'duplicate'
        ? verdict.baseOffset
        : log.append(records, nowMs, placement.leaderEpoch),
    logAppendTimeMs: isLogAppendTime ? nowMs : -1,
    logStartOffset: log.logStartOffset,
  }
}

export const appendOrRefuse = (
  name: string,
  index: number,
  records: Buffer | null,
  request: { version: number; transactionalId: string | null },
  broker: BrokerContext,
): PartitionResponse => {
  try {
    return appendTo(name, index, records, request, broker)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    broker.topics.reportFault(error)
    return refused(index, { errorCode: errorCode.KAFKA_STORAGE_ERROR, message: error.message })
  }
}

export const handleProduce: Handler<ProduceRequest, ProduceResponse> = (request, call, broker) => {
  const { acks, transactionalId, topicData } = request
  const hasValidAcks = acks === -1 || acks === 0 || acks === 1
  const about = { version: call.version, transactionalId }
  let hasFault = false
  let otherLeaders: Set<number> | null = null
  const responses: ProduceResponse['responses'][number][] = []
  for (const { name, partitionData } of topicData) {
    const partitionResponses: PartitionResponse[] = []
    for (const { index, records } of partitionData) {
      const response = hasValidAcks
        ? appendOrRefuse(name, index, records, about, broker)
        : refused(index, invalidAcks)
      if (response.errorCode !== errorCode.NONE) {
        hasFault = true
        const { leaderId } = response.currentLeader ?? {}
        if (leaderId !== undefined) (otherLeaders ??= new Set()).add(leaderId)
      }
      partitionResponses.push(response)
    }
    responses.push({ name, partitionResponses })
  }
  if (acks !== 0) {
    return { responses, nodeEndpoints: otherLeaders ? endpointsOf(otherLeaders, broker) : [] }
  }
  if (hasFault) throw new CloseConnection('a produce request with acks=0 has failed')
  return null
}

import { messageOf } from '../../errors.ts'
import { errorCode } from '../../protocol/errors.ts'
import type {
  ElectLeadersRequest,
  ElectLeadersResponse,
} from '../../protocol/messages/elect-leaders.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { StorageError } from '../store/store.ts'

type TopicAnswer = ElectLeadersResponse['replicaElectionResults'][number]
type Answer = TopicAnswer['partitionResult'][number]

const electionType = { preferred: 0, unclean: 1 }

const elect = (
  topic: string,
  partitionId: number,
  isPreferred: boolean,
  { cluster }: BrokerContext,
): Answer => {
  const placement = cluster.placementOf(topic, partitionId)
  if (placement === null) {
    return {
      partitionId,
      errorCode: errorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: `No such partition as ${topic}-${partitionId}`,
    }
  }
  const { replicas, leaderId } = placement
  const [preferredId = leaderId] = replicas
  if (!isPreferred || preferredId === leaderId) {
    const errorMessage = 'Leader election not needed for topic partition.'
    return { partitionId, errorCode: errorCode.ELECTION_NOT_NEEDED, errorMessage }
  }
  try {
    cluster.reassign(topic, partitionId, replicas, preferredId)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    return {
      partitionId,
      errorCode: errorCode.KAFKA_STORAGE_ERROR,
      errorMessage: messageOf(error),
    }
  }
  return { partitionId, errorCode: errorCode.NONE, errorMessage: null }
}

const refuseAll = (
  { topicPartitions }: ElectLeadersRequest,
  errorMessage: string,
): ElectLeadersResponse => ({
  errorCode: errorCode.INVALID_REQUEST,
  replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => ({
      partitionId,
      errorCode: errorCode.INVALID_REQUEST,
      errorMessage,
    })),
  })),
})

/**
 * ElectLeaders: v0-2 (KIP-183)
 * Behaviour: the first of a partition's replicas becomes its leader; ELECTION_NOT_NEEDED where it is that, and always for
 * an unclean election, since no partition is without a leader. Null partitions ask for all, and are answered with those
 * that changed. Partitions of `__consumer_offsets` are known too: see `Cluster`.
 * Version notes: v1 adds the kind of election and an error of the whole (KIP-460).
 */
export const handleElectLeaders: Handler<ElectLeadersRequest, ElectLeadersResponse> = (
  request,
  _call,
  broker,
) => {
  const isPreferred = request.electionType === electionType.preferred
  if (!isPreferred && request.electionType !== electionType.unclean) {
    return refuseAll(request, `Unknown election type ${request.electionType}`)
  }
  const { topicPartitions } = request
  const wanted =
    topicPartitions ??
    broker.topics.list().map(({ name, partitionCount }) => ({
      topic: name,
      partitions: Array.from({ length: partitionCount }, (_, index) => index),
    }))
  const isTold = (code: number): boolean =>
    topicPartitions !== null || code !== errorCode.ELECTION_NOT_NEEDED
  return {
    errorCode: errorCode.NONE,
    replicaElectionResults: wanted.map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions
        .map((index) => elect(topic, index, isPreferred, broker))
        .filter((answer) => isTold(answer.errorCode)),
    })),
  }
}

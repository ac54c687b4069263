import { messageOf } from '../../errors.ts'
import { errorCode } from '../../protocol/errors.ts'
import type { MetadataRequest, MetadataResponse } from '../../protocol/messages/metadata.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { StorageError } from '../store/store.ts'
import type { Topic } from '../topics.ts'

type TopicAnswer = MetadataResponse['topics'][number]
type TopicWish = NonNullable<MetadataRequest['topics']>[number]

/** READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS as bits: all a topic knows. */
const topicOperations = 3_576
/** The same for the cluster, as Kafka answers it without an authorizer. */
export const clusterOperations = 8_096
/** Any node does a controller's work, so it does not matter which is told. */
export const controllerId = 1
const notAsked = -2_147_483_648

const faulty = (code: number, name: string | null, topicId = zeroUuid): TopicAnswer => ({
  errorCode: code,
  name,
  topicId,
  isInternal: false,
  partitions: [],
})

const partitionsOf = (topic: Topic, broker: BrokerContext): TopicAnswer['partitions'] =>
  Array.from({ length: topic.partitionCount }, (_, partitionIndex) => {
    const { replicas, leaderId, leaderEpoch } = broker.topics.placement(topic.name, partitionIndex)
    return {
      errorCode: 0,
      partitionIndex,
      leaderId,
      leaderEpoch,
      replicaNodes: [...replicas],
      isrNodes: [...replicas],
      offlineReplicas: [],
    }
  })

const create = (name: string, broker: BrokerContext): Topic | number => {
  const { 'num.partitions': count, 'default.replication.factor': factor } = broker.settings
  try {
    return broker.topics.create(name, count, {}, broker.cluster.replicasFor(name, count, factor))
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    broker.log(`cannot create topic ${name}: ${messageOf(error)}`)
    return errorCode.KAFKA_STORAGE_ERROR
  }
}

/** The topic, made if that is allowed, or the error code. */
const find = (name: string, mayCreate: boolean, broker: BrokerContext): Topic | number => {
  const topic = broker.topics.get(name)
  if (topic !== null) return topic
  if (broker.topics.nameFault(name) !== null) return errorCode.INVALID_TOPIC_EXCEPTION
  return mayCreate && broker.settings['auto.create.topics.enable']
    ? create(name, broker)
    : errorCode.UNKNOWN_TOPIC_OR_PARTITION
}

const answerTopics = (
  wishes: readonly TopicWish[],
  request: MetadataRequest,
  broker: BrokerContext,
): TopicAnswer[] => {
  const describe = (topic: Topic): TopicAnswer => ({
    ...faulty(0, topic.name, topic.id),
    partitions: partitionsOf(topic, broker),
    topicAuthorizedOperations: request.includeTopicAuthorizedOperations
      ? topicOperations
      : notAsked,
  })
  const ids = new Set(wishes.map(({ topicId }) => topicId).filter((id) => id !== zeroUuid))
  if (ids.size > 0) {
    return [...ids].map((id) => {
      const topic = broker.topics.getById(id)
      return topic === null ? faulty(errorCode.UNKNOWN_TOPIC_ID, null, id) : describe(topic)
    })
  }
  return [...new Set(wishes.map(({ name }) => name ?? ''))].map((name) => {
    const found = find(name, request.allowAutoTopicCreation, broker)
    return typeof found === 'number' ? faulty(found, name) : describe(found)
  })
}

/** Asking by id is for version 12 on; Kafka then tells nothing of the cluster either. */
const isMalformed = ({ name, topicId }: TopicWish): boolean => name === null || topicId !== zeroUuid
const refuseIds = ({ topics }: MetadataRequest): MetadataResponse => ({
  brokers: [],
  topics: (topics ?? []).map(({ name, topicId }) =>
    faulty(errorCode.INVALID_REQUEST, name ?? '', topicId),
  ),
  errorCode: errorCode.INVALID_REQUEST,
})

/**
 * Metadata: v0-13
 * Behaviour: all nodes, and who leads each partition. An unknown topic is made and answered at once where creation is
 * allowed, else UNKNOWN_TOPIC_OR_PARTITION; a name that Kafka refuses is INVALID_TOPIC_EXCEPTION.
 * Version notes: v0 takes no topics for all; v1 null for all; v4 may forbid creation; v8-10 cluster operations;
 * v10 topic ids (KIP-516); v12 asks by id and then ignores names, as Kafka does.
 */
export const handleMetadata: Handler<MetadataRequest, MetadataResponse> = (
  request,
  call,
  broker,
) => {
  if (call.version < 12 && request.topics?.some(isMalformed) === true) return refuseIds(request)
  const isAll = request.topics === null || (call.version === 0 && request.topics.length === 0)
  const wishes = isAll
    ? broker.topics.list().map(({ name }) => ({ name, topicId: zeroUuid }))
    : (request.topics ?? [])
  return {
    brokers: broker.cluster.nodes.map((node) => ({ ...node })),
    clusterId: broker.clusterId(),
    controllerId,
    topics: answerTopics(wishes, request, broker),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? clusterOperations
      : notAsked,
    errorCode: 0,
  }
}

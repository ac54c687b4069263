import { messageOf } from '../../errors.ts'
import { errorCode } from '../../protocol/errors.ts'
import type {
  CreateTopicsRequest,
  CreateTopicsResponse,
} from '../../protocol/messages/create-topics.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { StorageError } from '../store/store.ts'
import { maxPartitionsPerTopic, topicConfigEntries, topicConfigFault } from '../topic-configs.ts'

type Wish = CreateTopicsRequest['topics'][number]
type Answer = CreateTopicsResponse['topics'][number]

interface Fault {
  readonly errorCode: number
  readonly errorMessage: string
}

const fault = (code: number, errorMessage: string): Fault => ({ errorCode: code, errorMessage })

/** A manual assignment must be dense from 0 and name as many nodes for each partition, none of them twice. */
const assignmentFault = (wish: Wish, cluster: Cluster): Fault | null => {
  if (wish.assignments.length === 0) return null
  if (wish.numPartitions !== -1 || wish.replicationFactor !== -1) {
    return fault(
      errorCode.INVALID_REQUEST,
      'Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.',
    )
  }
  const indexes = wish.assignments.map(({ partitionIndex }) => partitionIndex)
  const isDense = indexes.toSorted((a, b) => a - b).every((index, i) => index === i)
  const reason = cluster.replicasFault(wish.assignments.map(({ brokerIds }) => brokerIds))
  if (isDense && reason === null) return null
  return fault(
    errorCode.INVALID_REPLICA_ASSIGNMENT,
    reason ?? 'Partitions must be numbered from 0 without a gap',
  )
}

const countFault = (
  { assignments, numPartitions, replicationFactor }: Wish,
  nodeCount: number,
): Fault | null => {
  const count = assignments.length > 0 ? assignments.length : numPartitions
  if (count === 0 || count < -1)
    return fault(
      errorCode.INVALID_PARTITIONS,
      'Number of partitions was set to an invalid non-positive value.',
    )
  if (count > maxPartitionsPerTopic) {
    return fault(
      errorCode.INVALID_PARTITIONS,
      `Number of partitions is limited to ${maxPartitionsPerTopic} here.`,
    )
  }
  if (replicationFactor === 0 || replicationFactor < -1) {
    return fault(
      errorCode.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    )
  }
  if (replicationFactor > nodeCount) {
    return fault(
      errorCode.INVALID_REPLICATION_FACTOR,
      `Unable to replicate the partition ${replicationFactor} time(s): The target replication factor of ${replicationFactor} cannot be reached because only ${nodeCount} broker(s) are registered.`,
    )
  }
  return null
}

const configFault = ({ configs }: Wish): Fault | null => {
  for (const { name, value } of configs) {
    const reason = topicConfigFault(name, value)
    if (reason !== null) return fault(errorCode.INVALID_CONFIG, reason)
  }
  return null
}

const faultOf = (wish: Wish, isRepeated: boolean, broker: BrokerContext): Fault | null => {
  if (isRepeated) return fault(errorCode.INVALID_REQUEST, 'Duplicate topic name.')
  const nameFault = broker.topics.nameFault(wish.name)
  if (nameFault !== null) return fault(errorCode.INVALID_TOPIC_EXCEPTION, nameFault)
  if (broker.topics.get(wish.name) !== null)
    return fault(errorCode.TOPIC_ALREADY_EXISTS, `Topic '${wish.name}' already exists.`)
  const { cluster } = broker
  return (
    assignmentFault(wish, cluster) ?? countFault(wish, cluster.nodes.length) ?? configFault(wish)
  )
}

const refuse = (name: string, given: Fault): Answer => ({
  name,
  topicId: zeroUuid,
  ...given,
  topicConfigErrorCode: 0,
  configs: [],
})

/** By partition: as assigned, or spread over the nodes. */
const replicasOf = (
  { name, assignments, numPartitions, replicationFactor }: Wish,
  { cluster, settings }: BrokerContext,
): number[][] => {
  if (assignments.length > 0) {
    return assignments
      .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
      .map(({ brokerIds }) => brokerIds)
  }
  const count = numPartitions === -1 ? settings['num.partitions'] : numPartitions
  const factor =
    replicationFactor === -1 ? settings['default.replication.factor'] : replicationFactor
  return cluster.replicasFor(name, count, factor)
}

const accept = (wish: Wish, isReal: boolean, broker: BrokerContext): Answer => {
  const given: Record<string, string> = {}
  for (const { name, value } of wish.configs) given[name] = value ?? ''
  const replicas = replicasOf(wish, broker)
  let topicId = zeroUuid
  if (isReal) {
    try {
      topicId = broker.topics.create(wish.name, replicas.length, given, replicas).id
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      return refuse(wish.name, fault(errorCode.KAFKA_STORAGE_ERROR, messageOf(error)))
    }
  }
  return {
    name: wish.name,
    topicId,
    errorCode: 0,
    errorMessage: null,
    topicConfigErrorCode: 0,
    numPartitions: replicas.length,
    replicationFactor: replicas[0]?.length ?? 1,
    configs: topicConfigEntries(given, broker.settings).map(({ name, value, source }) => ({
      name,
      value,
      readOnly: false,
      configSource: source,
      isSensitive: false,
    })),
  }
}

/**
 * CreateTopics: v2-7
 * Behaviour: each topic is made or refused by itself, with the reason in its message, and is in Metadata when this is
 * answered. -1 stands for the default number of partitions and replication factor. A name that comes twice is refused twice.
 * Version notes: v5 answers partitions and configs (KIP-525), v7 the topic id.
 */
export const handleCreateTopics: Handler<CreateTopicsRequest, CreateTopicsResponse> = (
  request,
  _call,
  broker,
) => {
  const seen = new Map<string, number>()
  for (const { name } of request.topics) seen.set(name, (seen.get(name) ?? 0) + 1)
  const topics = [...seen].map(([name, count]) => {
    const wish = request.topics.find((topic) => topic.name === name)
    const found = wish === undefined ? null : faultOf(wish, count > 1, broker)
    if (wish === undefined || found !== null)
      return refuse(name, found ?? fault(errorCode.UNKNOWN_SERVER_ERROR, ''))
    return accept(wish, !request.validateOnly, broker)
  })
  return { topics }
}

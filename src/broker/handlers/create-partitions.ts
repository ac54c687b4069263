import { messageOf } from '../../errors.ts'
import { errorCode } from '../../protocol/errors.ts'
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../../protocol/messages/create-partitions.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { StorageError } from '../store/store.ts'
import { maxPartitionsPerTopic } from '../topic-configs.ts'

type Wish = CreatePartitionsRequest['topics'][number]
type Answer = CreatePartitionsResponse['results'][number]

const faultOf = ({ name, count, assignments }: Wish, broker: BrokerContext): Answer | null => {
  const refuse = (code: number, errorMessage: string | null): Answer => ({
    name,
    errorCode: code,
    errorMessage,
  })
  const topic = broker.topics.get(name)
  if (topic === null) return refuse(errorCode.UNKNOWN_TOPIC_OR_PARTITION, null)
  const before = topic.partitionCount
  if (count === before)
    return refuse(errorCode.INVALID_PARTITIONS, `Topic already has ${before} partition(s).`)
  if (count < before) {
    return refuse(
      errorCode.INVALID_PARTITIONS,
      `The topic ${name} currently has ${before} partition(s); ${count} would not be an increase.`,
    )
  }
  if (count > maxPartitionsPerTopic) {
    return refuse(
      errorCode.INVALID_PARTITIONS,
      `Number of partitions is limited to ${maxPartitionsPerTopic} here.`,
    )
  }
  if (assignments === null) return null
  const factor = broker.topics.placement(name, 0).replicas.length
  const reason =
    assignments.length === count - before
      ? broker.cluster.replicasFault(
          assignments.map(({ brokerIds }) => brokerIds),
          factor,
        )
      : `There are ${count - before} new partitions, and ${assignments.length} are assigned`
  return reason === null ? null : refuse(errorCode.INVALID_REPLICA_ASSIGNMENT, reason)
}

/** Of the new partitions: as assigned, or spread over the nodes as the old ones were. */
const replicasOf = ({ name, count, assignments }: Wish, broker: BrokerContext): number[][] => {
  if (assignments !== null) return assignments.map(({ brokerIds }) => brokerIds)
  const factor = broker.topics.placement(name, 0).replicas.length
  const from = broker.topics.get(name)?.partitionCount ?? 0
  return broker.cluster.replicasFor(name, count, factor, from)
}

const create = (wish: Wish, isReal: boolean, broker: BrokerContext): Answer => {
  const fault = faultOf(wish, broker)
  if (fault !== null) return fault
  try {
    if (isReal) broker.topics.addPartitions(wish.name, wish.count, replicasOf(wish, broker))
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    return {
      name: wish.name,
      errorCode: errorCode.KAFKA_STORAGE_ERROR,
      errorMessage: messageOf(error),
    }
  }
  return { name: wish.name, errorCode: 0 }
}

/**
 * CreatePartitions: v0-3
 * Behaviour: `count` is the new total; a total that is no increase is INVALID_PARTITIONS. A topic that comes twice is
 * refused once.
 * Version notes: none that change the answer.
 */
export const handleCreatePartitions: Handler<CreatePartitionsRequest, CreatePartitionsResponse> = (
  { topics, validateOnly },
  _call,
  broker,
) => {
  const counts = new Map<string, number>()
  for (const { name } of topics) counts.set(name, (counts.get(name) ?? 0) + 1)
  const repeated = [...counts]
    .filter(([, count]) => count > 1)
    .map(([name]) => ({
      name,
      errorCode: errorCode.INVALID_REQUEST,
      errorMessage: 'Duplicate topic name.',
    }))
  const single = topics.filter(({ name }) => counts.get(name) === 1)
  return { results: [...repeated, ...single.map((wish) => create(wish, !validateOnly, broker))] }
}

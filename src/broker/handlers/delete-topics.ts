import { errorCode } from '../../protocol/errors.ts'
import type {
  DeleteTopicsRequest,
  DeleteTopicsResponse,
} from '../../protocol/messages/delete-topics.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { BrokerContext, Handler } from '../context.ts'

type Answer = DeleteTopicsResponse['responses'][number]

interface Wish {
  readonly name: string | null
  readonly topicId: string
}

const refuse = ({ name, topicId }: Wish, code: number, errorMessage: string): Answer => ({
  name,
  topicId,
  errorCode: code,
  errorMessage,
})

const deleteOne = (wish: Wish, broker: BrokerContext): Answer => {
  const isById = wish.topicId !== zeroUuid
  if (isById === (wish.name !== null)) {
    const both = isById ? 'both' : 'neither'
    return refuse(
      wish,
      errorCode.INVALID_REQUEST,
      `A topic is named by name or by id; ${both} was given.`,
    )
  }
  const topic = isById ? broker.topics.getById(wish.topicId) : broker.topics.get(wish.name ?? '')
  if (topic === null) {
    return isById
      ? refuse(wish, errorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.')
      : refuse(
          wish,
          errorCode.UNKNOWN_TOPIC_OR_PARTITION,
          'This server does not host this topic-partition.',
        )
  }
  broker.topics.delete(topic.name)
  return { name: topic.name, topicId: topic.id, errorCode: 0 }
}

const isSame = (a: Wish, b: Wish): boolean => a.name === b.name && a.topicId === b.topicId

/** A topic that is named twice is refused once, as Kafka does. */
const deleteAll = (wishes: readonly Wish[], broker: BrokerContext): Answer[] => {
  const firsts = wishes.filter((wish, i) => wishes.findIndex((one) => isSame(one, wish)) === i)
  return firsts.map((wish) =>
    wishes.filter((one) => isSame(one, wish)).length > 1
      ? refuse(wish, errorCode.INVALID_REQUEST, 'Duplicate topic.')
      : deleteOne(wish, broker),
  )
}

/**
 * DeleteTopics: v1-6
 * Behaviour: data, configs and committed offsets of a topic go at once; a topic made again under the name is another one.
 * Version notes: v5 error messages, v6 by name or id.
 */
export const handleDeleteTopics: Handler<DeleteTopicsRequest, DeleteTopicsResponse> = (
  request,
  { version },
  broker,
) => {
  const wishes: readonly Wish[] =
    version >= 6 ? request.topics : request.topicNames.map((name) => ({ name, topicId: zeroUuid }))
  return { responses: deleteAll(wishes, broker) }
}

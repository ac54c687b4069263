import { messageOf } from '../../errors.ts'
import { errorCode } from '../../protocol/errors.ts'
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/incremental-alter-configs.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { StorageError } from '../store/store.ts'
import { configResource, topicConfigFault } from '../topic-configs.ts'

type Wish = IncrementalAlterConfigsRequest['resources'][number]
type Change = Wish['configs'][number]

interface Fault {
  readonly errorCode: number
  readonly errorMessage: string
}

const operation = { set: 0, remove: 1, append: 2, subtract: 3 }

/** Applies one change to `configs`, or says why not. */
const apply = (configs: Record<string, string>, change: Change): Fault | null => {
  const { name, value, configOperation } = change
  if (configOperation === operation.remove) {
    Reflect.deleteProperty(configs, name)
    return null
  }
  if (configOperation === operation.append || configOperation === operation.subtract) {
    return {
      errorCode: errorCode.INVALID_CONFIG,
      errorMessage: `Config value append and subtract are not allowed for config key: ${name}`,
    }
  }
  if (configOperation !== operation.set) {
    return {
      errorCode: errorCode.INVALID_REQUEST,
      errorMessage: `Unknown operation type ${configOperation}`,
    }
  }
  if (value === null) {
    return {
      errorCode: errorCode.INVALID_REQUEST,
      errorMessage: `Null value not supported for: ${name}`,
    }
  }
  const reason = topicConfigFault(name, value)
  if (reason !== null) return { errorCode: errorCode.INVALID_CONFIG, errorMessage: reason }
  configs[name] = value
  return null
}

const alter = (wish: Wish, isReal: boolean, broker: BrokerContext): Fault | null => {
  const { resourceType, resourceName } = wish
  if (resourceType === configResource.broker) {
    const names = wish.configs.map(({ name }) => name).join(', ')
    return {
      errorCode: errorCode.INVALID_REQUEST,
      errorMessage: `Cannot update these configs dynamically: ${names}`,
    }
  }
  if (resourceType !== configResource.topic) {
    return {
      errorCode: errorCode.INVALID_REQUEST,
      errorMessage: `Unsupported resource type: ${resourceType}`,
    }
  }
  const topic = broker.topics.get(resourceName)
  if (topic === null) {
    return {
      errorCode: errorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: `The topic '${resourceName}' does not exist.`,
    }
  }
  if (new Set(wish.configs.map(({ name }) => name)).size < wish.configs.length) {
    return {
      errorCode: errorCode.INVALID_REQUEST,
      errorMessage: 'Error due to duplicate config keys',
    }
  }
  const configs = { ...topic.configs }
  for (const change of wish.configs) {
    const fault = apply(configs, change)
    if (fault !== null) return fault
  }
  try {
    if (isReal) broker.topics.setConfigs(topic.name, configs)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    return { errorCode: errorCode.KAFKA_STORAGE_ERROR, errorMessage: messageOf(error) }
  }
  return null
}

/**
 * IncrementalAlterConfigs: v0-1 (KIP-339)
 * Behaviour: sets and removes configs of topics, all of a resource or none. The broker's own settings stay as started.
 * Not done: append and subtract, for which no config here is a list with more than one value.
 */
export const handleIncrementalAlterConfigs: Handler<
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse
> = ({ resources, validateOnly }, _call, broker) => ({
  responses: resources.map((wish) => ({
    errorCode: 0,
    errorMessage: null,
    ...alter(wish, !validateOnly, broker),
    resourceType: wish.resourceType,
    resourceName: wish.resourceName,
  })),
})

import { errorCode } from '../../protocol/errors.ts'
import type {
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '../../protocol/messages/describe-configs.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { type Setting, type SettingName, settingsTable } from '../settings.ts'
import { type ConfigEntry, configResource, topicConfigEntries } from '../topic-configs.ts'

type Wish = DescribeConfigsRequest['resources'][number]
type Answer = DescribeConfigsResponse['results'][number]

/** By DescribeConfigsResponse.ConfigType: boolean, string, int, long. */
const configTypeOf = (setting: Setting): number => {
  if (setting.type === 'boolean') return 1
  if (setting.type === 'choice') return 2
  return setting.max < 2 ** 31 ? 3 : 5
}

const brokerEntries = ({ settings }: BrokerContext): ConfigEntry[] =>
  Object.entries(settings)
    .map(([name, value]): ConfigEntry => {
      const setting: Setting = settingsTable[name as SettingName]
      const { default: normal } = setting
      const type = configTypeOf(setting)
      return { name, value: String(value), source: value === normal ? 5 : 4, type, synonym: name }
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))

/** The entries of a resource, and whether they are read-only; or why there are none. */
const find = (
  { resourceType, resourceName }: Wish,
  broker: BrokerContext,
): { entries: ConfigEntry[]; readOnly: boolean } | { errorCode: number; errorMessage: string } => {
  if (resourceType === configResource.topic) {
    const topic = broker.topics.get(resourceName)
    if (topic !== null) {
      return { entries: topicConfigEntries(topic.configs, broker.settings), readOnly: false }
    }
    const isLegal = broker.topics.nameFault(resourceName) === null
    return {
      errorCode: isLegal ? errorCode.UNKNOWN_TOPIC_OR_PARTITION : errorCode.INVALID_TOPIC_EXCEPTION,
      errorMessage: `Topic '${resourceName}' does not exist.`,
    }
  }
  if (resourceType !== configResource.broker) {
    return {
      errorCode: errorCode.INVALID_REQUEST,
      errorMessage: `Unsupported resource type: ${resourceType}`,
    }
  }
  // The empty name stands for what was set for all brokers while they ran; nothing ever is.
  if (resourceName === '') return { entries: [], readOnly: true }
  if (resourceName === String(broker.nodeId)) {
    return { entries: brokerEntries(broker), readOnly: true }
  }
  return {
    errorCode: errorCode.INVALID_REQUEST,
    errorMessage: `Unexpected broker id, expected ${broker.nodeId} or empty string, but received ${resourceName}`,
  }
}

const describe = (wish: Wish, includeSynonyms: boolean, broker: BrokerContext): Answer => {
  const { resourceType, resourceName } = wish
  const found = find(wish, broker)
  if (!('entries' in found)) return { ...found, resourceType, resourceName, configs: [] }
  const keys = wish.configurationKeys ?? []
  const entries = found.entries.filter(({ name }) => keys.length === 0 || keys.includes(name))
  const configs = entries.map(({ name, value, source, type, synonym }) => ({
    name,
    value,
    readOnly: found.readOnly,
    configSource: source,
    isSensitive: false,
    synonyms: includeSynonyms ? [{ name: source === 1 ? name : synonym, value, source }] : [],
    configType: type,
    documentation: null,
  }))
  return { errorCode: 0, errorMessage: '', resourceType, resourceName, configs }
}

/**
 * DescribeConfigs: v1-4
 * Behaviour: topics, with the broker's settings where they say nothing, and this broker, read-only. Without keys: all.
 * Version notes: v3 types and documentation (always null here).
 * Not done: a topic's synonyms below the one in force; brokers' loggers.
 */
export const handleDescribeConfigs: Handler<DescribeConfigsRequest, DescribeConfigsResponse> = (
  { resources, includeSynonyms },
  _call,
  broker,
) => ({ results: resources.map((wish) => describe(wish, includeSynonyms, broker)) })

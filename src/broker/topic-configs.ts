import { type SettingName, type Settings, settingsTable } from './settings.ts'

/**
 * Topic configs by Kafka's names (LogConfig). What the broker applies may be set freely; of what it does not do, only
 * Kafka's default is accepted, so that nobody believes in a compaction that never comes.
 */

interface IntegerConfig {
  readonly type: 'int' | 'long'
  readonly min: number
  readonly max: number
  /** The broker setting that holds where the topic says nothing. */
  readonly setting: SettingName
}

interface ChoiceConfig {
  readonly type: 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list'
  /** The default first. */
  readonly choices: readonly [string, ...string[]]
}

const int32 = 2 ** 31 - 1
const int64 = Number.MAX_SAFE_INTEGER

const applied: Readonly<Record<string, IntegerConfig>> = {
  'max.message.bytes': { type: 'int', min: 0, max: int32, setting: 'message.max.bytes' },
  'message.timestamp.after.max.ms': {
    type: 'long',
    min: 0,
    max: int64,
    setting: 'message.timestamp.after.max.ms',
  },
  'retention.bytes': { type: 'long', min: -1, max: int64, setting: 'log.retention.bytes' },
  'retention.ms': { type: 'long', min: -1, max: int64, setting: 'log.retention.ms' },
  'segment.bytes': { type: 'int', min: 14, max: int32, setting: 'log.segment.bytes' },
}

const choices: Readonly<Record<string, ChoiceConfig>> = {
  'cleanup.policy': { type: 'list', choices: ['delete'] },
  'compression.type': { type: 'string', choices: ['producer'] },
  'message.timestamp.type': { type: 'string', choices: ['CreateTime', 'LogAppendTime'] },
  'min.insync.replicas': { type: 'int', choices: ['1'] },
  'unclean.leader.election.enable': { type: 'boolean', choices: ['false'] },
}

/** What one topic may have, so that a slip of the finger does not fill the memory. */
export const maxPartitionsPerTopic = 10_000

/** As the config requests number what they are about (ConfigResource.Type). */
export const configResource = { topic: 2, broker: 4 } as const

/** As DescribeConfigs numbers them (ConfigResponse.ConfigType). */
const typeNumbers = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const

/** Why a config is refused (INVALID_CONFIG, 40), or null. */
export const topicConfigFault = (name: string, value: string | null): string | null => {
  const number = Object.hasOwn(applied, name) ? applied[name] : undefined
  const text = Object.hasOwn(choices, name) ? choices[name] : undefined
  if (number === undefined && text === undefined) return `Unknown topic config name: ${name}`
  if (value === null) return `Null value not supported for topic configs: ${name}`
  if (text !== undefined) {
    return text.choices.includes(value)
      ? null
      : `Invalid value ${value} for configuration ${name}: this broker does ${text.choices.join(' and ')} only`
  }
  if (number === undefined) return null
  const parsed = /^-?\d+$/.test(value) ? Number(value) : Number.NaN
  if (parsed >= number.min && parsed <= number.max) return null
  return `Invalid value ${value} for configuration ${name}: Value must be a whole number from ${number.min} to ${number.max}`
}

export interface ConfigEntry {
  readonly name: string
  readonly value: string
  /** As DescribeConfigs numbers it: 1 topic, 4 broker's own setting, 5 default. */
  readonly source: 1 | 4 | 5
  readonly type: number
  /** The broker setting behind it. */
  readonly synonym: string
}

/** All configs of a topic that was given `given`, in the order of their names. */
export const topicConfigEntries = (
  given: Readonly<Record<string, string>>,
  settings: Settings,
): ConfigEntry[] => {
  const entries: ConfigEntry[] = []
  for (const [name, config] of Object.entries(applied)) {
    const own = given[name]
    const inherited = settings[config.setting]
    const value = own ?? String(inherited)
    const isNormal = inherited === settingsTable[config.setting].default
    const source = own !== undefined ? 1 : isNormal ? 5 : 4
    const type = typeNumbers[config.type]
    entries.push({ name, value, source, type, synonym: config.setting })
  }
  for (const [name, config] of Object.entries(choices)) {
    const value = given[name] ?? config.choices[0]
    const source = given[name] === undefined ? 5 : 1
    const type = typeNumbers[config.type]
    entries.push({ name, value, source, type, synonym: name })
  }
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

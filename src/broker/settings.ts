import { UsageError } from '../errors.ts'
import { maxNodes } from './cluster.ts'

/** The broker's settings by Kafka's own names, with the default and what is allowed. Values arrive as text (`-X name=value`). */

interface IntegerSetting {
  type: 'integer'
  default: number
  min: number
  max: number
}
interface BooleanSetting {
  type: 'boolean'
  default: boolean
}
interface ChoiceSetting {
  type: 'choice'
  default: string
  choices: readonly string[]
}
export type Setting = IntegerSetting | BooleanSetting | ChoiceSetting

const integer = (value: number, min: number, max = Number.MAX_SAFE_INTEGER): IntegerSetting => ({
  type: 'integer',
  default: value,
  min,
  max,
})

const MiB = 2 ** 20
const int32 = 2 ** 31 - 1

export const settingsTable = {
  'auto.create.topics.enable': { type: 'boolean', default: true },
  'num.partitions': integer(1, 1, 10_000),
  /** At most the number of nodes. */
  'default.replication.factor': integer(1, 1, maxNodes),
  'message.max.bytes': integer(1_048_588, 0, int32),
  'message.timestamp.after.max.ms': integer(3_600_000, 0),
  'log.segment.bytes': integer(64 * MiB, 14, int32),
  /** -1: no limit. */
  'log.retention.bytes': integer(-1, -1),
  'log.retention.ms': integer(-1, -1),
  'log.retention.check.interval.ms': integer(1_000, 1),
  'socket.request.max.bytes': integer(104_857_600, 1, int32),
  'connections.max.idle.ms': integer(600_000, 1),
  'max.connections': integer(10_000, 1, 1_000_000),
  'fetch.max.bytes': integer(57_671_680, 1_024, int32),
  'offset.metadata.max.bytes': integer(4_096, 0, int32),
  'group.initial.rebalance.delay.ms': integer(100, 0, int32),
  'group.min.session.timeout.ms': integer(6_000, 1, int32),
  'group.max.session.timeout.ms': integer(1_800_000, 1, int32),
  'group.max.size': integer(int32, 1, int32),
  // The next four are not Kafka's.
  /** The initial delay ends once so many members have joined; 0: it never ends early. */
  'group.initial.rebalance.expected.members': integer(0, 0, int32),
  'group.initial.rebalance.adaptive': { type: 'boolean', default: false },
  /** -1: the members' rebalance timeout. */
  'leader.sync.timeout.ms': integer(-1, -1, int32),
  'leader.sync.fallback': { type: 'choice', default: 'remove', choices: ['remove', 'assign'] },
  /** Bytes of record data that the `memory` and `ring` stores may hold; 2 GiB. Not a Kafka name. */
  'store.max.bytes': integer(2_048 * MiB, 1 * MiB),
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof settingsTable
export type Settings = {
  readonly [N in SettingName]: ValueOf<(typeof settingsTable)[N]>
}
type ValueOf<S extends Setting> = S extends { choices: readonly (infer Choice)[] }
  ? Choice
  : S extends BooleanSetting
    ? boolean
    : number
/** The value of any setting. */
export type SettingValue = number | boolean | string

const aliases: Record<string, SettingName> = {
  CHRONIK_CONSUMER_GROUP_JOIN_TIMEOUT_MS: 'group.initial.rebalance.delay.ms',
}

/** Kafka's name of a setting that may be given by an alias. */
export const settingNameOf = (name: string): string => aliases[name] ?? name

const isSettingName = (name: string): name is SettingName => Object.hasOwn(settingsTable, name)

const parseSetting = (name: SettingName, text: string, givenName: string): SettingValue => {
  const setting: Setting = settingsTable[name]
  const refuse = (allowed: string): never => {
    throw new UsageError(`broker setting ${givenName}=${text}: ${allowed} is allowed`)
  }
  if (setting.type === 'boolean') {
    return text === 'true' || text === 'false' ? text === 'true' : refuse('true or false')
  }
  if (setting.type === 'choice') {
    return setting.choices.includes(text) ? text : refuse(setting.choices.join(' or '))
  }
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  return value >= setting.min && value <= setting.max
    ? value
    : refuse(`a whole number from ${setting.min} to ${setting.max}`)
}

/** What no single setting tells. */
const checkTogether = (settings: Settings, brokers: number): void => {
  const { 'default.replication.factor': factor } = settings
  if (factor > brokers) {
    throw new UsageError(
      `broker setting default.replication.factor=${factor}: a whole number from 1 to ${brokers} is allowed`,
    )
  }
  if (settings['leader.sync.fallback'] === 'assign' && settings['leader.sync.timeout.ms'] < 0) {
    throw new UsageError(
      'broker setting leader.sync.fallback=assign: leader.sync.timeout.ms is missing, such as 5000',
    )
  }
}

/**
 * The defaults with `given` laid over them, for so many nodes. Throws a `UsageError` that names the setting, the value and
 * what is allowed.
 */
export const parseSettings = (
  given: Readonly<Record<string, string>> = {},
  brokers = 1,
): Settings => {
  const settings: Record<string, SettingValue> = {}
  for (const [name, { default: value }] of Object.entries(settingsTable)) settings[name] = value
  for (const [givenName, text] of Object.entries(given)) {
    const name = settingNameOf(givenName)
    if (!isSettingName(name)) {
      throw new UsageError(
        `broker setting ${givenName}: unknown; known are ${Object.keys(settingsTable).join(', ')}`,
      )
    }
    settings[name] = parseSetting(name, text, givenName)
  }
  const parsed = settings as Settings
  checkTogether(parsed, brokers)
  return parsed
}

/** The aliases that are set in the environment: they ask for a setting as an option does. */
export const settingsOfEnvironment = (environment: NodeJS.ProcessEnv): Record<string, string> => {
  const settings: Record<string, string> = {}
  for (const alias of Object.keys(aliases)) {
    const text = environment[alias]
    if (text !== undefined) settings[alias] = text
  }
  return settings
}

/** What a starting broker uses: what was given, over aliases set in the environment, over the defaults. Throws a `UsageError`. */
export const brokerSettings = (given: Readonly<Record<string, string>>, brokers = 1): Settings =>
  parseSettings({ ...settingsOfEnvironment(process.env), ...given }, brokers)

import { UsageError } from '../errors.ts'

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
  'default.replication.factor': integer(1, 1, 1),
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
  /** Bytes of record data that the `memory` and `ring` stores may hold; 2 GiB. Not a Kafka name. */
  'store.max.bytes': integer(2_048 * MiB, 1 * MiB),
} as const satisfies Record<string, IntegerSetting | BooleanSetting>

export type SettingName = keyof typeof settingsTable
export type Settings = {
  readonly [N in SettingName]: (typeof settingsTable)[N]['type'] extends 'boolean'
    ? boolean
    : number
}

const aliases: Record<string, SettingName> = {
  CHRONIK_CONSUMER_GROUP_JOIN_TIMEOUT_MS: 'group.initial.rebalance.delay.ms',
}

/** Kafka's name of a setting that may be given by an alias. */
export const settingNameOf = (name: string): string => aliases[name] ?? name

const isSettingName = (name: string): name is SettingName => Object.hasOwn(settingsTable, name)

const parseSetting = (name: SettingName, text: string, givenName: string): number | boolean => {
  const setting: IntegerSetting | BooleanSetting = settingsTable[name]
  if (setting.type === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true'
    throw new UsageError(`broker setting ${givenName}=${text}: true or false is allowed`)
  }
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= setting.min && value <= setting.max)) {
    throw new UsageError(
      `broker setting ${givenName}=${text}: a whole number from ${setting.min} to ${setting.max} is allowed`,
    )
  }
  return value
}

/** The defaults with `given` laid over them. Throws a `UsageError` that names the setting, the value and what is allowed. */
export const parseSettings = (given: Readonly<Record<string, string>> = {}): Settings => {
  const settings: Record<string, number | boolean> = {}
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
  return settings as Settings
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
export const brokerSettings = (given: Readonly<Record<string, string>>): Settings =>
  parseSettings({ ...settingsOfEnvironment(process.env), ...given })

import { readFileSync, statSync } from 'node:fs'
import { type Threshold, type ThresholdMetric, thresholdMetrics } from '../bench/options.ts'
import { durationOf, durationUnitsMs } from '../duration.ts'
import { messageOf, UsageError } from '../errors.ts'

/**
 * Option values from text. Every parser throws a `UsageError` that names the option, the value and what is allowed,
 * and none accepts more than it says (no `1e3`, no trailing words).
 */

export const refuse = (option: string, value: string, allowed: string): never => {
  throw new UsageError(`${option.length === 1 ? '-' : '--'}${option} '${value}': ${allowed}`)
}

/** Names `flag` in what `work` refuses. */
export const inFlag = <T>(flag: string, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${flag}: ${error.message}`)
    throw error
  }
}

export const parseInteger = (option: string, text: string, min: number, max: number): number => {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max
    ? value
    : refuse(option, text, `a whole number from ${min} to ${max} is allowed`)
}

/** A positive number, fractions allowed. */
export const parseRate = (option: string, text: string): number => {
  const value = /^\d{1,12}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN
  return value > 0 && value <= 1e9
    ? value
    : refuse(option, text, 'records per second above 0 are allowed, such as 5000')
}

export const parseFraction = (option: string, text: string): number => {
  const value = /^\d(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN
  return value >= 0 && value <= 1 ? value : refuse(option, text, 'a number from 0 to 1 is allowed')
}

const maxDurationMs = 30 * 24 * 3_600_000

/** `500ms`, `1.5s`, `30s`, `5m`, `1h` in ms. */
export const parseDuration = (option: string, text: string, minMs = 0): number => {
  const durationMs = durationOf(text) ?? Number.NaN
  const allowed =
    minMs > 0
      ? `a time of at least ${minMs}ms with its unit is allowed, such as 500ms, 30s, 5m or 1h`
      : 'a time with its unit is allowed, such as 0s, 500ms, 30s, 5m or 1h'
  return durationMs >= minMs && durationMs <= maxDurationMs
    ? durationMs
    : refuse(option, text, allowed)
}

export const parseChoice = <T extends string>(
  option: string,
  text: string,
  choices: readonly T[],
): T => {
  const choice = choices.find((name) => name === text)
  return choice ?? refuse(option, text, `allowed are ${choices.join(', ')}`)
}

const hostPort = /^([A-Za-z0-9._-]+):(\d{1,5})$/

/** `HOST:PORT[,HOST:PORT…]`. */
export const parseBootstrapServers = (option: string, text: string): string[] => {
  const servers = text.split(',').map((server) => server.trim())
  for (const server of servers) {
    const port = Number(hostPort.exec(server)?.[2] ?? Number.NaN)
    if (!(port >= 1 && port <= 65_535)) {
      refuse(option, text, 'HOST:PORT is allowed, several with commas, such as 127.0.0.1:9092')
    }
  }
  return servers
}

/** Kafka's rule for topic names (org.apache.kafka.common.internals.Topic). */
export const parseTopic = (option: string, text: string): string =>
  /^[A-Za-z0-9._-]{1,249}$/.test(text) && text !== '.' && text !== '..'
    ? text
    : refuse(option, text, 'a topic name has 1 to 249 of a-z A-Z 0-9 . _ - and is not . or ..')

const latencyUnitUs: Record<string, number> = { us: 1, μs: 1, µs: 1, ms: 1_000, s: 1_000_000 }
const latencyMetrics: readonly ThresholdMetric[] = ['p50', 'p90', 'p95', 'p99', 'p999', 'max']

const thresholdLimit = (metric: ThresholdMetric, digits: string, unit: string): number | null => {
  const value = Number(digits)
  if (latencyMetrics.includes(metric)) {
    return unit in latencyUnitUs ? value * (latencyUnitUs[unit] ?? 0) : null
  }
  if (metric === 'assign-time')
    return unit in durationUnitsMs ? value * (durationUnitsMs[unit] ?? 0) : null
  return unit === '' || (metric === 'rate' && unit === '/s') ? value : null
}

/** `METRIC>LIMIT`, such as `p99>10ms`, `rate<50000`, `missing>0`, `assign-time>5s`. */
export const parseThreshold = (option: string, text: string): Threshold => {
  const [, name, operator = '', digits = '', unit = ''] =
    /^([a-z0-9-]+)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)(\S*)$/.exec(text.trim()) ?? []
  const metric = thresholdMetrics.find((known) => known === name)
  const limit = metric ? thresholdLimit(metric, digits, unit) : null
  if (metric === undefined || limit === null) {
    return refuse(
      option,
      text,
      `METRIC>LIMIT is allowed (also >=, <, <=), such as p99>10ms, rate<50000 or missing>0; metrics are ${thresholdMetrics.join(', ')}`,
    )
  }
  return { text, metric, operator: operator as Threshold['operator'], limit }
}

/** `name=value` pairs of a repeatable option. */
export const parsePairs = (option: string, texts: readonly string[]): Record<string, string> => {
  const pairs: Record<string, string> = {}
  for (const text of texts) {
    const at = text.indexOf('=')
    if (at < 1) refuse(option, text, 'name=value is allowed')
    pairs[text.slice(0, at).trim()] = text.slice(at + 1).trim()
  }
  return pairs
}

/** `instead` is what else the option takes, for the message. */
export const readFileOf = (
  option: string,
  file: string,
  maxBytes: number,
  instead = '',
): Buffer => {
  let problem: string
  try {
    const stat = statSync(file)
    if (stat.isFile() && stat.size <= maxBytes) return readFileSync(file)
    problem = stat.isFile() ? `the file has more than ${maxBytes} bytes` : 'it is not a file'
  } catch (error) {
    problem = messageOf(error)
  }
  return refuse(option, file, `${instead}a readable file is allowed (${problem})`)
}

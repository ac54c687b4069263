import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { messageOf, UsageError } from '../errors.ts'
import { addRunFlags } from './run-flags.ts'

/**
 * `--config FILE`: a JSON object of option names without dashes, put before the typed arguments, so that the command
 * line goes before the file and the file before the environment.
 * Throws a `UsageError` that names the file and the field.
 */

const isOption = (flag: string): boolean =>
  flag !== '--config' &&
  addRunFlags(new Command()).options.some(({ long, short }) => flag === long || flag === short)

const toArguments = (file: string, name: string, value: unknown): string[] => {
  if (Array.isArray(value)) return value.flatMap((item) => toArguments(file, name, item))
  const flag = name.length === 1 ? `-${name}` : `--${name}`
  if (!isOption(flag)) {
    throw new UsageError(
      `--config '${file}': ${name} is no option of a run; allowed are those of bench run --help, without dashes`,
    )
  }
  if (value === true) return [flag]
  if (value === false) return []
  if (typeof value === 'string' || typeof value === 'number') return [flag, String(value)]
  throw new UsageError(
    `--config '${file}': ${name} is ${JSON.stringify(value)}; a text, a number, true, false or a list is allowed`,
  )
}

const readConfig = (file: string): Record<string, unknown> => {
  let config: unknown
  try {
    config = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`--config '${file}': a JSON file is needed (${messageOf(error)})`)
  }
  if (config === null || typeof config !== 'object' || Array.isArray(config)) {
    throw new UsageError(`--config '${file}': an object of options is needed`)
  }
  return config as Record<string, unknown>
}

export const withConfigFile = (args: readonly string[]): string[] => {
  const isRun = args[0] === 'run' || args[0]?.startsWith('-') === true
  if (!isRun) return [...args]
  const at = args.findIndex((arg) => arg === '--config' || arg.startsWith('--config='))
  if (at < 0) return [...args]
  const file = args[at]?.startsWith('--config=') ? args[at].slice(9) : args[at + 1]
  if (file === undefined) return [...args]
  const config = Object.entries(readConfig(file))
  const command = args[0] === 'run' ? ['run'] : []
  return [
    ...command,
    ...config.flatMap(([name, value]) => toArguments(file, name, value)),
    ...args.slice(command.length),
  ]
}

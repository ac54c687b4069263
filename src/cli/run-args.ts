import { Command } from 'commander'
import type { RunOptions } from '../bench/options.ts'
import { messageOf, UsageError } from '../errors.ts'
import { withOmbFiles } from './omb-files.ts'
import { addRunFlags, type RawFlags } from './run-flags.ts'
import { parseRunOptions } from './run-options.ts'
import { checkTarget } from './target.ts'

/**
 * The options that these arguments of `bench run` would have. Throws a `UsageError` as the command itself would, so
 * that a series is refused before its first run.
 */
export const parseRunArgs = (args: readonly string[]): { raw: RawFlags; options: RunOptions } => {
  const command = addRunFlags(new Command('run'))
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} })
  const [, ...read] = withOmbFiles(['run', ...args]).args
  try {
    command.parse(read, { from: 'user' })
  } catch (error) {
    throw new UsageError(messageOf(error).replace(/^error: /, ''))
  }
  const raw: RawFlags = command.opts()
  const options = parseRunOptions(raw, process.env)
  checkTarget(options)
  return { raw, options }
}

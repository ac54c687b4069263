import { UsageError } from '../errors.ts'
import { translateDriverFile } from '../omb/driver-file.ts'
import type { Translation } from '../omb/fields.ts'
import { translateWorkload } from '../omb/workload.ts'
import { quoted } from '../report/html/reproduce.ts'
import { readFileOf } from './values.ts'

/** `--omb` and `--omb-driver`: files of OpenMessaging Benchmark in the place of options, which go before them. */

const flags = ['--omb', '--omb-driver'] as const
type OmbFlag = (typeof flags)[number]

const mostBytes = 2 ** 20

const translate: Readonly<Record<OmbFlag, (text: string, file: string) => Translation>> = {
  '--omb': translateWorkload,
  '--omb-driver': translateDriverFile,
}

/** The last file of each flag, and the arguments without them. */
const takeFiles = (args: readonly string[]) => {
  const files = new Map<OmbFlag, string>()
  const rest: string[] = []
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] as string
    const flag = flags.find((name) => arg === name || arg.startsWith(`${name}=`))
    if (flag === undefined) {
      rest.push(arg)
      continue
    }
    const file = arg === flag ? args[(at += 1)] : arg.slice(flag.length + 1)
    if (file === undefined) throw new UsageError(`${flag}: a file is needed`)
    files.set(flag, file)
  }
  return { files, rest }
}

/**
 * The arguments of a run with what the files say before them, and lines that tell the user so.
 * Throws a `UsageError` that names file and line.
 */
export const withOmbFiles = (args: readonly string[]): { args: string[]; notes: string[] } => {
  const isRun = args[0] === 'run' || args[0]?.startsWith('-') === true
  const { files, rest } = isRun
    ? takeFiles(args)
    : { files: new Map<OmbFlag, string>(), rest: args }
  if (files.size === 0) return { args: [...args], notes: [] }
  if (!files.has('--omb')) throw new UsageError('--omb-driver: --omb is missing, the workload')
  const parts = flags.flatMap((flag) => {
    const file = files.get(flag)
    if (file === undefined) return []
    const text = readFileOf(flag.slice(2), file, mostBytes).toString('utf8')
    return [{ file, ...translate[flag](text, file) }]
  })
  const command = rest[0] === 'run' ? ['run'] : []
  return {
    args: [...command, ...parts.flatMap((part) => part.args), ...rest.slice(command.length)],
    notes: parts.flatMap((part) => [
      `${part.file} stands for: bench run ${part.args.map(quoted).join(' ')}`,
      ...part.notes.map((note) => `${part.file}: ${note}`),
    ]),
  }
}

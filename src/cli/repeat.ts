import { UsageError } from '../errors.ts'
import { formatSeries, placeOf } from '../report/series.ts'
import { asCode, failuresOf, reportToGithub } from './github.ts'
import { type Io, styleOn } from './io.ts'
import { parseRunArgs } from './run-args.ts'
import type { RawFlags } from './run-flags.ts'
import { type PlannedRun, runSeries } from './run-series.ts'
import { watchSignals } from './signals.ts'
import { parseInteger, refuse } from './values.ts'
import { withoutFlags } from './words.ts'

/** `--repeat` and `--scan`: one command several times, each run in a process, on a broker and a topic of its own. */

const maxRepeats = 1_000

/** Options of the series itself, which its runs must not see; a file of options is in the arguments already. */
const ownFlags = {
  '--repeat': true,
  '--scan': true,
  '--prepare': true,
  '--cleanup': true,
  '--config': true,
}

const parseRepeat = (text: string | undefined): number =>
  text === undefined ? 1 : parseInteger('repeat', text, 1, maxRepeats)

/** `message-size=100,1000` as the arguments of each value. */
const parseScan = (text: string): string[][] => {
  const { name, values } = /^(?<name>[a-z][a-z-]*)=(?<values>.+)$/.exec(text)?.groups ?? {}
  if (name === undefined || values === undefined) {
    return refuse('scan', text, 'OPTION=VALUE,… is allowed, such as message-size=100,1000,10000')
  }
  return values.split(',').map((value) => [`--${name}`, value])
}

/** Every combination, the last scan turning fastest. */
const combinationsOf = (scans: readonly (readonly string[])[][]): string[][] =>
  scans.reduce<string[][]>(
    (combinations, scan) =>
      combinations.flatMap((before) => scan.map((option) => [...before, ...option])),
    [[]],
  )

const refuseOutputs = (raw: RawFlags): void => {
  for (const [flag, file] of [
    ['json-output', raw.jsonOutput],
    ['csv-output', raw.csvOutput],
    ['html', raw.html],
  ]) {
    if (file !== undefined) {
      throw new UsageError(
        `--${flag} '${file}': a series has a result for each run; they are in --results-dir`,
      )
    }
  }
}

/** Every run that the flags ask for. Throws a `UsageError` for what a single run would refuse. */
export const plansOf = (raw: RawFlags, args: readonly string[]): PlannedRun[] => {
  refuseOutputs(raw)
  const common = withoutFlags(args, ownFlags)
  const dataDir = raw.bootstrapServers ? null : raw.dataDir
  const variants = combinationsOf((raw.scan ?? []).map(parseScan)).map((scanned) => ({
    args: [...common, ...scanned],
    title: scanned.join(' '),
  }))
  for (const variant of variants) parseRunArgs(variant.args)
  return Array.from({ length: parseRepeat(raw.repeat) }, (_, index) =>
    variants.map((variant) => ({ ...variant, index, side: null, dataDir })),
  ).flat()
}

/** The whole command. Returns the exit code. */
export const runRepeated = async (
  raw: RawFlags,
  args: readonly string[],
  io: Io,
): Promise<number> => {
  const plans = plansOf(raw, args)
  const stop = watchSignals()
  try {
    const isQuiet = raw.quiet ?? false
    const hooks = { prepare: raw.prepare ?? null, cleanup: raw.cleanup ?? null }
    const { seriesId, runs, exitCode } = await runSeries(plans, { io, stop, isQuiet, ...hooks })
    const entries = runs.map(({ plan, result }) => ({ title: plan.title, result }))
    if (!isQuiet) io.stdout.write(formatSeries(seriesId, entries, styleOn(io)))
    reportToGithub(
      {
        markdown: () => asCode(formatSeries(seriesId, entries)),
        failures: runs.flatMap(({ plan, result }, index) =>
          failuresOf(result, ['bench', placeOf(index, plans.length), plan.title].join(' ').trim()),
        ),
      },
      io,
    )
    return exitCode
  } finally {
    stop.dispose()
  }
}

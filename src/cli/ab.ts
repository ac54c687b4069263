import { Command } from 'commander'
import type { RunOptions } from '../bench/options.ts'
import { compareSides, type Side } from '../compare/comparison.ts'
import { UsageError } from '../errors.ts'
import {
  addComparisonFlags,
  type ComparisonFlags,
  comparisonOptions,
  deliverComparison,
} from './compare.ts'
import type { Io } from './io.ts'
import { parseRunArgs } from './run-args.ts'
import { type PlannedRun, runSeries } from './run-series.ts'
import { type StopRequest, watchSignals } from './signals.ts'
import { parseInteger } from './values.ts'
import { splitWords } from './words.ts'

/** `bench ab`: two sets of options run in turns, a b b a a b …, and compared. */

type SideName = 'a' | 'b'

interface AbFlags extends ComparisonFlags {
  a: string
  b: string
  repeat: string
  prepare?: string
  cleanup?: string
}

const optionsOf = (args: readonly string[]): RunOptions => parseRunArgs(args).options

/** The options in which the sides differ: they differ because they were told to. */
const meantDifferences = (a: RunOptions, b: RunOptions): string[] => {
  const keys = Object.keys(a) as (keyof RunOptions)[]
  return keys.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]))
}

const refuseForeign = (sideArgs: Record<SideName, readonly string[]>): void => {
  for (const side of ['a', 'b'] as const) {
    const { raw } = parseRunArgs(sideArgs[side])
    const flags = { repeat: raw.repeat, scan: raw.scan, 'json-output': raw.jsonOutput }
    for (const [flag, value] of Object.entries({
      ...flags,
      'csv-output': raw.csvOutput,
      html: raw.html,
    })) {
      if (value !== undefined) throw new UsageError(`--${flag}: not for a run of bench ab`)
    }
  }
}

/** Turns change places in every pair, so that a machine that slowly changes treats both alike. */
const planPairs = (sideArgs: Record<SideName, string[]>, repeats: number): PlannedRun[] =>
  Array.from({ length: repeats }, (_, index) => {
    const order: SideName[] = index % 2 === 0 ? ['a', 'b'] : ['b', 'a']
    return order.map((side) => {
      const { raw, options } = parseRunArgs(sideArgs[side])
      const dataDir = options.bootstrapServers === null ? raw.dataDir : null
      return { title: side, args: sideArgs[side], index, side, dataDir }
    })
  }).flat()

const runAb = async (
  flags: AbFlags,
  common: readonly string[],
  io: Io,
  stop: StopRequest,
): Promise<number> => {
  const repeats = parseInteger('repeat', flags.repeat, 1, 1_000)
  const sideArgs = {
    a: [...common, ...splitWords('a', flags.a)],
    b: [...common, ...splitWords('b', flags.b)],
  }
  refuseForeign(sideArgs)
  const ignored = meantDifferences(optionsOf(sideArgs.a), optionsOf(sideArgs.b))
  const options = comparisonOptions(flags, ignored)
  const { runs, exitCode } = await runSeries(planPairs(sideArgs, repeats), {
    io,
    stop,
    isQuiet: flags.quiet ?? false,
    prepare: flags.prepare ?? null,
    cleanup: flags.cleanup ?? null,
  })
  const sideOf = (name: SideName): Side => ({
    title: `${name}: ${flags[name].trim() || 'as the other options say'}`,
    runs: runs.filter(({ plan }) => plan.side === name).map(({ result }) => result),
  })
  // Whoever stops early has asked for no verdict.
  if (exitCode > 1) return exitCode
  const sides = { baseline: sideOf('a'), candidate: sideOf('b') }
  const comparison = compareSides(sides.baseline, sides.candidate, options)
  return deliverComparison(comparison, sides, flags, io)
}

const examples = `
All other options are those of bench run, for both sides. The runs take turns (a b, b a, …), each on a broker and a
topic of its own, and are saved with a series id for bench compare.

Examples:
  bench ab --a '-b old:9092' --b '-b new:9092' --repeat 6 -d 10s -s 256
  bench ab --a '--client kafkajs' --b '--client platformatic' -d 5s
  bench ab --a '' --b '--defect slow' --repeat 6 -n 200000

Exit codes: 0 no regression of b, 1 a regression or an incorrect run, 2 usage or not comparable, 3 surroundings.`

export const abCommand = (io: Io, end: (exitCode: number) => void): Command => {
  const command = new Command('ab')
    .description('two sets of options in turns, compared: two brokers, clients or settings')
    .requiredOption('--a <options>', 'options of the baseline, in quotes')
    .requiredOption('--b <options>', 'options of the candidate, in quotes')
    .option('--repeat <n>', 'pairs of runs; six can show a change, ten are better', '6')
    .option('--prepare <command>', 'shell command before each run')
    .option('--cleanup <command>', 'shell command after each run')
    .argument('[options...]', 'options of bench run, for both sides')
    .allowUnknownOption()
    .addHelpText('after', examples)
  return addComparisonFlags(command).action(async (common: string[], flags: AbFlags) => {
    const stop = watchSignals()
    try {
      end(await runAb(flags, common, io, stop))
    } finally {
      stop.dispose()
    }
  })
}

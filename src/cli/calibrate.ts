import { Command } from 'commander'
import type { RunOptions } from '../bench/options.ts'
import { loadDriver } from '../clients/index.ts'
import { messageOf, SurroundingsError, UsageError } from '../errors.ts'
import { formatCalibration } from '../report/calibration.ts'
import {
  type CalibratedWork,
  calibratedWorkOf,
  fastestOf,
  saveCalibration,
} from '../results/calibration.ts'
import type { RunResult } from '../results/result.ts'
import { type Io, styleOn } from './io.ts'
import { parseRunArgs } from './run-args.ts'
import { type PlannedRun, runSeries, type SeriesParts } from './run-series.ts'
import { watchSignals } from './signals.ts'
import { parseDuration, parseInteger } from './values.ts'

/**
 * `bench calibrate`: how fast each client can go on this machine, against the embedded broker with nothing on a disk.
 * Later runs of the same work say how near to that they came.
 */

interface CalibrateFlags {
  client?: string[]
  duration: string
  repeat: string
  resultsDir: string
  quiet?: boolean
}

const clients: readonly RunOptions['client'][] = ['kafkajs', 'wire', 'platformatic', 'librdkafka']
/** What the consumers are to read stays well below the bound of a store in memory. */
const mostReadBytes = 512 * 2 ** 20
const fewestRead = 10_000

/** Options that choose what a calibration chooses itself, or that would slow the client down. */
const foreignFlags = {
  mode: 'produce',
  bootstrapServers: undefined,
  topic: undefined,
  messageCount: undefined,
  rate: undefined,
  rateLimit: undefined,
  dataDir: '.bench',
  defect: undefined,
  repeat: undefined,
  scan: undefined,
  findMax: undefined,
  html: undefined,
  jsonOutput: undefined,
  csvOutput: undefined,
} as const

const refuseForeign = (common: readonly string[]): RunOptions => {
  const { raw, options } = parseRunArgs(common)
  for (const [name, usual] of Object.entries(foreignFlags)) {
    if (raw[name] === usual) continue
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    throw new UsageError(`--${flag} '${String(raw[name])}': not for bench calibrate`)
  }
  return options
}

/** Those that can be loaded; one that was asked for by name must be. */
const installedClients = async (wanted: readonly string[] | undefined, io: Io) => {
  const found: string[] = []
  for (const name of wanted ?? clients) {
    try {
      await loadDriver(name)
      found.push(name)
    } catch (error) {
      if (wanted !== undefined) throw error
      io.stderr.write(`bench: passed over: ${messageOf(error)}\n`)
    }
  }
  return found
}

/** Turn about, so that a machine that slowly changes treats all alike. */
const plansOf = (
  repeats: number,
  variants: readonly { title: string; args: readonly string[] }[],
): PlannedRun[] =>
  Array.from({ length: repeats }, (_, index) =>
    variants.map((variant) => ({ ...variant, index, side: null, dataDir: null })),
  ).flat()

/** What made the figures too low, such as other programs; each once. */
const unquietSigns = ({ warnings }: RunResult): string[] =>
  warnings.flatMap(({ code, text }) => (code === 'foreign-load' || code === 'steal' ? [text] : []))

const measure = async (
  plans: readonly PlannedRun[],
  parts: SeriesParts,
): Promise<{ works: CalibratedWork[]; exitCode: number; signs: string[] }> => {
  const { runs, exitCode } = await runSeries(plans, parts)
  const sound = runs.filter(({ result }) => result.checks.every(({ ok }) => ok))
  if (exitCode === 0 && sound.length === 0) throw new SurroundingsError('no run succeeded')
  const works = sound.flatMap(({ result }) => calibratedWorkOf(result) ?? [])
  return {
    works: fastestOf(works),
    exitCode,
    signs: sound.flatMap(({ result }) => unquietSigns(result)),
  }
}

const consumeArgs = (
  work: CalibratedWork,
  { durationMs, messageSizeBytes }: { durationMs: number; messageSizeBytes: number },
): string[] => {
  const affordable = Math.floor(mostReadBytes / (messageSizeBytes + 100))
  const wanted = Math.round((work.recordsPerSec * durationMs) / 1_000)
  const count = Math.max(1, Math.min(affordable, Math.max(fewestRead, wanted)))
  return ['--mode', 'consume', '--data-dir', 'memory', '-n', `${count}`]
}

const runCalibration = async (
  flags: CalibrateFlags,
  common: readonly string[],
  io: Io,
  parts: SeriesParts,
): Promise<number> => {
  const durationMs = parseDuration('duration', flags.duration, 1)
  const repeats = parseInteger('repeat', flags.repeat, 1, 100)
  const { messageSizeBytes } = refuseForeign(common)
  const names = await installedClients(flags.client, io)
  const every = ['--no-save', ...common]
  const produce = ['--mode', 'produce', '--data-dir', 'ring', '-w', '500ms', '-d', flags.duration]
  const producing = await measure(
    plansOf(
      repeats,
      names.map((name) => ({
        title: `${name} produce`,
        args: [...produce, ...every, '--client', name],
      })),
    ),
    parts,
  )
  if (producing.exitCode > 1) return producing.exitCode
  const consuming = await measure(
    plansOf(
      repeats,
      producing.works.map((work) => {
        const name = work.client.split(' ', 1)[0] as string
        const args = [...consumeArgs(work, { durationMs, messageSizeBytes }), ...every]
        return { title: `${name} consume`, args: [...args, '--client', name] }
      }),
    ),
    parts,
  )
  if (consuming.exitCode > 1) return consuming.exitCode
  const works = [...producing.works, ...consuming.works]
  const path = saveCalibration(flags.resultsDir, works)
  if (!parts.isQuiet) {
    io.stdout.write(formatCalibration(works, styleOn(io)))
    io.stderr.write(`saved ${path}\n`)
    const [sign] = [...producing.signs, ...consuming.signs]
    if (sign !== undefined) {
      io.stderr.write(`bench: ${sign}; calibrate again while nothing else runs\n`)
    }
  }
  return Math.max(producing.exitCode, consuming.exitCode)
}

const examples = `
All other options are those of bench run: a ceiling holds for runs with the same message size, concurrency, batching,
acks, compression, keys and partitions. Runs with the same --results-dir say how near to it they came.

Examples:
  bench calibrate
  bench calibrate -s 256 -c 128 --client kafkajs`

export const calibrateCommand = (io: Io, end: (exitCode: number) => void): Command =>
  new Command('calibrate')
    .description('how fast each client can go on this machine, against the embedded broker')
    .option(
      '--client <name>',
      'only this client (repeatable; default: all that are installed)',
      (name: string, before: string[] | undefined) => [...(before ?? []), name],
    )
    .option('-d, --duration <time>', 'length of each measurement', '2s')
    .option('--repeat <n>', 'measurements of each, of which the fastest counts', '3')
    .option('--results-dir <dir>', 'where the figures are kept', 'results')
    .option('--quiet', 'no progress and no table')
    .argument('[options...]', 'options of bench run')
    .allowUnknownOption()
    .addHelpText('after', examples)
    .action(async (common: string[], flags: CalibrateFlags) => {
      const stop = watchSignals()
      // A broker elsewhere is not what is calibrated, nor a topic that is there.
      for (const name of ['KAFKA_BOOTSTRAP_SERVERS', 'KAFKA_TOPIC']) delete process.env[name]
      const isQuiet = flags.quiet ?? false
      try {
        end(
          await runCalibration(flags, common, io, {
            io,
            stop,
            isQuiet,
            prepare: null,
            cleanup: null,
          }),
        )
      } finally {
        stop.dispose()
      }
    })

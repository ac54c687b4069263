import { Command, CommanderError } from 'commander'
import { UsageError } from '../errors.ts'
import { readBenchVersion } from '../results/environment.ts'
import { withConfigFile } from './config-file.ts'
import { tellFailure } from './failure.ts'
import type { Io } from './io.ts'
import { addRunFlags, type RawFlags } from './run-flags.ts'

/**
 * The commander program: which command does what, and which error ends in which exit code. A command's file is loaded
 * when it is asked for: what `bench broker` or `--version` never use would cost them most of their start.
 */

type End = (exitCode: number) => void

const loaders: Readonly<Record<string, (io: Io, end: End) => Promise<Command>>> = {
  report: async (io) => (await import('./report.ts')).reportCommand(io),
  broker: async () => (await import('./broker.ts')).brokerCommand(),
  record: async (io) => (await import('./record.ts')).recordCommand(io),
  diff: async (io, end) => (await import('./diff.ts')).diffCommand(io, end),
  ab: async (io, end) => (await import('./ab.ts')).abCommand(io, end),
  compare: async (io, end) => (await import('./compare.ts')).compareCommand(io, end),
  scenario: async (io, end) => (await import('./scenario.ts')).scenarioCommand(io, end),
  history: async (io) => (await import('./history.ts')).historyCommand(io),
  calibrate: async (io, end) => (await import('./calibrate.ts')).calibrateCommand(io, end),
  clean: async (io) => (await import('./clean.ts')).cleanCommand(io),
}

const examples = `
All options of a run: bench run --help

Examples:
  bench                                      a demonstration: produce, then a staggered group of three, every record accounted for
  bench --mode produce -c 128 -s 256 -d 30s -t bench-test
  bench --mode consume -t bench-test --consumer-group g --consumers 3 --stagger 1s
  bench -b broker:9092 --rate 20000 -d 1m --fail-if 'p99>10ms' --json-output result.json
  bench broker --port 9092                   the embedded broker for your own clients
  bench report results/….json --format csv
  bench record --upstream broker:9092 -o session.jsonl    what client and broker say, decoded and judged

Exit codes: 0 all checks held, 1 a check or threshold failed, 2 usage, 3 surroundings (broker, disk, port), 130 Ctrl-C.`

/** Commander's guess at what was meant stands on a line of its own. */
const oneLine = (text: string): string => `${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`

const loadCommands = (name: string | undefined, io: Io, end: End): Promise<Command[]> => {
  const needsAll = name === 'help' || name === '--help' || name === '-h'
  const wanted = Object.entries(loaders).filter(([known]) => needsAll || known === name)
  return Promise.all(wanted.map(([, load]) => load(io, end)))
}

const runWithFlags = async (raw: RawFlags, command: Command, args: readonly string[], io: Io) => {
  if (args.length === 0) {
    const { runDemonstration } = await import('./demonstration.ts')
    return runDemonstration(io)
  }
  const { runCommand } = await import('./run.ts')
  return runCommand(raw, command, args, io)
}

const createProgram = async (args: readonly string[], io: Io, end: End): Promise<Command> => {
  const program = new Command('bench')
    .description(
      'Benchmarks and load-tests Kafka-compatible brokers and accounts for every record.',
    )
    .version(readBenchVersion(), '-V, --version')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text.replace(/^error: /, 'bench: ')),
      outputError: (text, write) => write(oneLine(text)),
    })
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', examples)
  const run = program
    .command('run', { isDefault: true })
    .description('one run (the default command)')
    .allowExcessArguments(false)
    .addHelpText('after', examples)
    .action(async (raw: RawFlags) => end(await runWithFlags(raw, run, args, io)))
  addRunFlags(run)
  for (const command of await loadCommands(args[0], io, end)) program.addCommand(command)
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
    command.exitOverride().copyInheritedSettings(program)
  }
  return program
}

const commands = ['run', ...Object.keys(loaders), 'help']

const refuseCommand = (name: string | undefined): void => {
  if (name !== undefined && !name.startsWith('-') && !commands.includes(name)) {
    throw new UsageError(`'${name}': no such command; commands are ${commands.join(', ')}`)
  }
}

/** A variable that is set to nothing is as good as not set, as with other tools. */
const dropEmptyVariables = (): void => {
  for (const name of ['KAFKA_BOOTSTRAP_SERVERS', 'KAFKA_TOPIC']) {
    if (process.env[name] === '') delete process.env[name]
  }
}

/** Says what it read: the user sees the options that a file comes to. */
const readOmbFiles = async (given: readonly string[], io: Io): Promise<readonly string[]> => {
  if (!given.some((arg) => arg.startsWith('--omb'))) return given
  const { withOmbFiles } = await import('./omb-files.ts')
  const { args, notes } = withOmbFiles(given)
  if (!args.includes('--quiet')) for (const note of notes) io.stderr.write(`bench: ${note}\n`)
  return args
}

export const runProgram = async (given: readonly string[], io: Io): Promise<number> => {
  dropEmptyVariables()
  let exitCode = 0
  try {
    refuseCommand(given[0])
    const args = await readOmbFiles(withConfigFile(given), io)
    const program = await createProgram(args, io, (code) => {
      exitCode = code
    })
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return tellFailure(error, given, io)
  }
}

import { Command, CommanderError } from 'commander'
import { BenchError, messageOf, UsageError } from '../errors.ts'
import { readBenchVersion } from '../results/environment.ts'
import { brokerCommand } from './broker.ts'
import { cleanCommand } from './clean.ts'
import { withConfigFile } from './config-file.ts'
import { runDemonstration } from './demonstration.ts'
import { diffCommand } from './diff.ts'
import type { Io } from './io.ts'
import { recordCommand } from './record.ts'
import { reportCommand } from './report.ts'
import { runCommand } from './run.ts'
import { addRunFlags, type RawFlags } from './run-flags.ts'

/** The commander program: which command does what, and which error ends in which exit code. */

const laterCommands = ['scenario', 'compare', 'ab', 'history', 'calibrate'] as const

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

const createProgram = (args: readonly string[], io: Io, end: (exitCode: number) => void) => {
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
    .action(async (raw: RawFlags) => {
      end(args.length === 0 ? await runDemonstration(io) : await runCommand(raw, run, args, io))
    })
  addRunFlags(run)
  program.addCommand(reportCommand(io))
  program.addCommand(brokerCommand())
  program.addCommand(cleanCommand(io))
  program.addCommand(recordCommand(io))
  program.addCommand(diffCommand(io, end))
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
    command.exitOverride().copyInheritedSettings(program)
  }
  return program
}

const commands = ['run', 'report', 'broker', 'clean', 'record', 'diff', 'help']

const refuseCommand = (name: string | undefined): void => {
  if (laterCommands.some((later) => later === name)) {
    throw new UsageError(`bench ${name}: not available yet in this version`)
  }
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

export const runProgram = async (given: readonly string[], io: Io): Promise<number> => {
  dropEmptyVariables()
  let exitCode = 0
  try {
    refuseCommand(given[0])
    const args = withConfigFile(given)
    const program = createProgram(args, io, (code) => {
      exitCode = code
    })
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    io.stderr.write(`bench: ${messageOf(error)}\n`)
    if (error instanceof BenchError) return error.exitCode
    if (given.includes('--verbose') || given.includes('-v')) {
      io.stderr.write(`${error instanceof Error ? error.stack : ''}\n`)
    }
    return 3
  }
}

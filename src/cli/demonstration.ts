import { Command } from 'commander'
import type { RunOptions } from '../bench/options.ts'
import { loadDriver } from '../clients/index.ts'
import { formatReport } from '../report/text.ts'
import type { Io } from './io.ts'
import { exitCodeOf, runOnce } from './run.ts'
import { addRunFlags, type RawFlags } from './run-flags.ts'
import { parseRunOptions } from './run-options.ts'
import { watchSignals } from './signals.ts'
import { openTarget } from './target.ts'

/** Bare `bench`: produce for 5 s on the embedded broker in memory, then a group of three staggered by 1 s reads it all. */

const topic = 'bench-demo'
const produceArgs = ['--mode', 'produce', '--topic', topic, '-c', '128', '-s', '256', '-d', '5s']
const consumeArgs = ['--mode', 'consume', '--topic', topic, '--consumers', '3', '--stagger', '1s']

const optionsOf = (args: readonly string[]): RunOptions => {
  const flags = addRunFlags(new Command('run')).parse(args, { from: 'user' })
  const options = parseRunOptions(flags.opts<RawFlags>(), process.env)
  return { ...options, bootstrapServers: null, topic, dataDir: 'memory' }
}

export const runDemonstration = async (io: Io): Promise<number> => {
  const stop = watchSignals()
  const produce = optionsOf([...produceArgs, '-w', '1s'])
  const driver = await loadDriver(produce.client)
  const target = await openTarget(produce, stop.signal)
  const color = io.isStdoutTty && !process.env['NO_COLOR']
  try {
    let exitCode = 0
    for (const [args, options] of [
      [produceArgs, produce],
      [consumeArgs, optionsOf(consumeArgs)],
    ] as const) {
      io.stderr.write(`$ bench ${args.join(' ')}\n`)
      const parts = { target, driver, args, io, isQuiet: false }
      const outcome = await runOnce(options, parts, stop.signal)
      io.stdout.write(formatReport(outcome.result, { color }))
      exitCode = exitCodeOf(outcome, stop)
      if (exitCode !== 0) break
    }
    io.stdout.write(
      'This was a demonstration on the embedded broker, in memory; nothing is kept. Your own: bench --help\n',
    )
    return exitCode
  } finally {
    await target.release()
    stop.dispose()
  }
}

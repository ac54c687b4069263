import { type Io, realIo } from './io.ts'

/**
 * The whole program: arguments in, exit code out. The embedded broker's child goes its own way before anything else
 * is loaded, since its start-up time is part of every first command.
 */
export const main = async (args: readonly string[], io: Io = realIo()): Promise<number> => {
  if (args[0] === 'broker' && args[1] === '--embedded') {
    const { runEmbeddedBroker } = await import('./embedded-broker.ts')
    return runEmbeddedBroker(args.slice(2))
  }
  const { runProgram } = await import('./program.ts')
  return runProgram(args, io)
}

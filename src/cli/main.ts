import { type Io, realIo } from './io.ts'

/**
 * The whole program: arguments in, exit code out. A broker goes its own way before anything else is loaded.
 */
export const main = async (args: readonly string[], io: Io = realIo()): Promise<number> => {
  if (args[0] === 'broker') {
    const { runBrokerProcess } = await import('./broker-process.ts')
    const exitCode = await runBrokerProcess(args.slice(1), io)
    if (exitCode !== null) return exitCode
  }
  const { runProgram } = await import('./program.ts')
  return runProgram(args, io)
}

import { type Io, realIo } from './io.ts'

/** What `broker-process.ts` is, however it is loaded. */
export type BrokerProcess = Pick<typeof import('./broker-process.ts'), 'runBrokerProcess'>

/**
 * The whole program: arguments in, exit code out. A broker goes its own way before anything else is loaded.
 */
export const main = async (
  args: readonly string[],
  {
    io = realIo(),
    loadBroker = () => import('./broker-process.ts'),
  }: { io?: Io; loadBroker?: () => Promise<BrokerProcess> } = {},
): Promise<number> => {
  if (args[0] === 'broker') {
    const { runBrokerProcess } = await loadBroker()
    const exitCode = await runBrokerProcess(args.slice(1), io)
    if (exitCode !== null) return exitCode
  }
  const { runProgram } = await import('./program.ts')
  return runProgram(args, io)
}

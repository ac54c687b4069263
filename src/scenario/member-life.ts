/** The life of a member in a process of its own: the build makes one file of this and all that it imports. */
import { loadDriver } from '../clients/index.ts'
import { systemClock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { openMemberLink } from './member-link.ts'

/** A library that hangs while it leaves must not keep the process. */
const leaveLimitMs = 18_000

const tellFatal = (error: unknown): void => {
  const atMs = systemClock.epochMs()
  const event = { type: 'error', code: null, message: messageOf(error), isFatal: true, atMs }
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

const live = async (client: string): Promise<number> => {
  const opened = await openMemberLink(process.stdin, process.stdout)
  if (opened === null) return 2
  process.stdin.once('end', () => {
    systemClock.setTimer(leaveLimitMs, () => process.exit(1))
  })
  const { options, link } = opened
  if (client === 'scripted') {
    const { runScriptedMember } = await import('./member-scripted.ts')
    return runScriptedMember(options, link, systemClock)
  }
  const { runDriverMember } = await import('./member-of-driver.ts')
  return runDriverMember(await loadDriver(client), options, link, systemClock)
}

/** Resolves to the exit code. */
export const runMember = (client: string): Promise<number> => {
  // Some libraries leave rejected promises behind when they are closed in the middle of something.
  process.on('unhandledRejection', (error) => process.stderr.write(`${messageOf(error)}\n`))
  return live(client).catch((error: unknown) => {
    tellFatal(error)
    return 1
  })
}

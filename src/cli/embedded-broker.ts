import { writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { DataDir } from '../broker/data-dir.ts'
import { startBroker } from '../broker/life.ts'
import { exitCodeOfLockLoser } from '../broker/lock.ts'
import { brokerSettings } from '../broker/settings.ts'
import { systemClock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { parsePairs } from './values.ts'

/**
 * `bench broker --embedded …`: the detached child that `broker/spawn.ts` starts. It parses its own few arguments,
 * so that it starts without commander, and its standard error is the broker's log.
 */

const log = (line: string): void => {
  try {
    writeSync(2, `${new Date(systemClock.epochMs()).toISOString()} [${process.pid}] ${line}\n`)
  } catch {
    // A full disk must not end the broker because of its log.
  }
}

const end = (error: unknown): never => {
  if (error instanceof Error && error.stack !== undefined) log(error.stack)
  // The last line is what a user is shown who waits for this broker.
  log(messageOf(error))
  process.exit(3)
}

const readArgs = (args: readonly string[]) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'data-dir': { type: 'string', default: '.bench' },
      store: { type: 'string', default: 'disk' },
      defect: { type: 'string' },
      setting: { type: 'string', short: 'X', multiple: true, default: [] },
    },
  })
  const store = values.store === 'memory' || values.store === 'ring' ? values.store : 'disk'
  const folder = values['data-dir']
  const dataDir: DataDir = { store, folder: store === 'disk' ? folder : null }
  const settings = brokerSettings(parsePairs('X', values.setting))
  return { dataDir, folder, settings, defect: values.defect ?? null }
}

const live = async (args: readonly string[]): Promise<number> => {
  const { dataDir, folder, settings, defect } = readArgs(args)
  const broker = await startBroker({
    dataDir,
    lockFolder: folder,
    settings,
    defect,
    port: 0,
    endsWithLeases: true,
    clock: systemClock,
    log,
  })
  if (broker === null) return exitCodeOfLockLoser
  process.on('SIGINT', (signal) => broker.stop(signal))
  process.on('SIGTERM', (signal) => broker.stop(signal))
  await broker.ended
  return 0
}

/** Ends the process when the broker has ended, whatever is still pending: no orphan without its lock. */
export const runEmbeddedBroker = async (args: readonly string[]): Promise<number> => {
  process.on('uncaughtException', end).on('unhandledRejection', end)
  const exitCode = await live(args).catch(end)
  return process.exit(exitCode)
}

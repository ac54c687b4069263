import { parseArgs } from 'node:util'
import { takeInstalledCrc32c } from '../clients/wire/native-crc32c.ts'
import { offerNativeCrc32c } from '../protocol/crc32c.ts'
import { brokerDefaults, runBroker } from './broker-run.ts'
import { runEmbeddedBroker } from './embedded-broker.ts'
import { tellFailure } from './failure.ts'
import type { Io } from './io.ts'

/**
 * A process that is a broker, without what only other commands need: the build makes one file of this and all that it
 * imports, since the start-up time is part of every first command.
 */

const parse = (args: readonly string[]) => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: brokerDefaults.port },
        brokers: { type: 'string', default: brokerDefaults.brokers },
        'data-dir': { type: 'string', default: brokerDefaults.dataDir },
        set: { type: 'string', short: 'X', multiple: true, default: [] },
        profile: { type: 'string', default: brokerDefaults.profile },
        defect: { type: 'string' },
      },
    })
    const { 'data-dir': dataDir, defect, ...flags } = values
    return { ...flags, dataDir, ...(defect === undefined ? {} : { defect }) }
  } catch {
    return null
  }
}

/** Resolves to the exit code; to null when the arguments are not only options of a broker: `--help`, or a mistake. */
export const runBrokerProcess = async (args: readonly string[], io: Io): Promise<number | null> => {
  offerNativeCrc32c(takeInstalledCrc32c)
  if (args[0] === '--embedded') return runEmbeddedBroker(args.slice(1))
  const flags = parse(args)
  if (flags === null) return null
  try {
    await runBroker(flags)
    return 0
  } catch (error) {
    return tellFailure(error, args, io)
  }
}

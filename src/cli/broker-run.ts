import { maxNodes } from '../broker/cluster.ts'
import { parseDataDir } from '../broker/data-dir.ts'
import { withDefect } from '../broker/defects/index.ts'
import { startBroker } from '../broker/life.ts'
import { readLiveLock } from '../broker/lock.ts'
import { kafkaParts } from '../broker/parts.ts'
import { profileNames, withProfile } from '../broker/profiles.ts'
import { brokerSettings } from '../broker/settings.ts'
import { sleep, systemClock } from '../clock.ts'
import { SurroundingsError } from '../errors.ts'
import { inFlag, parseChoice, parseInteger, parsePairs } from './values.ts'

/** `bench broker`: the embedded broker in the foreground, for any Kafka client; Ctrl-C ends it. */

export interface BrokerFlags {
  port: string
  dataDir: string
  set: string[]
  brokers: string
  profile: string
  defect?: string
}

export const brokerDefaults = {
  port: '9092',
  brokers: '1',
  dataDir: '.bench',
  profile: 'kafka-4.3',
}

/** How long to wait for a broker on the same folder that may be about to end, and for one that is ending. */
const patienceMs = { running: 1_000, stopping: 10_000 }

const log = (line: string): void => void process.stderr.write(`${line}\n`)

/** Starts it, waiting a little for an embedded broker on the same folder that has just lost its last user. */
const start = async (options: Omit<Parameters<typeof startBroker>[0], 'clock' | 'log'>) => {
  const startedNs = systemClock.nowNs()
  for (;;) {
    const broker = await startBroker({ ...options, clock: systemClock, log })
    if (broker !== null) return broker
    const folder = options.lockFolder ?? ''
    const holder = readLiveLock(folder)
    const waitMs = holder?.state === 'stopping' ? patienceMs.stopping : patienceMs.running
    if (systemClock.nowNs() - startedNs > waitMs * 1e6) {
      throw new SurroundingsError(
        `--data-dir '${folder}': a broker is at work there (pid ${holder?.pid}, ${holder?.endpoint}); end it, or use another folder`,
      )
    }
    await sleep(systemClock, 20)
  }
}

/** Until it is ended. Throws `BenchError`s. */
export const runBroker = async (flags: BrokerFlags): Promise<void> => {
  const brokers = parseInteger('brokers', flags.brokers, 1, maxNodes)
  const port = parseInteger('port', flags.port, 0, 65_536 - brokers)
  const dataDir = parseDataDir(flags.dataDir)
  const settings = inFlag('-X', () => brokerSettings(parsePairs('X', flags.set), brokers))
  const profile = parseChoice('profile', flags.profile, profileNames)
  const defect = flags.defect ?? null
  if (defect !== null) inFlag('--defect', () => withDefect(kafkaParts, defect))
  const broker = await start({
    dataDir,
    lockFolder: dataDir.folder,
    settings,
    port,
    brokers,
    endsWithLeases: false,
    parts: withProfile(kafkaParts, profile),
    defect,
  })
  const stop = (signal: NodeJS.Signals): void => broker.stop(signal)
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    await broker.ended
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

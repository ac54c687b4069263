import { rmSync } from 'node:fs'
import type { Clock } from '../clock.ts'
import { messageOf, SurroundingsError } from '../errors.ts'
import { type Broker, createBroker } from './broker.ts'
import type { DataDir } from './data-dir.ts'
import { withDefect } from './defects/index.ts'
import { type LeaseServer, listenForLeases } from './lease.ts'
import { type HeldLock, takeLock } from './lock.ts'
import { type BrokerParts, kafkaParts } from './parts.ts'
import type { Settings } from './settings.ts'

/** One broker's life as a process: lock, listen, serve, and at the end close, flush and unlock, in that order. */

export interface LifeOptions {
  readonly dataDir: DataDir
  /** Where lock and log lie; the data folder, or the fresh folder of a private broker. null: no lock and no leases. */
  readonly lockFolder: string | null
  readonly settings: Settings
  readonly port: number
  /** How many nodes, on ports from `port` on; 1 unless told. */
  readonly brokers?: number
  /** The embedded broker ends when its users are gone; the one in the foreground does not. */
  readonly endsWithLeases: boolean
  /** Correct ones of the newest Kafka unless told. */
  readonly parts?: BrokerParts
  /** Bugs to give it, by name; null: none. */
  readonly defect?: string | null
  readonly clock: Clock
  readonly log: (line: string) => void
}

export interface RunningBroker {
  /** `127.0.0.1:<port>` of each node, with commas between. */
  readonly endpoint: string
  /** Settles when the broker has ended and everything is written. */
  readonly ended: Promise<void>
  stop(reason: string): void
}

/** A user that started the broker has this long to take its lease. */
const graceMs = 4_000
const lingerMs = 300

const patienceOf = ({ endsWithLeases, dataDir }: LifeOptions) => {
  if (!endsWithLeases)
    return { graceMs: Number.POSITIVE_INFINITY, lingerMs: Number.POSITIVE_INFINITY }
  // Nobody else can join a private broker.
  return { graceMs, lingerMs: dataDir.folder === null ? 0 : lingerMs }
}

const unlock = (lock: HeldLock, options: LifeOptions): void => {
  lock.release()
  if (options.dataDir.folder === null && options.lockFolder !== null) {
    rmSync(options.lockFolder, { recursive: true, force: true })
  }
}

const partsOf = ({ parts = kafkaParts, defect = null }: LifeOptions): BrokerParts =>
  defect === null ? parts : withDefect(parts, defect)

/** Starts a broker; null when a live one holds the folder's lock. Throws a `SurroundingsError` when it cannot start. */
export const startBroker = async (options: LifeOptions): Promise<RunningBroker | null> => {
  const { dataDir, lockFolder, settings, clock, log, defect = null } = options
  const parts = partsOf(options)
  const own = { store: dataDir.store, settings, defect }
  const lock = lockFolder === null ? null : takeLock(lockFolder, own)
  if (lock === null && lockFolder !== null) return null
  let broker: Broker | null = null
  let leases: LeaseServer | null = null
  const close = async (): Promise<void> => {
    lock?.update({ state: 'stopping' })
    leases?.close()
    await broker?.close()
    if (lock !== null) unlock(lock, options)
  }
  const stopping = new AbortController()
  const stop = (reason: string): void => stopping.abort(reason)
  const ended = new Promise<void>((resolve, reject) => {
    stopping.signal.addEventListener('abort', () => {
      log(`stopping: ${stopping.signal.reason}`)
      close().then(resolve, reject)
    })
  })
  try {
    const { port, brokers = 1 } = options
    const where = { host: '127.0.0.1', port, brokers, dataDir }
    broker = createBroker({ ...where, settings, clock, log, parts })
    await broker.listen()
    const { nodes } = broker.context.cluster
    const endpoint = nodes.map((node) => `${node.host}:${node.port}`).join()
    if (lock !== null) {
      leases = await listenForLeases({
        token: lock.content.token,
        clock,
        ...patienceOf(options),
        onUnused: () => stop('no user is left'),
      })
      lock.update({ state: 'running', endpoint, leasePort: leases.port })
    }
    if (defect !== null) log(`this broker has a defect: ${defect}`)
    log(`listening on ${endpoint} (${dataDir.folder ?? `${dataDir.store}, nothing is kept`})`)
    broker.warmUp()
    return { endpoint, ended, stop }
  } catch (error) {
    await close().catch((failure: unknown) => log(messageOf(failure)))
    throw error instanceof SurroundingsError
      ? error
      : new SurroundingsError(messageOf(error), { cause: error })
  }
}

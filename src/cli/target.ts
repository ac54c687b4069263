import { readdirSync, statfsSync, statSync } from 'node:fs'
import path from 'node:path'
import type { RunOptions } from '../bench/options.ts'
import { parseDataDir, type StoreKind } from '../broker/data-dir.ts'
import { withDefect } from '../broker/defects/index.ts'
import { kafkaParts } from '../broker/parts.ts'
import { parseSettings } from '../broker/settings.ts'
import { acquireBroker } from '../broker/spawn.ts'
import { systemClock } from '../clock.ts'
import { UsageError } from '../errors.ts'
import { inFlag } from './values.ts'

/** The broker under test. From here on an external and an embedded one look the same. */

export interface Target {
  readonly kind: 'embedded' | 'external'
  readonly bootstrapServers: readonly string[]
  readonly dataDir?: string
  /** The process of the embedded broker. */
  readonly brokerPid: number | null
  /** The bugs that the embedded broker has been given; null: none that we know of. */
  readonly defect: string | null
  /** Aborts when the embedded broker has died. */
  readonly lost: AbortSignal
  /** Where the data are, once they have grown large; else null. */
  dataNote(): string | null
  /** What to do when the broker cannot store records. */
  storageHint(): string
  release(): Promise<void>
}

/** What can be refused before anything starts. Throws `UsageError`s. */
export const checkTarget = (options: RunOptions): void => {
  inFlag('--broker-config', () => parseSettings(options.brokerConfig))
  const { defect } = options
  if (defect !== null) inFlag('--defect', () => withDefect(kafkaParts, defect))
  if (options.bootstrapServers && defect !== null) {
    throw new UsageError(
      `--defect '${defect}': only the embedded broker takes defects; leave out --bootstrap-servers`,
    )
  }
  const [name] = Object.keys(options.brokerConfig)
  if (options.bootstrapServers && name !== undefined) {
    throw new UsageError(
      `--broker-config ${name}: only the embedded broker takes settings; leave out --bootstrap-servers`,
    )
  }
  if (!options.bootstrapServers && (options.security.tls ?? options.security.sasl) !== null) {
    throw new UsageError(
      '--tls and --sasl: only for external brokers; give --bootstrap-servers too',
    )
  }
}

const largeDataBytes = 2 * 2 ** 30

const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => {
    const stat = statSync(path.join(folder, name), { throwIfNoEntry: false })
    return sum + (stat?.isFile() === true ? stat.size : 0)
  }, 0)

export const dataNoteOf = (folder: string | null, largeBytes = largeDataBytes): string | null => {
  const bytes = folder === null ? 0 : sizeOf(folder)
  if (bytes < largeBytes) return null
  const size = `${(bytes / 2 ** 30).toFixed(1)} GiB`
  return `the data in ${folder} take ${size}; delete the folder when they are no longer needed, or bound them with --broker-config log.retention.bytes=…`
}

const storageHintOf = (store: StoreKind, folder: string | null): string => {
  if (folder === null) {
    return `the ${store} store is full; take --data-dir ring or a folder, or raise --broker-config store.max.bytes=…`
  }
  const { bavail, bsize } = statfsSync(folder)
  const freeMiB = Math.floor((bavail * bsize) / 2 ** 20)
  return `${freeMiB} MiB of space are free for ${folder}, and 1 GiB and 5 % must stay free; free some, delete the folder, or take another --data-dir`
}

export const openTarget = async (
  options: Pick<
    RunOptions,
    'bootstrapServers' | 'dataDir' | 'brokerConfig' | 'defect' | 'connectTimeoutMs'
  >,
  signal: AbortSignal,
): Promise<Target> => {
  const lost = new AbortController()
  if (options.bootstrapServers) {
    return {
      kind: 'external',
      brokerPid: null,
      bootstrapServers: options.bootstrapServers,
      defect: null,
      lost: lost.signal,
      dataNote: () => null,
      storageHint: () => "free space on the broker's disk",
      release: () => Promise.resolve(),
    }
  }
  const broker = await acquireBroker({
    dataDir: parseDataDir(options.dataDir),
    settings: options.brokerConfig,
    defect: options.defect,
    clock: systemClock,
    connectTimeoutMs: options.connectTimeoutMs,
    signal,
  })
  broker.onLost((reason) => lost.abort(reason))
  return {
    kind: 'embedded',
    brokerPid: broker.pid,
    bootstrapServers: broker.bootstrapServers,
    dataDir: broker.dataDir ?? options.dataDir,
    defect: broker.defect,
    lost: lost.signal,
    dataNote: () => dataNoteOf(broker.dataDir),
    storageHint: () => storageHintOf(broker.store, broker.dataDir),
    release: () => broker.release(),
  }
}

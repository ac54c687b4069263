import type { DataDir } from '../data-dir.ts'
import type { Settings } from '../settings.ts'
import { diskStore } from './disk.ts'
import { memoryStore } from './memory.ts'
import type { Store } from './store.ts'

/** Picks the store that a data dir asks for. */

export interface OpenStoreOptions {
  readonly dataDir: DataDir
  readonly settings: Settings
  /** One line to the broker's log. */
  readonly log: (line: string) => void
}

/** Opens what the broker keeps its data in. Throws a `StorageError` when the folder cannot be used. */
export const openStore = ({ dataDir, settings, log }: OpenStoreOptions): Store => {
  const segmentBytes = settings['log.segment.bytes']
  return dataDir.folder !== null
    ? diskStore({ folder: dataDir.folder, segmentBytes, log })
    : memoryStore({
        kind: dataDir.store === 'ring' ? 'ring' : 'memory',
        maxBytes: settings['store.max.bytes'],
        segmentBytes,
      })
}

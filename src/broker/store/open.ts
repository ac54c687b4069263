import type { Clock } from '../../clock.ts'
import type { DataDir } from '../data-dir.ts'
import type { Settings } from '../settings.ts'
import type { Store } from './store.ts'

export interface OpenStoreOptions {
  readonly dataDir: DataDir
  readonly settings: Settings
  readonly clock: Clock
  /** One line to the broker's log. */
  readonly log: (line: string) => void
}

/** Opens what the broker keeps its data in. Throws a `StorageError` when the folder cannot be used. */
export const openStore = (_options: OpenStoreOptions): Store => {
  throw new Error('not yet')
}

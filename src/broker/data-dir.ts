import path from 'node:path'

/** Where the embedded broker's data live: a folder, or nowhere. */
export type StoreKind = 'disk' | 'memory' | 'ring'

export interface DataDir {
  readonly store: StoreKind
  /** Absolute; null with `memory` and `ring`, which keep nothing and cannot be joined. */
  readonly folder: string | null
}

/** Reads `--data-dir DIR|memory|ring`. */
export const parseDataDir = (text: string): DataDir =>
  text === 'memory' || text === 'ring'
    ? { store: text, folder: null }
    : { store: 'disk', folder: path.resolve(text) }

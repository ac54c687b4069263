import { existsSync, mkdirSync } from 'node:fs'
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

/** Makes a folder and those above it; throws the system's error. Node's own `recursive` never ends below /proc. */
export const makeFolder = (folder: string): void => {
  if (existsSync(folder)) return
  makeFolder(path.dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another may have made it just now.
    if (!existsSync(folder)) throw error
  }
}

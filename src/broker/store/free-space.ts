import { statfsSync } from 'node:fs'
import { StorageError } from './store.ts'

/** Keeps a disk from being filled: appends are refused while less than max(1 GiB, 5 %) is free. */

const GiB = 2 ** 30
const checkEveryBytes = 16 * 2 ** 20

/** What `fs.statfs` tells of the disk that holds a folder. */
export type ReadSpace = (folder: string) => { freeBytes: number; totalBytes: number }

const readSpaceOfDisk: ReadSpace = (folder) => {
  const { bavail, blocks, bsize } = statfsSync(folder)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}

export class FreeSpace {
  readonly #folder: string
  readonly #readSpace: ReadSpace
  /** Looks at the disk only once in so many bytes, and at every append while it refuses. */
  #uncheckedBytes = checkEveryBytes

  constructor(folder: string, readSpace: ReadSpace = readSpaceOfDisk) {
    this.#folder = folder
    this.#readSpace = readSpace
  }

  /** Throws a `StorageError` when `bytes` more must not be written. */
  claim(bytes: number): void {
    this.#uncheckedBytes += bytes
    if (this.#uncheckedBytes < checkEveryBytes) return
    const { freeBytes, totalBytes } = this.#readSpace(this.#folder)
    const floorBytes = Math.max(GiB, totalBytes * 0.05)
    if (freeBytes - bytes < floorBytes) {
      throw new StorageError(
        `too little free space for ${this.#folder}: ${mib(freeBytes)} MiB are free, ${mib(floorBytes)} MiB must stay free`,
      )
    }
    this.#uncheckedBytes = 0
  }
}

const mib = (bytes: number): number => Math.floor(bytes / 2 ** 20)

import { closeSync, existsSync, openSync } from 'node:fs'
import path from 'node:path'

/** Open descriptors by file, for reading and writing, the least recently used closed first. */

const openFilesLimit = 128

export class OpenFiles {
  readonly #descriptors = new Map<string, number>()
  #lastFile = ''
  #lastDescriptor = -1

  get(file: string): number {
    if (file === this.#lastFile) return this.#lastDescriptor
    const descriptor = this.#descriptors.get(file) ?? openSync(file, existsSync(file) ? 'r+' : 'w+')
    this.#descriptors.delete(file)
    this.#descriptors.set(file, descriptor)
    if (this.#descriptors.size > openFilesLimit) {
      const [oldest] = this.#descriptors.keys()
      if (oldest !== undefined) this.close(oldest)
    }
    this.#lastFile = file
    this.#lastDescriptor = descriptor
    return descriptor
  }

  close(file: string): void {
    const descriptor = this.#descriptors.get(file)
    if (descriptor === undefined) return
    this.#descriptors.delete(file)
    if (this.#lastFile === file) this.#lastFile = ''
    closeSync(descriptor)
  }

  /** Closes all files in `folder`. */
  closeUnder(folder: string): void {
    for (const file of this.#descriptors.keys()) {
      if (file.startsWith(folder + path.sep)) this.close(file)
    }
  }
}

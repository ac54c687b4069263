import type { Journal } from './store/journal.ts'

/** Hands out producer ids that never repeat, also not after a restart. */

const blockSize = 1_000

export class ProducerIds {
  readonly #journal: Journal
  #next: number
  #blockEnd: number

  constructor(journal: Journal) {
    this.#journal = journal
    const last = journal.entries().at(-1) as { nextBlock: number } | undefined
    this.#next = last?.nextBlock ?? 0
    this.#blockEnd = this.#next
  }

  /** The next id. Throws a `StorageError` when a new block cannot be reserved. */
  next(): number {
    if (this.#next === this.#blockEnd) {
      this.#journal.rewrite([{ nextBlock: this.#blockEnd + blockSize }])
      this.#blockEnd += blockSize
    }
    return this.#next++
  }
}

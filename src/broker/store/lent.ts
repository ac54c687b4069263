/**
 * Which connections have not yet sent all that they were lent of the store's memory: it must not be used again before.
 * What is sent by the end of the event loop's turn in which it was read needs no mark.
 */
export class Lent {
  #last = 0
  /** Ascending. */
  readonly #open = new Set<number>()

  /** The newest mark given out. */
  get last(): number {
    return this.#last
  }

  /** Begins a mark, to be given to `end`. */
  begin(): number {
    this.#last++
    this.#open.add(this.#last)
    return this.#last
  }

  end(mark: number): void {
    this.#open.delete(mark)
  }

  /** Whether all marks up to `mark` have ended. */
  hasEnded(mark: number): boolean {
    const [oldest = Number.POSITIVE_INFINITY] = this.#open
    return oldest > mark
  }
}

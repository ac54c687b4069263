/** A queue in an array that is used again: neither taking nor adding moves or allocates anything once it is large enough. */

const firstSize = 16

export class Fifo<Item> {
  /** A power of two of places. */
  #places: (Item | undefined)[] = Array.from({ length: firstSize })
  #mask = firstSize - 1
  #head = 0
  size = 0

  push(item: Item): void {
    if (this.size === this.#places.length) this.#grow()
    this.#places[(this.#head + this.size) & this.#mask] = item
    this.size += 1
  }

  peek(): Item | undefined {
    return this.#places[this.#head]
  }

  shift(): Item | undefined {
    const item = this.#places[this.#head]
    if (this.size === 0) return undefined
    this.#places[this.#head] = undefined
    this.#head = (this.#head + 1) & this.#mask
    this.size -= 1
    return item
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let index = 0; index < this.size; index++) {
      yield this.#places[(this.#head + index) & this.#mask] as Item
    }
  }

  #grow(): void {
    const items = [...this]
    this.#places = [...items, ...Array.from<undefined>({ length: items.length })]
    this.#mask = this.#places.length - 1
    this.#head = 0
  }
}

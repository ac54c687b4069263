/** A set of whole numbers kept as ranges: memory grows with the holes in it, not with its size. */

/** `from` inclusive, `to` exclusive. */
export interface Range {
  readonly from: number
  readonly to: number
}

export class Ranges {
  readonly #from: number[] = []
  readonly #to: number[] = []
  /** Index of the range that grew last; its end is `#end`, and `#to` learns it in `#settle`. */
  #hot = -1
  #end = Number.NaN
  /** Start of the range after the hot one. */
  #limit = Number.POSITIVE_INFINITY

  /** Adds one number; false when it was there already. */
  add(value: number): boolean {
    if (value === this.#end && value < this.#limit) {
      this.#end = value + 1
      return true
    }
    return this.#addElsewhere(value)
  }

  /** Adds [from, to) and returns how many of its numbers are new. */
  addRange(from: number, to: number): number {
    if (to <= from) return 0
    if (from === this.#end && to <= this.#limit) {
      this.#end = to
      return to - from
    }
    this.#settle()
    const known = this.#countWithin(from, to)
    // Ranges that overlap or touch [from, to) melt into it.
    let first = this.#indexAt(from - 1)
    if (first < 0 || (this.#to[first] as number) < from) first += 1
    const last = this.#indexAt(to)
    const newFrom = first <= last ? Math.min(from, this.#from[first] as number) : from
    const newTo = first <= last ? Math.max(to, this.#to[last] as number) : to
    this.#from.splice(first, Math.max(0, last - first + 1), newFrom)
    this.#to.splice(first, Math.max(0, last - first + 1), newTo)
    this.#heat(first)
    return to - from - known
  }

  has(value: number): boolean {
    this.#settle()
    const index = this.#indexAt(value)
    return index >= 0 && value < (this.#to[index] as number)
  }

  /** The first number from `value` on that is in the set; infinite when there is none. */
  freeUntil(value: number): number {
    if (value >= this.#end && value < this.#limit) return this.#limit
    this.#settle()
    const index = this.#indexAt(value)
    if (index >= 0 && value < (this.#to[index] as number)) return value
    return this.#from[index + 1] ?? Number.POSITIVE_INFINITY
  }

  /** How many numbers the set holds. */
  get size(): number {
    return this.countWithin(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
  }

  /** How many numbers of [from, to) the set holds. */
  countWithin(from: number, to: number): number {
    this.#settle()
    return this.#countWithin(from, to)
  }

  /** How many numbers both sets hold. */
  countShared(other: Ranges): number {
    return other.all().reduce((sum, range) => sum + this.countWithin(range.from, range.to), 0)
  }

  /** Every range, ascending, disjoint and not touching. */
  all(): Range[] {
    return this.within(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
  }

  /** The parts of [from, to) that are in the set, ascending. */
  within(from: number, to: number): Range[] {
    this.#settle()
    const parts: Range[] = []
    for (let index = Math.max(0, this.#indexAt(from)); index < this.#from.length; index += 1) {
      const start = Math.max(from, this.#from[index] as number)
      if (start >= to) break
      const end = Math.min(to, this.#to[index] as number)
      if (start < end) parts.push({ from: start, to: end })
    }
    return parts
  }

  /** The parts of [from, to) that are not in the set, ascending. */
  gaps(from: number, to: number): Range[] {
    const gaps: Range[] = []
    let position = from
    for (const part of this.within(from, to)) {
      if (part.from > position) gaps.push({ from: position, to: part.from })
      position = part.to
    }
    if (position < to) gaps.push({ from: position, to })
    return gaps
  }

  #addElsewhere(value: number): boolean {
    this.#settle()
    const index = this.#indexAt(value)
    if (index >= 0) {
      const end = this.#to[index] as number
      if (value < end) return false
      if (value === end) {
        this.#to[index] = value + 1
        this.#heat(index)
        return true
      }
    }
    const next = index + 1
    if (this.#from[next] === value + 1) this.#from[next] = value
    else if (next === this.#from.length) {
      this.#from.push(value)
      this.#to.push(value + 1)
    } else {
      this.#from.splice(next, 0, value)
      this.#to.splice(next, 0, value + 1)
    }
    this.#heat(next)
    return true
  }

  /** Writes the hot range's end back and joins it with the range it has reached. */
  #settle(): void {
    const hot = this.#hot
    if (hot < 0) return
    this.#to[hot] = this.#end
    if (this.#end < this.#limit) return
    this.#to[hot] = this.#to[hot + 1] as number
    this.#from.splice(hot + 1, 1)
    this.#to.splice(hot + 1, 1)
    this.#heat(hot)
  }

  #heat(index: number): void {
    this.#hot = index
    this.#end = this.#to[index] as number
    this.#limit = this.#from[index + 1] ?? Number.POSITIVE_INFINITY
    if (this.#end === this.#limit) this.#settle()
  }

  /** Index of the last range that begins at or before `value`; -1 when there is none. */
  #indexAt(value: number): number {
    let low = 0
    let high = this.#from.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#from[middle] as number) <= value) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #countWithin(from: number, to: number): number {
    let count = 0
    for (let index = Math.max(0, this.#indexAt(from)); index < this.#from.length; index += 1) {
      const start = Math.max(from, this.#from[index] as number)
      if (start >= to) break
      count += Math.max(0, Math.min(to, this.#to[index] as number) - start)
    }
    return count
  }
}

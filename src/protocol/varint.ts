/** Zigzag varints as records use them: 7 bits per byte, low ones first. */

/** The bytes that `writeVarint` takes for `value`, a safe integer. */
export const varintSize = (value: number): number => {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let size = 1
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** Writes `value`, a safe integer (below 2^52 in magnitude), and returns the position after it. */
export const writeVarint = (target: Uint8Array, position: number, value: number): number => {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let at = position
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[at++] = (rest % 0x80) | 0x80
  target[at++] = rest
  return at
}

/** Reads varints one after the other from `bytes[position, end)`. */
export class VarintReader {
  readonly bytes: Uint8Array
  readonly end: number
  position: number

  constructor(bytes: Uint8Array, position: number, end: number) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  /** Throws a RangeError past the end, after 10 bytes or past 2^53. */
  next(): number {
    let value = 0
    let factor = 1
    for (let i = 0; i < 10; i++) {
      if (this.position >= this.end) break
      const byte = this.bytes[this.position++] as number
      value += (byte & 0x7f) * factor
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      }
      factor *= 0x80
    }
    throw new RangeError('a varint runs past its end')
  }
}

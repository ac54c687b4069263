/**
 * Bodies whose crc32 was computed before: equal bytes have an equal crc32, and to compare them costs a fifth of computing
 * it. A producer has few bodies, so nearly every one of its records is found here. The verdict is the same as without it.
 */
import { crc32 } from 'node:zlib'
import { crc32Of } from './crc32.ts'

/** Below it, to compute is as fast; above, zlib is. */
const leastBytes = 32
const mostBytes = 4_096
/** From here on zlib's crc32 is the faster one, call and view included. */
const zlibFromBytes = 256
const slotCount = 2 ** 15
const probes = 4
/** In words; as much as a producer has bodies of, at most. */
const mostWords = (16 * 2 ** 20) / 4
const firstWords = 2 ** 16

/** Words before a copy: the crc32 of the body, and its length in bytes. */
const headWords = 2

/** Bytes, and a view to read words of them. */
export class ByteView {
  bytes: Uint8Array = new Uint8Array(0)
  #buffer: ArrayBufferLike | null = null
  view: DataView = new DataView(new ArrayBuffer(0))
  /** Where `bytes[0]` lies in `view`. */
  origin = 0

  show(bytes: Uint8Array): void {
    if (bytes === this.bytes) return
    this.bytes = bytes
    this.origin = bytes.byteOffset
    const { buffer } = bytes
    if (buffer === this.#buffer) return
    this.#buffer = buffer
    this.view = new DataView(buffer)
  }
}

const computed = (bytes: Uint8Array, start: number, end: number): number =>
  end - start < zlibFromBytes ? crc32Of(bytes, start, end) : crc32(bytes.subarray(start, end)) | 0

export class KnownBodies {
  /** By slot: the crc32 of a body that was seen, and where its copy is; -1 before it is seen again. */
  readonly #checksums = new Int32Array(slotCount)
  readonly #places = new Int32Array(slotCount).fill(-2)
  readonly #lengths = new Uint16Array(slotCount)
  #words = new Int32Array(firstWords)
  #usedWords = 0
  /** Behind the copy that was right last: what came after a body once comes after it again. */
  #nextPlace = 0

  /** Whether crc32 of `shown.bytes[start, end)` is `checksum`, a signed word. */
  matches(shown: ByteView, start: number, end: number, checksum: number): boolean {
    const next = this.#nextPlace
    if (next < this.#usedWords && this.#isAt(next, shown, start, end - start, checksum)) return true
    return this.#matchesAny(shown, start, end, checksum)
  }

  #matchesAny(shown: ByteView, start: number, end: number, checksum: number): boolean {
    const { bytes } = shown
    const length = end - start
    if (length < leastBytes || length > mostBytes) return computed(bytes, start, end) === checksum
    const slot = this.#slotOf(checksum, length)
    const place = this.#places[slot] as number
    if (place >= 0 && this.#isAt(place, shown, start, length, checksum)) return true
    if (computed(bytes, start, end) !== checksum) return false
    if (place === -1) this.#copy(slot, shown, start, length)
    else if (place === -2) this.#note(slot, checksum, length)
    return true
  }

  /** That of the body; else a free one; else the first, whose body is forgotten. */
  #slotOf(checksum: number, length: number): number {
    const first = checksum & (slotCount - 1)
    for (let step = 0; step < probes; step += 1) {
      const slot = (first + step) & (slotCount - 1)
      if (this.#checksums[slot] === checksum && this.#lengths[slot] === length) return slot
      if (this.#places[slot] === -2) return slot
    }
    this.#places[first] = -2
    return first
  }

  #note(slot: number, checksum: number, length: number): void {
    this.#checksums[slot] = checksum
    this.#lengths[slot] = length
    this.#places[slot] = -1
  }

  /**
   * Whether the copy at `place` is of these bytes. Four words at a time; the last word overlaps the one before it, so that
   * any length is made of words.
   */
  #isAt(
    place: number,
    { view, origin }: ByteView,
    start: number,
    length: number,
    checksum: number,
  ): boolean {
    const words = this.#words
    if (words[place] !== checksum || words[place + 1] !== length) return false
    const end = origin + start + length
    let at = origin + start
    let word = place + headWords
    let difference = 0
    for (; at + 16 <= end; at += 16) {
      difference |=
        (view.getInt32(at, true) ^ (words[word] as number)) |
        (view.getInt32(at + 4, true) ^ (words[word + 1] as number)) |
        (view.getInt32(at + 8, true) ^ (words[word + 2] as number)) |
        (view.getInt32(at + 12, true) ^ (words[word + 3] as number))
      word += 4
    }
    for (; at + 4 <= end; at += 4) {
      difference |= view.getInt32(at, true) ^ (words[word] as number)
      word += 1
    }
    difference |= view.getInt32(end - 4, true) ^ (words[word] as number)
    if (difference !== 0) return false
    this.#nextPlace = word + 1 < this.#usedWords ? word + 1 : 0
    return true
  }

  #copy(slot: number, { view, origin }: ByteView, start: number, length: number): void {
    const wordCount = (length >>> 2) + 1
    if (!this.#makeRoom(headWords + wordCount)) return
    const place = this.#usedWords
    const first = place + headWords
    this.#words[place] = this.#checksums[slot] as number
    this.#words[place + 1] = length
    for (let word = 0; word < wordCount - 1; word += 1) {
      this.#words[first + word] = view.getInt32(origin + start + 4 * word, true)
    }
    this.#words[first + wordCount - 1] = view.getInt32(origin + start + length - 4, true)
    this.#usedWords += headWords + wordCount
    this.#places[slot] = place
  }

  /** When all room is used it begins anew: the bodies in it may be those of a producer that is gone. */
  #makeRoom(wordCount: number): boolean {
    const needed = this.#usedWords + wordCount
    if (needed > mostWords) {
      this.#usedWords = 0
      this.#nextPlace = 0
      this.#places.fill(-2)
      return false
    }
    if (needed <= this.#words.length) return true
    const larger = new Int32Array(Math.min(mostWords, this.#words.length * 2))
    larger.set(this.#words)
    this.#words = larger
    return true
  }
}

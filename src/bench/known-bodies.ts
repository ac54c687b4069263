/**
 * Bodies whose crc32 was computed before: equal bytes have an equal crc32, and to compare them costs a fifth of computing
 * it. A producer has few bodies, so nearly every one of its records is found here. The verdict is the same as without it.
 */
import { crc32 } from 'node:zlib'
import { allocateBesideBodies, type BodyMemory, bodyMemoryOf } from './body-memory.ts'
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

const computed = (bytes: Uint8Array, start: number, end: number): number =>
  end - start < zlibFromBytes ? crc32Of(bytes, start, end) : crc32(bytes.subarray(start, end)) | 0

export class KnownBodies {
  /** By slot: the crc32 of a body that was seen, and where its copy is; -1 before it is seen again. */
  readonly #checksums = new Int32Array(slotCount)
  readonly #places = new Int32Array(slotCount).fill(-2)
  readonly #lengths = new Uint16Array(slotCount)
  readonly #memory: BodyMemory | null
  #words: Int32Array
  #usedWords = 0
  /** Behind the copy that was right last: what came after a body once comes after it again. */
  #nextPlace = 0

  /** Of bytes in `memory`, or anywhere. */
  constructor(memory: BodyMemory | null = null) {
    this.#memory = memory
    this.#words = memory?.table ?? new Int32Array(firstWords)
  }

  /** Whether crc32 of `shown.bytes[start, end)` is `checksum`, a signed word. */
  matches(shown: ByteView, start: number, end: number, checksum: number): boolean {
    const next = this.#nextPlace
    if (next < this.#usedWords && this.#isAt(next, shown, start, end - start, checksum)) return true
    return this.#matchesAny(shown, start, end, checksum)
  }

  /**
   * How many of `count` bodies, each `strideBytes` behind the one before, are in their order those that once came after the
   * last one that was right, and have the header of the one before but for the lowest word of its sequence and its checksum.
   * Tells the crc32 of each in `checksums`. 0 for bytes that are not in the memory.
   */
  countNext(
    shown: ByteView,
    start: number,
    length: number,
    count: number,
    strideBytes: number,
    checksums: Int32Array,
  ): number {
    const memory = this.#memory
    if (memory === null) return 0
    const words = this.#words
    const stepWords = headWords + wordsOf(length)
    const first = this.#nextPlace
    let known = 0
    for (let place = first; known < count && place < this.#usedWords; place += stepWords) {
      if (words[place + 1] !== length) break
      checksums[known] = words[place] as number
      known += 1
    }
    if (known === 0) return 0
    const copyAt = memory.tableAt + 4 * (first + headWords)
    const at = shown.origin + start
    const alike = memory.countAlike(at, length, copyAt, known, strideBytes, 4 * stepWords)
    const next = first + alike * stepWords
    this.#nextPlace = next < this.#usedWords ? next : 0
    return alike
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

  /** Whether the copy at `place` is of these bytes. */
  #isAt(place: number, shown: ByteView, start: number, length: number, checksum: number): boolean {
    const words = this.#words
    if (words[place] !== checksum || words[place + 1] !== length) return false
    const memory = this.#memory
    const at = shown.origin + start
    const copy = place + headWords
    const isSame =
      memory === null
        ? isSameInScript(words, copy, shown.view, at, length)
        : memory.countAlike(at, length, memory.tableAt + 4 * copy, 1, 0, 0) === 1
    if (!isSame) return false
    const next = copy + wordsOf(length)
    this.#nextPlace = next < this.#usedWords ? next : 0
    return true
  }

  #copy(slot: number, { bytes }: ByteView, start: number, length: number): void {
    const wordCount = headWords + wordsOf(length)
    if (!this.#makeRoom(wordCount)) return
    const words = this.#words
    const place = this.#usedWords
    words[place] = this.#checksums[slot] as number
    words[place + 1] = length
    // A short last word is filled up with zeros.
    words[place + wordCount - 1] = 0
    const target = new Uint8Array(words.buffer, words.byteOffset + 4 * (place + headWords), length)
    target.set(bytes.subarray(start, start + length))
    this.#usedWords += wordCount
    this.#places[slot] = place
  }

  /** When all room is used it begins anew: the bodies in it may be those of a producer that is gone. */
  #makeRoom(wordCount: number): boolean {
    const needed = this.#usedWords + wordCount
    if (needed > (this.#memory?.table.length ?? mostWords)) {
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

const wordsOf = (bytes: number): number => (bytes + 3) >>> 2

/** Four words at a time; the bytes behind the last whole word by themselves. */
const isSameInScript = (
  words: Int32Array,
  copy: number,
  view: DataView,
  start: number,
  length: number,
): boolean => {
  const end = start + length
  let at = start
  let word = copy
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
  for (let shift = 0; at < end; at += 1, shift += 8) {
    difference |= view.getUint8(at) ^ (((words[word] as number) >>> shift) & 0xff)
  }
  return difference === 0
}

const elsewhere = new KnownBodies()
const byBuffer = new WeakMap<ArrayBufferLike, KnownBodies>()

const bodiesIn = (buffer: ArrayBufferLike): KnownBodies => {
  const memory = bodyMemoryOf(buffer)
  if (memory === null) return elsewhere
  const bodies = byBuffer.get(buffer) ?? new KnownBodies(memory)
  byBuffer.set(buffer, bodies)
  return bodies
}

/** For a client to receive into: what lies there is compared the fastest. */
export const allocateReceived = (sizeBytes: number): Buffer =>
  allocateBesideBodies(sizeBytes, 4 * mostWords)

/** Bytes, a view to read words of them, and the bodies that are known where they lie. */
export class ByteView {
  bytes: Uint8Array = new Uint8Array(0)
  #buffer: ArrayBufferLike | null = null
  view: DataView = new DataView(new ArrayBuffer(0))
  /** Where `bytes[0]` lies in `view`. */
  origin = 0
  bodies: KnownBodies = elsewhere

  show(bytes: Uint8Array): void {
    if (bytes === this.bytes) return
    this.bytes = bytes
    this.origin = bytes.byteOffset
    const { buffer } = bytes
    if (buffer === this.#buffer) return
    this.#buffer = buffer
    this.view = new DataView(buffer)
    this.bodies = bodiesIn(buffer)
  }
}

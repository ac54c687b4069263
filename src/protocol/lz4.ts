import { xxh32 } from './xxh32.ts'

/** The lz4 frame format, version 1.6.x, as Kafka's clients use it: independent blocks, written without checksums of content. */

const frameMagic = 0x184d2204
const flag = {
  version: 0x40,
  independentBlocks: 0x20,
  blockChecksums: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  dictionary: 0x01,
} as const
const uncompressedBit = 0x80000000
/** By the three bits of the frame's block descriptor. */
const maxBlockBytes = new Map([
  [4, 64 * 1024],
  [5, 256 * 1024],
  [6, 1024 * 1024],
  [7, 4 * 1024 * 1024],
])
/** What Java's clients use: 64 KiB. */
const writtenBlockCode = 4
const writtenBlockBytes = 64 * 1024

const minMatch = 4
/** A block's last 5 bytes are literals, and no match begins in its last 12. */
const lastLiterals = 5
const matchLimit = 12
const hashBits = 14

const damaged = (): RangeError => new RangeError('the lz4 data are damaged')

/** Adds the continuation of a length that filled its four bits. */
const writeLength = (target: Buffer, position: number, length: number): number => {
  let at = position
  let rest = length
  for (; rest >= 255; rest -= 255) target[at++] = 255
  target[at++] = rest
  return at
}

const writeSequence = (
  target: Buffer,
  position: number,
  literals: Buffer,
  match: { offset: number; length: number } | null,
): number => {
  const matchCode = match ? match.length - minMatch : 0
  let at = position + 1
  target[position] = (Math.min(literals.length, 15) << 4) | Math.min(matchCode, 15)
  if (literals.length >= 15) at = writeLength(target, at, literals.length - 15)
  target.set(literals, at)
  at += literals.length
  if (!match) return at
  at = target.writeUInt16LE(match.offset, at)
  return matchCode >= 15 ? writeLength(target, at, matchCode - 15) : at
}

const matchLength = (block: Buffer, earlier: number, later: number): number => {
  const end = block.length - lastLiterals
  let length = 0
  while (later + length < end && block[earlier + length] === block[later + length]) length++
  return length
}

/** Compresses a block of at most 64 KiB into `target` and returns the position after it. */
const compressBlock = (block: Buffer, target: Buffer, position: number): number => {
  // Positions plus one, so that 0 is none.
  const lastSeen = new Uint32Array(1 << hashBits)
  let out = position
  let anchor = 0
  let at = 0
  // Steps grow while nothing matches, so that random data go through quickly.
  let misses = 0
  while (at < block.length - matchLimit) {
    const word = block.readInt32LE(at)
    const hash = Math.imul(word, 0x9e3779b1) >>> (32 - hashBits)
    const earlier = lastSeen[hash]! - 1
    lastSeen[hash] = at + 1
    if (earlier < 0 || at - earlier > 0xffff || block.readInt32LE(earlier) !== word) {
      at += 1 + (misses++ >> 6)
      continue
    }
    const length = matchLength(block, earlier, at)
    out = writeSequence(target, out, block.subarray(anchor, at), { offset: at - earlier, length })
    at += length
    anchor = at
    misses = 0
  }
  return writeSequence(target, out, block.subarray(anchor), null)
}

/** One frame with all of `data`. */
export const compressLz4 = (data: Buffer): Buffer => {
  const blocks = Math.ceil(data.length / writtenBlockBytes)
  const worstBytes = 11 + data.length + Math.ceil(data.length / 255) + blocks * 20
  const target = Buffer.allocUnsafe(worstBytes)
  target.writeUInt32LE(frameMagic, 0)
  target[4] = flag.version | flag.independentBlocks
  target[5] = writtenBlockCode << 4
  target[6] = (xxh32(target.subarray(4, 6)) >>> 8) & 0xff
  let out = 7
  for (let at = 0; at < data.length; at += writtenBlockBytes) {
    const block = data.subarray(at, at + writtenBlockBytes)
    let end = compressBlock(block, target, out + 4)
    let size = end - out - 4
    if (size >= block.length) {
      target.set(block, out + 4)
      size = block.length | uncompressedBit
      end = out + 4 + block.length
    }
    target.writeUInt32LE(size >>> 0, out)
    out = end
  }
  return target.subarray(0, target.writeUInt32LE(0, out))
}

/** Decompressed bytes, growing up to a bound. */
class Output {
  bytes: Buffer
  length = 0
  readonly #maxBytes: number

  constructor(firstBytes: number, maxBytes: number) {
    this.bytes = Buffer.allocUnsafe(Math.min(firstBytes, maxBytes))
    this.#maxBytes = maxBytes
  }

  reserve(more: number): void {
    const needed = this.length + more
    if (needed > this.#maxBytes) {
      throw new RangeError(`the data become more than ${this.#maxBytes} bytes`)
    }
    if (needed <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(
      Math.min(Math.max(needed, 2 * this.bytes.length), this.#maxBytes),
    )
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  append(data: Buffer): void {
    this.reserve(data.length)
    this.bytes.set(data, this.length)
    this.length += data.length
  }

  /** Appends `length` bytes that begin `offset` bytes before the end; they may overlap what is appended. */
  repeat(offset: number, length: number): void {
    this.reserve(length)
    const start = this.length
    if (offset >= length) {
      this.bytes.copyWithin(start, start - offset, start - offset + length)
    } else {
      for (let i = 0; i < length; i++) this.bytes[start + i] = this.bytes[start + i - offset]!
    }
    this.length += length
  }
}

/** Reads one block; a match reaches back to `from`, the beginning of what it may refer to. */
const decompressBlock = (block: Buffer, output: Output, from: number): void => {
  let at = 0
  const readLength = (start: number): number => {
    if (start < 15) return start
    let length = start
    for (;;) {
      const byte = block[at++]
      if (byte === undefined) throw damaged()
      length += byte
      if (byte !== 255) return length
    }
  }
  while (at < block.length) {
    const token = block[at++]!
    const literals = readLength(token >>> 4)
    if (literals > block.length - at) throw damaged()
    output.append(block.subarray(at, at + literals))
    at += literals
    // The last sequence has no match.
    if (at === block.length) return
    if (block.length - at < 2) throw damaged()
    const offset = block.readUInt16LE(at)
    at += 2
    const length = readLength(token & 0x0f) + minMatch
    if (offset === 0 || offset > output.length - from) throw damaged()
    output.repeat(offset, length)
  }
}

/** Reads a frame's header; returns its flags, the bound of its blocks and where they begin. */
const readHeader = (data: Buffer): { flags: number; blockBytes: number; position: number } => {
  if (data.length < 7 || data.readUInt32LE(0) !== frameMagic) throw damaged()
  const flags = data[4]!
  const blockBytes = maxBlockBytes.get((data[5]! >>> 4) & 0x07)
  if ((flags & 0xc0) !== flag.version || blockBytes === undefined) throw damaged()
  if (flags & flag.dictionary) throw new RangeError('lz4 with a dictionary is not supported')
  const position = 6 + (flags & flag.contentSize ? 8 : 0)
  // Kafka's clients before 0.10 hashed the magic as well; those need no support.
  if (data[position] !== ((xxh32(data.subarray(4, position)) >>> 8) & 0xff)) throw damaged()
  return { flags, blockBytes, position: position + 1 }
}

/** The content of one frame. Throws a RangeError when it is damaged or more than `maxBytes`. */
export const decompressLz4 = (data: Buffer, maxBytes: number): Buffer => {
  const { flags, blockBytes, position } = readHeader(data)
  const output = new Output(data.length * 4, maxBytes)
  let at = position
  for (;;) {
    if (data.length - at < 4) throw damaged()
    const word = data.readUInt32LE(at)
    at += 4
    if (word === 0) break
    const size = word & ~uncompressedBit
    if (size < 0 || size > blockBytes || size > data.length - at) throw damaged()
    const block = data.subarray(at, at + size)
    const before = output.length
    if (word >= uncompressedBit) output.append(block)
    else decompressBlock(block, output, flags & flag.independentBlocks ? before : 0)
    if (output.length - before > blockBytes) throw damaged()
    at += size + (flags & flag.blockChecksums ? 4 : 0)
  }
  const content = output.bytes.subarray(0, output.length)
  if (flags & flag.contentChecksum) {
    if (data.length - at < 4 || data.readUInt32LE(at) !== xxh32(content)) throw damaged()
  }
  return content
}

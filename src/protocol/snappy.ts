/** Snappy as Kafka's clients use it: written in the frames of xerial's snappy-java, read with or without them. */

const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
/** Magic, then the version and the lowest compatible version. */
const headerBytes = magic.length + 8
const writtenBlockBytes = 32 * 1024

const damaged = (): RangeError => new RangeError('the snappy data are damaged')

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const minMatch = 4
const maxCopy = 64
const hashBits = 13

const writeLiteral = (target: Buffer, position: number, literal: Buffer): number => {
  const code = literal.length - 1
  let at = position
  if (code < 0) return at
  if (code < 60) target[at++] = code << 2
  else if (code < 256) {
    target[at++] = 60 << 2
    target[at++] = code
  } else {
    target[at++] = 61 << 2
    at = target.writeUInt16LE(code, at)
  }
  target.set(literal, at)
  return at + literal.length
}

const writeCopy = (target: Buffer, position: number, offset: number, length: number): number => {
  let at = position
  for (let rest = length; rest > 0; rest -= maxCopy) {
    target[at++] = ((Math.min(rest, maxCopy) - 1) << 2) | 2
    at = target.writeUInt16LE(offset, at)
  }
  return at
}

/** Compresses a block of at most 32 KiB. */
const compressBlock = (block: Buffer): Buffer => {
  const target = Buffer.allocUnsafe(32 + block.length + Math.ceil(block.length / 6))
  // Positions plus one, so that 0 is none.
  const lastSeen = new Uint16Array(1 << hashBits)
  let out = writeLength(target, block.length)
  let anchor = 0
  let at = 0
  // Steps grow while nothing matches, so that random data go through quickly.
  let misses = 0
  while (at <= block.length - minMatch) {
    const word = block.readInt32LE(at)
    const hash = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits)
    const earlier = lastSeen[hash]! - 1
    lastSeen[hash] = at + 1
    if (earlier < 0 || block.readInt32LE(earlier) !== word) {
      at += 1 + (misses++ >> 5)
      continue
    }
    let length = minMatch
    while (at + length < block.length && block[earlier + length] === block[at + length]) length++
    out = writeLiteral(target, out, block.subarray(anchor, at))
    out = writeCopy(target, out, at - earlier, length)
    at += length
    anchor = at
    misses = 0
  }
  return target.subarray(0, writeLiteral(target, out, block.subarray(anchor)))
}

export const compressSnappy = (data: Buffer): Buffer => {
  const parts = [magic, int32(1), int32(1)]
  for (let at = 0; at < data.length; at += writtenBlockBytes) {
    const block = compressBlock(data.subarray(at, at + writtenBlockBytes))
    parts.push(int32(block.length), block)
  }
  return Buffer.concat(parts)
}

/** Writes the content length that a block begins with. */
const writeLength = (target: Buffer, length: number): number => {
  let at = 0
  let rest = length
  for (; rest >= 0x80; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80
  target[at++] = rest
  return at
}

/** The content length that a block begins with, and where what follows it begins. */
const readLength = (block: Buffer): { length: number; position: number } => {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = block[i]
    if (byte === undefined) break
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { length, position: i + 1 }
  }
  throw damaged()
}

const readLittleEndian = (block: Buffer, position: number, bytes: number): number => {
  if (bytes > block.length - position) throw damaged()
  return block.readUIntLE(position, bytes)
}

/** A literal's length and where its bytes begin. */
const readLiteral = (block: Buffer, tag: number, at: number): { length: number; from: number } => {
  const code = tag >>> 2
  if (code < 60) return { length: code + 1, from: at }
  const lengthBytes = code - 59
  return { length: readLittleEndian(block, at, lengthBytes) + 1, from: at + lengthBytes }
}

/** A copy's length, how far back it begins, and where the next element begins. */
const readCopy = (
  block: Buffer,
  tag: number,
  at: number,
): { length: number; offset: number; next: number } => {
  if ((tag & 3) === 1) {
    const offset = ((tag >>> 5) << 8) | readLittleEndian(block, at, 1)
    return { length: ((tag >>> 2) & 7) + 4, offset, next: at + 1 }
  }
  const offsetBytes = (tag & 3) === 2 ? 2 : 4
  const offset = readLittleEndian(block, at, offsetBytes)
  return { length: (tag >>> 2) + 1, offset, next: at + offsetBytes }
}

const decompressBlock = (block: Buffer, maxBytes: number): Buffer => {
  const { length: total, position } = readLength(block)
  // A copy of 64 bytes takes 3, so that a block cannot become more than this.
  if (total > block.length * 22) throw damaged()
  if (total > maxBytes) throw new RangeError(`the data become more than ${maxBytes} bytes`)
  const output = Buffer.allocUnsafe(total)
  let out = 0
  let at = position
  while (at < block.length) {
    const tag = block[at++]!
    if ((tag & 3) === 0) {
      const { length, from } = readLiteral(block, tag, at)
      if (length > block.length - from || length > total - out) throw damaged()
      block.copy(output, out, from, from + length)
      at = from + length
      out += length
    } else {
      const { length, offset, next } = readCopy(block, tag, at)
      if (offset === 0 || offset > out || length > total - out) throw damaged()
      for (const end = out + length; out < end; out++) output[out] = output[out - offset]!
      at = next
    }
  }
  if (out !== total) throw damaged()
  return output
}

/** Reads xerial frames or a bare block. Throws a RangeError when they are damaged or more than `maxBytes`. */
export const decompressSnappy = (data: Buffer, maxBytes: number): Buffer => {
  if (!data.subarray(0, magic.length).equals(magic)) return decompressBlock(data, maxBytes)
  if (data.length < headerBytes) throw damaged()
  const parts: Buffer[] = []
  let remaining = maxBytes
  for (let at = headerBytes; at < data.length; ) {
    if (data.length - at < 4) throw damaged()
    const size = data.readInt32BE(at)
    at += 4
    if (size < 0 || size > data.length - at) throw damaged()
    const part = decompressBlock(data.subarray(at, at + size), remaining)
    remaining -= part.length
    parts.push(part)
    at += size
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
}

/** Kafka's primitive types over bytes: `Reader` takes them from one buffer, `Writer` lays them into a scatter list. */

/** Bytes that are not what the protocol says, or a value that does not fit it. */
export class WireError extends Error {
  /** Byte offset in what was read; null when writing. */
  readonly offset: number | null
  /** What is wrong, without where. */
  readonly reason: string
  /** Where in the message, e.g. `members[2].metadata`; empty at the top. */
  path = ''

  constructor(reason: string, offset: number | null = null) {
    super(offset === null ? reason : `${reason} at byte ${offset}`)
    this.name = 'WireError'
    this.reason = reason
    this.offset = offset
  }

  /** Prefixes the path with a field name or an index such as `[2]`. */
  under(segment: string): this {
    const isJoined = this.path === '' || this.path.startsWith('[')
    this.path = isJoined ? segment + this.path : `${segment}.${this.path}`
    return this
  }

  /** Completes the message with the name of what was read and the path. */
  named(name: string): this {
    const where = this.path === '' ? name : `${name}: ${this.path}`
    const at = this.offset === null ? '' : ` at byte ${this.offset}`
    this.message = `${where}: ${this.reason}${at}`
    return this
  }
}

const twoTo32 = 2 ** 32
/** Kafka's limit for strings, also in the compact form. */
const maxStringBytes = 0x7fff

/** Reads forward; every method throws a `WireError` when the bytes end first. */
export class Reader {
  readonly buffer: Buffer
  offset: number

  constructor(buffer: Buffer, offset = 0) {
    this.buffer = buffer
    this.offset = offset
  }

  get remaining(): number {
    return this.buffer.length - this.offset
  }

  /** Moves past `sizeBytes` and gives where they began. */
  private take(sizeBytes: number): number {
    const start = this.offset
    if (sizeBytes > this.buffer.length - start) {
      const missing = sizeBytes - (this.buffer.length - start)
      throw new WireError(`${missing} ${missing === 1 ? 'byte' : 'bytes'} missing`, start)
    }
    this.offset = start + sizeBytes
    return start
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    return this.buffer.readInt8(this.take(1))
  }

  int16(): number {
    return this.buffer.readInt16BE(this.take(2))
  }

  uint16(): number {
    return this.buffer.readUInt16BE(this.take(2))
  }

  int32(): number {
    return this.buffer.readInt32BE(this.take(4))
  }

  uint32(): number {
    return this.buffer.readUInt32BE(this.take(4))
  }

  /** A whole number within +-(2^53 - 1); throws beyond. */
  int64(): number {
    const start = this.take(8)
    const value = this.buffer.readInt32BE(start) * twoTo32 + this.buffer.readUInt32BE(start + 4)
    if (!Number.isSafeInteger(value)) throw new WireError('int64 beyond 2^53', start)
    return value
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  /** 0 to 2^32 - 1 in at most five bytes. */
  unsignedVarint(): number {
    const start = this.offset
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.take(1)] ?? 0
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value >= twoTo32) break
        return value
      }
    }
    throw new WireError('unsigned varint beyond 32 bits', start)
  }

  /** 22 characters of base64url. */
  uuid(): string {
    const start = this.take(16)
    return this.buffer.toString('base64url', start, start + 16)
  }

  /** UTF-8; what is not UTF-8 becomes U+FFFD, as in Kafka. */
  utf8(sizeBytes: number): string {
    if (sizeBytes > maxStringBytes) {
      throw new WireError(`string of ${sizeBytes} bytes, at most ${maxStringBytes}`, this.offset)
    }
    const start = this.take(sizeBytes)
    return this.buffer.toString('utf8', start, start + sizeBytes)
  }

  /** A view of the buffer, not a copy. */
  bytes(sizeBytes: number): Buffer {
    const start = this.take(sizeBytes)
    return this.buffer.subarray(start, start + sizeBytes)
  }

  advance(sizeBytes: number): void {
    this.take(sizeBytes)
  }
}

/** From this size on bytes are put into the scatter list by reference instead of being copied. */
const referenceFromBytes = 1_024
const firstChunkBytes = 512

/**
 * Writes forward into a list of buffers. Large bytes and record batches are appended by reference: they must not change
 * until the list has been sent.
 */
export class Writer {
  private readonly done: Buffer[] = []
  private doneBytes = 0
  private chunk = Buffer.allocUnsafe(firstChunkBytes)
  private chunkStart = 0
  private end = 0

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.doneBytes + this.end - this.chunkStart
  }

  private closeChunk(): void {
    if (this.end === this.chunkStart) return
    this.done.push(this.chunk.subarray(this.chunkStart, this.end))
    this.doneBytes += this.end - this.chunkStart
    this.chunkStart = this.end
  }

  /** Makes room for `sizeBytes` in one piece and gives where they begin in `chunk`. */
  private take(sizeBytes: number): number {
    if (this.end + sizeBytes > this.chunk.length) {
      this.closeChunk()
      this.chunk = Buffer.allocUnsafe(Math.max(sizeBytes, 2 * this.chunk.length, firstChunkBytes))
      this.chunkStart = 0
      this.end = 0
    }
    const start = this.end
    this.end = start + sizeBytes
    return start
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  int8(value: number): void {
    assertWithin(value, -0x80, 0x7f, 'int8')
    const start = this.take(1)
    this.chunk.writeInt8(value, start)
  }

  int16(value: number): void {
    assertWithin(value, -0x8000, 0x7fff, 'int16')
    const start = this.take(2)
    this.chunk.writeInt16BE(value, start)
  }

  uint16(value: number): void {
    assertWithin(value, 0, 0xffff, 'uint16')
    const start = this.take(2)
    this.chunk.writeUInt16BE(value, start)
  }

  int32(value: number): void {
    assertWithin(value, -0x8000_0000, 0x7fff_ffff, 'int32')
    const start = this.take(4)
    this.chunk.writeInt32BE(value, start)
  }

  uint32(value: number): void {
    assertWithin(value, 0, 0xffff_ffff, 'uint32')
    const start = this.take(4)
    this.chunk.writeUInt32BE(value, start)
  }

  int64(value: number): void {
    assertWithin(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'int64')
    const start = this.take(8)
    const high = Math.floor(value / twoTo32)
    this.chunk.writeInt32BE(high, start)
    this.chunk.writeUInt32BE(value - high * twoTo32, start + 4)
  }

  float64(value: number): void {
    const start = this.take(8)
    this.chunk.writeDoubleBE(value, start)
  }

  unsignedVarint(value: number): void {
    assertWithin(value, 0, 0xffff_ffff, 'unsigned varint')
    let rest = value
    while (rest >= 0x80) {
      const start = this.take(1)
      this.chunk[start] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    const start = this.take(1)
    this.chunk[start] = rest
  }

  uuid(value: string): void {
    const bytes = Buffer.from(value, 'base64url')
    if (bytes.length !== 16) throw new WireError(`uuid of ${bytes.length} bytes`)
    this.copy(bytes)
  }

  /** Writes the length by `writeLength`, then the text as UTF-8. */
  text(value: string, writeLength: (sizeBytes: number) => void): void {
    if (typeof value !== 'string') throw new WireError(`${String(value)} where a string is due`)
    const sizeBytes = Buffer.byteLength(value)
    if (sizeBytes > maxStringBytes) {
      throw new WireError(`string of ${sizeBytes} bytes, at most ${maxStringBytes}`)
    }
    writeLength(sizeBytes)
    const start = this.take(sizeBytes)
    this.chunk.write(value, start)
  }

  /** Copies small bytes, appends large ones by reference. */
  bytes(value: Buffer): void {
    if (value.length < referenceFromBytes) this.copy(value)
    else this.reference(value)
  }

  /** Appends by reference: nothing is copied. */
  reference(value: Buffer): void {
    if (value.length === 0) return
    this.closeChunk()
    this.done.push(value)
    this.doneBytes += value.length
  }

  /** Appends what another writer holds. */
  append(other: Writer): void {
    for (const part of other.finish()) this.bytes(part)
  }

  private copy(value: Buffer): void {
    const start = this.take(value.length)
    value.copy(this.chunk, start)
  }

  /** The buffers written so far, in order. */
  finish(): Buffer[] {
    this.closeChunk()
    return this.done
  }
}

const assertWithin = (value: number, min: number, max: number, type: string): void => {
  // `!(… && …)` also refuses NaN and undefined, which Buffer's own writers store as 0.
  if (!(value >= min && value <= max)) throw new WireError(`${value} is not an ${type}`)
}

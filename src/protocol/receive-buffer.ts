/** The bytes that have arrived on a connection: frames are cut out of one buffer that is used again and again. */
import { int32At } from './big-endian.ts'
import { WireError } from './wire.ts'

/** Kafka's answers are as large as what was fetched; beyond this it is no answer. */
const largestAnswerBytes = 256 * 1024 * 1024
/** A read into less room than this is not worth its call. */
const leastRoomBytes = 16 * 1024

export interface ReceiveBufferOptions {
  /** At first. */
  readonly sizeBytes: number
  /** It grows up to this when reads fill it; to its first size unless told. */
  readonly busySizeBytes?: number
  readonly largestFrameBytes?: number
  /** Where its bytes come from; fresh memory unless told. */
  readonly allocate?: (sizeBytes: number) => Buffer
}

/** Valid until the next call of `next` or `room`. */
export interface FramePlace {
  start: number
  end: number
}

export class ReceiveBuffer {
  bytes: Buffer
  readonly #allocate: (sizeBytes: number) => Buffer
  readonly #busySizeBytes: number
  readonly #largestFrameBytes: number
  #start = 0
  #end = 0
  #roomBytes = 0
  #isFull = false
  readonly #place: FramePlace = { start: 0, end: 0 }

  constructor({
    sizeBytes,
    busySizeBytes = 0,
    largestFrameBytes,
    allocate = (wantedBytes) => Buffer.allocUnsafeSlow(wantedBytes),
  }: ReceiveBufferOptions) {
    this.#allocate = allocate
    this.bytes = allocate(Math.max(sizeBytes, leastRoomBytes))
    this.#busySizeBytes = busySizeBytes
    this.#largestFrameBytes = largestFrameBytes ?? largestAnswerBytes
  }

  /** Bytes that `next` has not given yet. */
  get unreadBytes(): number {
    return this.#end - this.#start
  }

  /**
   * Where the next bytes go. Never more than four times what has arrived is held, whatever size a frame declares. Views of
   * earlier frames are void, unless `isPinned`: then nothing is moved in place.
   */
  room(isPinned = false): Buffer {
    if (this.#start === this.#end && !isPinned) {
      this.#start = 0
      this.#end = 0
    }
    const unreadBytes = this.#end - this.#start
    const missingBytes = Math.max(0, this.#frameBytes() - unreadBytes)
    const wantedBytes = Math.max(leastRoomBytes, Math.min(missingBytes, unreadBytes))
    if (this.#isFull && this.bytes.length < this.#busySizeBytes) this.#grow(2 * this.bytes.length)
    else if (this.#end + wantedBytes > this.bytes.length) {
      if (isPinned || unreadBytes + wantedBytes > this.bytes.length) {
        this.#grow(unreadBytes + wantedBytes)
      } else this.#moveTo(this.bytes)
    }
    this.#isFull = false
    this.#roomBytes = this.bytes.length - this.#end
    return this.#end === 0 ? this.bytes : this.bytes.subarray(this.#end)
  }

  /** So many bytes were written where `room` said. */
  add(count: number): void {
    this.#end += count
    this.#isFull = count === this.#roomBytes
  }

  /** Where the next whole frame lies, without its size; null when none is whole. Throws a `WireError` for a bad size. */
  next(): FramePlace | null {
    if (!this.hasFrame()) return null
    const frameBytes = this.#frameBytes()
    this.#place.start = this.#start + 4
    this.#place.end = this.#start + frameBytes
    this.#start += frameBytes
    return this.#place
  }

  /** Whether `next` has one to give. Throws a `WireError` for a bad size. */
  hasFrame(): boolean {
    if (this.#end - this.#start < 4) return false
    const frameBytes = this.#declaredBytes()
    if (frameBytes < 8 || frameBytes - 4 > this.#largestFrameBytes) {
      throw new WireError(
        `frame of ${frameBytes - 4} bytes; 4 to ${this.#largestFrameBytes} are allowed`,
      )
    }
    return this.#end - this.#start >= frameBytes
  }

  /** Of the frame at the start, its size included; 0 when that has not arrived or is bad. */
  #frameBytes(): number {
    if (this.#end - this.#start < 4) return 0
    const frameBytes = this.#declaredBytes()
    return frameBytes - 4 > this.#largestFrameBytes ? 0 : frameBytes
  }

  #declaredBytes(): number {
    return int32At(this.bytes, this.#start) + 4
  }

  #grow(neededBytes: number): void {
    this.#moveTo(this.#allocate(2 ** Math.ceil(Math.log2(neededBytes))))
  }

  #moveTo(bytes: Buffer): void {
    this.bytes.copy(bytes, 0, this.#start, this.#end)
    this.bytes = bytes
    this.#end -= this.#start
    this.#start = 0
  }
}

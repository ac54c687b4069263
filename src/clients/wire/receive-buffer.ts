/** The bytes that have arrived on a connection: frames are cut out of one buffer that is used again and again. */
import { WireError } from '../../protocol/wire.ts'

/** Kafka's answers are as large as what was fetched; beyond this it is no answer. */
const largestFrameBytes = 256 * 1024 * 1024
/** A read into less room than this is not worth its call. */
const leastRoomBytes = 16 * 1024

/** Valid until the next call of `next` or `room`. */
export interface FramePlace {
  start: number
  end: number
}

export class ReceiveBuffer {
  bytes: Buffer
  #start = 0
  #end = 0
  readonly #place: FramePlace = { start: 0, end: 0 }

  constructor(sizeBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(sizeBytes, leastRoomBytes))
  }

  /** Where the next bytes go. Moves what is there: views of earlier frames are void. */
  room(): Buffer {
    if (this.#start === this.#end) {
      this.#start = 0
      this.#end = 0
    }
    const frameBytes = this.#frameBytes() ?? 0
    const neededBytes = frameBytes > largestFrameBytes ? 0 : frameBytes
    const wantedEnd = Math.max(this.#start + neededBytes, this.#end + leastRoomBytes)
    if (wantedEnd > this.bytes.length) this.#makeRoom(wantedEnd - this.#start)
    return this.#end === 0 ? this.bytes : this.bytes.subarray(this.#end)
  }

  /** So many bytes were written where `room` said. */
  add(count: number): void {
    this.#end += count
  }

  /** Where the next whole frame lies, without its size; null when none is whole. Throws a `WireError` for a bad size. */
  next(): FramePlace | null {
    const frameBytes = this.#frameBytes()
    if (frameBytes === null) return null
    if (frameBytes < 8 || frameBytes > largestFrameBytes) {
      throw new WireError(
        `frame of ${frameBytes - 4} bytes; at most ${largestFrameBytes} are allowed`,
      )
    }
    if (this.#end - this.#start < frameBytes) return null
    this.#place.start = this.#start + 4
    this.#place.end = this.#start + frameBytes
    this.#start += frameBytes
    return this.#place
  }

  /** Of the frame at the start, its size included; null when that has not arrived. */
  #frameBytes(): number | null {
    return this.#end - this.#start < 4 ? null : this.bytes.readInt32BE(this.#start) + 4
  }

  #makeRoom(neededBytes: number): void {
    if (neededBytes <= this.bytes.length) {
      this.bytes.copyWithin(0, this.#start, this.#end)
    } else {
      const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(neededBytes)))
      this.bytes.copy(larger, 0, this.#start, this.#end)
      this.bytes = larger
    }
    this.#end -= this.#start
    this.#start = 0
  }
}

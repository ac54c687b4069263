import type { Socket } from 'node:net'

/**
 * The answers of one turn, to go out in one write: small parts lie together in memory that all connections share, record
 * data are there by reference.
 */

const sharedBytes = 256 * 1024
/** From this size on a part is written from where it is. */
const referenceFromBytes = 8 * 1024

/** Shared, as a turn of one connection is seldom interrupted: what the kernel has taken is free again. */
const shared = { bytes: Buffer.allocUnsafeSlow(sharedBytes), end: 0 }

export class AnswerBuffer {
  /** Whole pieces, in order, before the one that is growing. */
  #done: Buffer[] = []
  /** The one that is growing lies there, from `#start` to `#end`. */
  #bytes = shared.bytes
  #start = 0
  #end = 0
  /** From here to `#end` all that was taken from the shared memory is ours. */
  #firstStart = 0
  #waitingBytes = 0

  /** Not handed to the socket yet. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Where `take` has made room; to be asked anew after each call. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** Makes room for `sizeBytes`, to be filled at once, and says where it begins in `bytes`. */
  take(sizeBytes: number): number {
    const isNext = this.#bytes === shared.bytes && this.#end === shared.end
    if (!isNext || shared.end + sizeBytes > shared.bytes.length) this.#begin(sizeBytes)
    const start = this.#end
    this.#end += sizeBytes
    shared.end = this.#end
    this.#waitingBytes += sizeBytes
    return start
  }

  /** Large parts must not change until they have been sent. */
  add(parts: readonly Buffer[]): void {
    for (const part of parts) {
      if (part.length < referenceFromBytes) {
        const start = this.take(part.length)
        part.copy(this.#bytes, start)
      } else {
        this.#close()
        this.#done.push(part)
        this.#waitingBytes += part.length
      }
    }
  }

  /** Hands all to the socket, by one system call. */
  flush(socket: Socket): void {
    if (this.#waitingBytes === 0) return
    this.#waitingBytes = 0
    this.#close()
    const pieces = this.#done
    this.#done = []
    if (pieces.length === 1) socket.write(pieces[0] as Buffer)
    else {
      socket.cork()
      for (const piece of pieces) socket.write(piece)
      socket.uncork()
    }
    // What is still on its way must not be written over.
    const isSent = socket.writableLength === 0
    if (isSent && this.#bytes === shared.bytes && this.#end === shared.end) {
      shared.end = this.#firstStart
    }
    this.#end = shared.end
    this.#start = this.#end
    this.#firstStart = this.#end
    this.#bytes = shared.bytes
  }

  #begin(sizeBytes: number): void {
    this.#close()
    if (shared.end + sizeBytes > shared.bytes.length) {
      shared.bytes = Buffer.allocUnsafeSlow(Math.max(sharedBytes, sizeBytes))
      shared.end = 0
    }
    this.#bytes = shared.bytes
    this.#start = shared.end
    this.#end = shared.end
    this.#firstStart = shared.end
  }

  #close(): void {
    if (this.#end > this.#start) this.#done.push(this.#bytes.subarray(this.#start, this.#end))
    this.#start = this.#end
  }
}

import { WireError } from './wire.ts'

/** A new frame buffer holds at most this much before as much has arrived. */
const firstAllocationBytes = 256 * 1024

/**
 * Cuts a stream of chunks into frames (int32 size, then that many bytes). A declared size is checked before anything is
 * allocated, and never allocated ahead of what has arrived beyond a small constant: memory stays within twice the
 * bytes received. After an error the stream cannot be continued.
 */
export class FrameSplitter {
  private readonly maxFrameBytes: number
  private readonly sizeBytes = Buffer.alloc(4)
  private sizeEnd = 0
  /** Declared size of the frame that is under way; -1 before it is known. */
  private frameBytes = -1
  private frame: Buffer | null = null
  private frameEnd = 0

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes
  }

  /** Bytes held for a frame that is not whole yet. */
  get pendingBytes(): number {
    return this.sizeEnd + this.frameEnd
  }

  /**
   * The frames that are whole now, without their size; views of `chunk` where they lie in it. Throws a `WireError` for a
   * size that is not positive or beyond the limit; frames before it in the same chunk are lost with the stream.
   */
  push(chunk: Buffer): Buffer[] {
    const frames: Buffer[] = []
    let offset = 0
    while (offset < chunk.length) {
      if (this.frameBytes < 0) {
        offset = this.takeSize(chunk, offset)
        continue
      }
      offset = this.takeFrame(chunk, offset, frames)
    }
    return frames
  }

  private takeSize(chunk: Buffer, offset: number): number {
    const end = Math.min(offset + 4 - this.sizeEnd, chunk.length)
    chunk.copy(this.sizeBytes, this.sizeEnd, offset, end)
    this.sizeEnd += end - offset
    if (this.sizeEnd === 4) {
      const frameBytes = this.sizeBytes.readInt32BE()
      if (frameBytes <= 0 || frameBytes > this.maxFrameBytes) {
        throw new WireError(`frame of ${frameBytes} bytes; 1 to ${this.maxFrameBytes} are allowed`)
      }
      this.frameBytes = frameBytes
    }
    return end
  }

  private takeFrame(chunk: Buffer, offset: number, frames: Buffer[]): number {
    const end = Math.min(offset + this.frameBytes - this.frameEnd, chunk.length)
    const isWhole = this.frameEnd + end - offset === this.frameBytes
    if (isWhole && this.frame === null) {
      frames.push(chunk.subarray(offset, end))
    } else {
      const frame = this.grow(this.frameEnd + end - offset)
      chunk.copy(frame, this.frameEnd, offset, end)
      this.frameEnd += end - offset
      if (isWhole) frames.push(frame.subarray(0, this.frameBytes))
    }
    if (isWhole) this.begin()
    return end
  }

  /** A buffer for the frame under way that holds at least `neededBytes`, grown by doubling. */
  private grow(neededBytes: number): Buffer {
    const old = this.frame
    if (old !== null && old.length >= neededBytes) return old
    const wantedBytes = Math.max(2 * neededBytes, firstAllocationBytes)
    const frame = Buffer.allocUnsafe(Math.min(this.frameBytes, wantedBytes))
    old?.copy(frame, 0, 0, this.frameEnd)
    this.frame = frame
    return frame
  }

  private begin(): void {
    this.sizeEnd = 0
    this.frameBytes = -1
    this.frame = null
    this.frameEnd = 0
  }
}

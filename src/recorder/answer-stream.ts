/**
 * Lets a broker's answers pass as they arrive, and holds only those that must be changed. What passes is never copied
 * beyond the eight bytes that tell which answer it is.
 */

/** A frame's size and correlation id. */
const headBytes = 8

export interface AnswerStreamOptions {
  /** Whether the answer with this correlation id is to be held until it is whole. */
  readonly mustHold: (correlationId: number) => boolean
  /** What is sent in place of a held frame (without its size); a promise stops the stream until it resolves. */
  readonly replace: (frame: Buffer) => Buffer | Promise<Buffer>
  readonly send: (bytes: Buffer) => void
}

export class AnswerStream {
  private readonly options: AnswerStreamOptions
  private head = Buffer.alloc(0)
  /** Bytes of the frame under way that have not come yet. */
  private missingBytes = 0
  /** Parts of a held frame; null when the frame under way passes. */
  private held: Buffer[] | null = null

  constructor(options: AnswerStreamOptions) {
    this.options = options
  }

  /** Whether everything that was pushed ended with the end of a frame. */
  get isBetweenFrames(): boolean {
    return this.missingBytes === 0 && this.head.length === 0
  }

  /** Whether it keeps views of what was pushed. */
  get isHolding(): boolean {
    return this.held !== null
  }

  /** Undefined when all of `chunk` was dealt with at once; else the caller waits before it pushes the next. */
  push(chunk: Buffer): Promise<void> | undefined {
    const { send, replace } = this.options
    let offset = 0
    /** What passes goes out in one piece from here on. */
    let passFrom = 0
    const passTo = (end: number): void => {
      if (end > passFrom) send(chunk.subarray(passFrom, end))
    }
    while (offset < chunk.length) {
      if (this.missingBytes === 0) {
        const frameStart = offset
        const earlier = this.head.length
        offset = Math.min(offset + headBytes - earlier, chunk.length)
        this.head = Buffer.concat([this.head, chunk.subarray(frameStart, offset)])
        if (this.head.length < headBytes) {
          passTo(frameStart)
          return undefined
        }
        this.beginFrame()
        if (this.held !== null) passTo(frameStart)
        else if (earlier > 0) send(this.head)
        if (earlier > 0) passFrom = offset
        this.head = Buffer.alloc(0)
      }
      const end = Math.min(offset + this.missingBytes, chunk.length)
      this.missingBytes -= end - offset
      this.held?.push(chunk.subarray(offset, end))
      offset = end
      if (this.held === null) continue
      passFrom = end
      if (this.missingBytes > 0) continue
      const replaced = replace(Buffer.concat(this.held))
      this.held = null
      if (!Buffer.isBuffer(replaced)) {
        return replaced.then((frame) => {
          this.sendFrame(frame)
          return this.push(chunk.subarray(end))
        })
      }
      this.sendFrame(replaced)
    }
    passTo(offset)
    return undefined
  }

  private beginFrame(): void {
    const sizeBytes = this.head.readInt32BE()
    const correlationId = this.head.readInt32BE(4)
    this.missingBytes = Math.max(0, sizeBytes - 4)
    this.held = this.options.mustHold(correlationId) ? [this.head.subarray(4)] : null
  }

  private sendFrame(frame: Buffer): void {
    const size = Buffer.alloc(4)
    size.writeInt32BE(frame.length)
    this.options.send(Buffer.concat([size, frame]))
  }
}

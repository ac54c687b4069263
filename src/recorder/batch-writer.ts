import { createWriteStream, openSync, type WriteStream } from 'node:fs'
import type { Clock, Timer } from '../clock.ts'

/** Writes many small parts to a file as few large ones, each of them soon. */

const batchBytes = 64 * 1024
const waitMs = 100

export class BatchWriter {
  private readonly stream: WriteStream
  private readonly clock: Clock
  private parts: (string | Buffer)[] = []
  private waitingBytes = 0
  private timer: Timer | null = null
  private failure: Error | null = null

  /** Creates or empties `file`; throws when that is not possible. `onFailure` is called once, for a write that failed. */
  constructor(file: string, clock: Clock, onFailure: (error: Error) => void) {
    this.clock = clock
    this.stream = createWriteStream(file, { fd: openSync(file, 'w') })
    this.stream.on('error', (error) => {
      this.failure = error
      onFailure(error)
    })
  }

  write(part: string | Buffer): void {
    if (this.failure !== null) return
    this.parts.push(part)
    this.waitingBytes += part.length
    if (this.waitingBytes >= batchBytes) this.flush()
    else this.timer ??= this.clock.setTimer(waitMs, () => this.flush())
  }

  private flush(): void {
    this.timer?.cancel()
    this.timer = null
    if (this.parts.length === 0) return
    this.stream.write(joined(this.parts))
    this.parts = []
    this.waitingBytes = 0
  }

  /** Rejects when not everything could be written. */
  close(): Promise<void> {
    this.flush()
    return new Promise((resolve, reject) => {
      if (this.failure !== null) return reject(this.failure)
      this.stream.once('error', reject).end(() => resolve())
    })
  }
}

const joined = (parts: readonly (string | Buffer)[]): string | Buffer =>
  parts.every((part) => typeof part === 'string')
    ? parts.join('')
    : Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))

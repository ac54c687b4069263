/** Gathers the frames of one turn of the event loop and gives neighbours in memory to the socket as one piece. */
import type { Socket } from 'node:net'
import { messageOf } from '../../errors.ts'
import { ConnectionError } from './errors.ts'

/** A piece of this size goes at once, so that the broker works on it while the next one is made. */
const fullPieceBytes = 64 * 1024

interface Written {
  isWritten: boolean
}

interface Unanswered extends Written {
  onWritten(): void
  onLost(error: ConnectionError): void
}

export class Outgoing {
  readonly #socket: Socket
  readonly #pieces: Buffer[] = []
  #bytes: Buffer | null = null
  #start = 0
  #end = 0
  #isScheduled = false
  /** Of this turn; behind `#addedCount` are those of earlier turns. */
  readonly #added: Written[] = []
  #addedCount = 0
  /** Of this turn; those of earlier turns wait in `#leaving`. */
  #unanswered: Unanswered[] = []
  readonly #leaving = new Set<Unanswered[]>()
  readonly #flush = (): void => {
    this.#isScheduled = false
    this.#write()
  }

  constructor(socket: Socket) {
    this.#socket = socket
  }

  add(bytes: Buffer, start: number, end: number, exchange: Written): void {
    this.#added[this.#addedCount++] = exchange
    if (bytes !== this.#bytes || start !== this.#end) {
      this.#closePiece()
      this.#bytes = bytes
      this.#start = start
    }
    this.#end = end
    if (end - this.#start >= fullPieceBytes) return this.#write()
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(this.#flush)
  }

  addUnanswered(bytes: Buffer, start: number, end: number, exchange: Unanswered): void {
    this.#unanswered.push(exchange)
    this.add(bytes, start, end, exchange)
  }

  /** What has no answer and was not written yet is lost. */
  end(error: ConnectionError): void {
    const lost = [...this.#leaving, this.#unanswered].flat()
    this.#leaving.clear()
    this.#unanswered = []
    this.#added.length = 0
    this.#addedCount = 0
    this.#pieces.length = 0
    this.#bytes = null
    for (const exchange of lost) exchange.onLost(error)
  }

  #closePiece(): void {
    if (this.#bytes === null) return
    this.#pieces.push(this.#bytes.subarray(this.#start, this.#end))
    this.#bytes = null
  }

  #write(): void {
    this.#closePiece()
    const pieces = this.#pieces
    const last = pieces.pop()
    if (last === undefined) return
    for (let index = 0; index < this.#addedCount; index++) {
      const exchange = this.#added[index] as Written
      exchange.isWritten = true
    }
    this.#addedCount = 0
    if (pieces.length === 0) {
      this.#writeLast(last)
      return
    }
    this.#socket.cork()
    for (const piece of pieces) this.#socket.write(piece)
    this.#writeLast(last)
    this.#socket.uncork()
    pieces.length = 0
  }

  #writeLast(piece: Buffer): void {
    const unanswered = this.#unanswered
    if (unanswered.length === 0) {
      this.#socket.write(piece)
      return
    }
    this.#unanswered = []
    this.#leaving.add(unanswered)
    this.#socket.write(piece, (error) => {
      // Not there any more: the connection has ended, and each has been told.
      if (!this.#leaving.delete(unanswered)) return
      const lost = error ? new ConnectionError('closed', '', messageOf(error)) : null
      for (const exchange of unanswered) {
        if (lost === null) exchange.onWritten()
        else exchange.onLost(lost)
      }
    })
  }
}

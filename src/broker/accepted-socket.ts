import { Socket } from 'node:net'

/**
 * What a listener has accepted, reading into a buffer of ours. `net.Server` cannot be told of one, so its connection is
 * carried over to a socket that can; where that does not work, what arrives is copied.
 */

export interface Receiver {
  /** Where the next bytes go: at least one byte of room. */
  room(): Buffer
  /** So many bytes were put where `room` said. */
  onBytes(count: number): void
}

/** Not documented: there since io.js, and in all versions since. */
const handleField = '_handle'

const copyIn = (chunk: Buffer, receiver: Receiver): void => {
  for (let at = 0; at < chunk.length; ) {
    const count = chunk.copy(receiver.room(), 0, at)
    at += count
    receiver.onBytes(count)
  }
}

const copyFrom = (accepted: Socket, receiver: Receiver): Socket => {
  accepted.on('data', (chunk: Buffer) => copyIn(chunk, receiver))
  if (accepted.isPaused()) accepted.resume()
  return accepted
}

/** Begins to read. `accepted` is carried over when its server has `pauseOnConnect`: it must not have begun itself. */
export const receiveFrom = (accepted: Socket, receiver: Receiver): Socket => {
  const handle: unknown = Reflect.get(accepted, handleField)
  const hasBegun = !accepted.isPaused()
  if (hasBegun || typeof handle !== 'object' || handle === null) return copyFrom(accepted, receiver)
  const onread = {
    buffer: () => receiver.room(),
    callback: (count: number) => {
      receiver.onBytes(count)
      return true
    },
  }
  // The types do not know that the constructor takes these too.
  const options = { handle, readable: true, writable: true, onread } as object
  const socket = new Socket(options)
  Reflect.set(accepted, handleField, null)
  // The server counts the one that it knows.
  socket.once('close', () => accepted.destroy())
  return socket
}

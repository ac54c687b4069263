// A connection that sends what a script says, by the project's message tables, and takes what comes back.
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { decodeResponse, encodeResponse } from '../../dist/src/protocol/api.js'
import { FrameSplitter } from '../../dist/src/protocol/framing.js'
import { decodeResponseHeader, encodeRequestFrame } from '../../dist/src/protocol/header.js'
import { apis } from '../../dist/src/protocol/messages/index.js'

/** What came of a request whose connection was closed instead of an answer, or that got none in time. */
export const closed = Symbol('closed')
export const silent = Symbol('silent')

/** The body of an answer, read strictly; `fault` says how it does not fit our tables. */
export const readAnswer = (name, version, frame) => {
  const one = apis[name]
  const { bodyOffset } = decodeResponseHeader(one, version, frame)
  const body = frame.subarray(bodyOffset)
  let value
  try {
    value = decodeResponse(one, version, body)
    const again = Buffer.concat(encodeResponse(one, version, value))
    const fault = again.equals(body)
      ? null
      : `re-encodes to other bytes:\n${body.toString('hex')}\n${again.toString('hex')}`
    return { value, body, fault }
  } catch (error) {
    return { value: null, body, fault: `${error.message}\n${body.toString('hex')}` }
  }
}

class Connection {
  constructor(socket, clientId) {
    this.socket = socket
    this.clientId = clientId
    this.splitter = new FrameSplitter(1 << 28)
    this.waiting = []
    this.correlationId = 0
    this.isClosed = false
    socket.on('data', (chunk) => {
      for (const frame of this.splitter.push(chunk)) this.waiting.shift()?.(frame)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isClosed = true
      for (const settle of this.waiting.splice(0)) settle(closed)
    })
  }

  /** Sends raw bytes; a promise of the next frame that nobody waits for yet, of `closed`, or of `silent` after `timeoutMs`. */
  send(bytes, timeoutMs = 20_000) {
    if (this.isClosed) return Promise.resolve(closed)
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(silent), timeoutMs)
      this.waiting.push((frame) => {
        clearTimeout(timer)
        resolve(frame)
      })
      this.socket.write(bytes)
    })
  }

  frame(name, version, request) {
    this.correlationId++
    const header = { correlationId: this.correlationId, clientId: this.clientId }
    return Buffer.concat(encodeRequestFrame(apis[name], version, header, request))
  }

  /** A promise of the answer's frame, of `closed` or of `silent`. */
  request(name, version, request, timeoutMs) {
    return this.send(this.frame(name, version, request), timeoutMs)
  }

  /** The decoded answer; null when there is none. */
  async ask(name, version, request, timeoutMs) {
    const frame = await this.request(name, version, request, timeoutMs)
    return typeof frame === 'symbol' ? null : readAnswer(name, version, frame).value
  }

  close() {
    this.socket.destroy()
  }
}

/** Rejects when nobody listens on that port of 127.0.0.1. */
export const connect = async (port, clientId) => {
  const socket = createConnection({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  return new Connection(socket, clientId)
}

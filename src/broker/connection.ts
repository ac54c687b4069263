import type { Socket } from 'node:net'
import type { Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { decodeRequest, isFlexible, isServed } from '../protocol/api.ts'
import {
  decodeRequestHeader,
  encodeResponseFrame,
  encodeUnsupportedApiVersions,
  readRequestHead,
} from '../protocol/header.ts'
import { apiVersions } from '../protocol/messages/api-versions.ts'
import { type ProduceResponse, produce } from '../protocol/messages/produce.ts'
import { type FramePlace, ReceiveBuffer } from '../protocol/receive-buffer.ts'
import { WireError } from '../protocol/wire.ts'
import { receiveFrom } from './accepted-socket.ts'
import { AnswerBuffer } from './answer-buffer.ts'
import type { ServedApi, ServedApis } from './apis.ts'
import { type BrokerContext, type Call, CloseConnection } from './context.ts'
import { handleProduce } from './handlers/produce.ts'
import { PlainProduce, RepeatedText } from './plain-produce.ts'
import { RepeatedProduce } from './repeated-produce.ts'
import { StorageError } from './store/store.ts'

/**
 * One client's connection: bytes to frames to requests, one at a time, and answers in the order of the requests
 * (Kafka mutes the channel in the same way). What it cannot read it answers by closing.
 */

/** What may lie unread behind a request that is being answered; more stays in the kernel and slows the client down. */
const maxReadAheadBytes = 64 * 1024
/** Answers are held back to go out together up to this; and what the socket still holds may be as much. */
const maxWaitingBytes = 64 * 1024

/** Of the receive buffer: for a connection that is seldom used, and for one that is sent much. */
const idleBytes = 16 * 1024
const busyBytes = 1024 * 1024

interface RequestAbout {
  readonly version: number
  readonly clientId: string | null
  readonly correlationId: number
}

export class Connection {
  readonly socket: Socket
  readonly #apis: ServedApis
  readonly #broker: BrokerContext
  readonly #received: ReceiveBuffer
  readonly #answers = new AnswerBuffer()
  readonly #produce = new PlainProduce()
  readonly #repeated = new RepeatedProduce()
  readonly #clientId = new RepeatedText()
  readonly #closed = new AbortController()
  readonly #clientHost: string
  /** A request is parked: its answer is a promise. */
  #isParked = false
  /** While record data are on their way to a client that is slower than we are. */
  #lentMark: number | null = null
  #lastUsedNs: number
  #idleTimer: Timer | null = null

  constructor(accepted: Socket, apis: ServedApis, broker: BrokerContext) {
    this.#apis = apis
    this.#broker = broker
    this.#received = new ReceiveBuffer({
      sizeBytes: idleBytes,
      busySizeBytes: busyBytes,
      largestFrameBytes: broker.settings['socket.request.max.bytes'],
    })
    // As java.net.InetAddress prints it, which is what Kafka tells in DescribeGroups.
    this.#clientHost = `/${accepted.remoteAddress ?? ''}`
    this.#lastUsedNs = broker.clock.nowNs()
    const socket = receiveFrom(accepted, {
      // Of a parked request parts may be in use.
      room: () => this.#received.room(this.#isParked),
      onBytes: (count) => {
        this.#received.add(count)
        this.#proceed()
      },
    })
    this.socket = socket
    this.#watchIdle(broker.settings['connections.max.idle.ms'])
    socket.on('drain', () => this.#proceed())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#idleTimer?.cancel()
      this.#endLent()
      this.#closed.abort()
    })
  }

  close(): void {
    this.socket.destroy()
  }

  #watchIdle(delayMs: number): void {
    const { clock, settings } = this.#broker
    this.#idleTimer = clock.setTimer(delayMs, () => {
      const limitMs = settings['connections.max.idle.ms']
      const idleMs = (clock.nowNs() - this.#lastUsedNs) / 1e6
      if (idleMs >= limitMs && !this.#isParked) this.socket.destroy()
      else this.#watchIdle(Math.max(1, Math.min(limitMs, limitMs - idleMs)))
    })
  }

  /** Answers what can be answered now, all in one write, then reads on or holds back. */
  #proceed(): void {
    const { socket } = this
    this.#lastUsedNs = this.#broker.clock.nowNs()
    this.#broker.store.hold()
    while (this.#canAnswer()) {
      const frame = this.#nextFrame()
      if (frame === null) break
      this.#begin(frame)
      if (this.#answers.waitingBytes >= maxWaitingBytes) {
        this.#flush()
        this.#broker.store.hold()
      }
    }
    this.#flush()
    if (socket.destroyed) return
    if (socket.writableLength === 0) this.#endLent()
    else this.#lentMark ??= this.#broker.lent.begin()
    // An idle parked connection is read on, so that its end is noticed.
    const isBehind = !this.#canAnswer()
    if (isBehind && this.#mustHoldBack()) socket.pause()
    else if (socket.isPaused()) socket.resume()
  }

  /** Answers go out once what they acknowledge is written. */
  #flush(): void {
    try {
      this.#broker.store.write()
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.#broker.topics.reportFault(error)
      this.socket.destroy()
    }
    if (!this.socket.destroyed) this.#answers.flush(this.socket)
  }

  #endLent(): void {
    if (this.#lentMark !== null) this.#broker.lent.end(this.#lentMark)
    this.#lentMark = null
  }

  #canAnswer(): boolean {
    const { socket } = this
    // The 'drain' that goes on from here comes when that much has waited.
    return !this.#isParked && !socket.destroyed && socket.writableLength < maxWaitingBytes
  }

  #mustHoldBack(): boolean {
    try {
      return this.#received.unreadBytes > maxReadAheadBytes || this.#received.hasFrame()
    } catch {
      // What is wrong with it is told in its turn.
      return true
    }
  }

  #nextFrame(): FramePlace | null {
    try {
      return this.#received.next()
    } catch (error) {
      this.#giveUp(error, 'frame')
      return null
    }
  }

  #begin({ start, end }: FramePlace): void {
    try {
      const { bytes } = this.#received
      if (this.#repeated.answer(bytes, start, end, this.#answers, this.#broker)) return
      if (this.#answerPlainProduce(start, end)) return
      const frame = this.#frameAt(start, end)
      const { apiKey, apiVersion, correlationId } = readRequestHead(frame)
      const served = this.#apis.get(apiKey)
      if (served === undefined) throw new WireError(`API key ${apiKey} is not served`)
      if (!isServed(served.api, apiVersion)) {
        if (apiKey !== apiVersions.key) {
          throw new WireError(`${served.api.name} v${apiVersion} is not served`)
        }
        this.#answers.add(encodeUnsupportedApiVersions(served.api, correlationId))
        return
      }
      this.#answer(served, frame)
    } catch (error) {
      this.#giveUp(error, 'request')
    }
  }

  /** Handlers may keep parts of requests, but of Produce, the largest, none keeps any beyond its answer. */
  #frameAt(start: number, end: number): Buffer {
    const frame = this.#received.bytes.subarray(start, end)
    return frame.length >= 2 && frame.readInt16BE() === produce.key ? frame : Buffer.from(frame)
  }

  /** False, and nothing done, when the frame is something else or is to be left to the tables. */
  #answerPlainProduce(start: number, end: number): boolean {
    const { bytes } = this.#received
    if (end - start < 10 || bytes.readInt16BE(start) !== produce.key) return false
    const served = this.#apis.get(produce.key)
    const version = bytes.readInt16BE(start + 2)
    if (served === undefined || !isServed(served.api, version)) return false
    const { request: requestTable, response: responseTable } = served.api
    if (requestTable !== produce.request || responseTable !== produce.response) return false
    const idBytes = bytes.readInt16BE(start + 8)
    const idEnd = start + 10 + Math.max(0, idBytes)
    if (idBytes < -1 || idEnd >= end) return false
    const hasTags = isFlexible(produce, version)
    if (hasTags && bytes[idEnd] !== 0) return false
    const request = this.#produce.read(bytes, hasTags ? idEnd + 1 : idEnd, end, version)
    if (request === null) return false
    const clientId = idBytes < 0 ? null : this.#clientId.read(bytes, start + 10, idEnd)
    const correlationId = bytes.readInt32BE(start + 4)
    this.#handle(served, { version, clientId, correlationId }, request)
    if (served.handle === handleProduce)
      this.#repeated.learn(bytes.subarray(start, this.#produce.partitionAt), version, request)
    return true
  }

  #answer(served: ServedApi, frame: Buffer): void {
    const { api } = served
    const header = decodeRequestHeader(frame, isFlexible(api, readRequestHead(frame).apiVersion))
    const { apiVersion: version, correlationId, clientId, bodyOffset } = header
    const request = decodeRequest(api, version, frame, bodyOffset)
    this.#handle(served, { version, clientId, correlationId }, request)
  }

  #handle(served: ServedApi, about: RequestAbout, request: unknown): void {
    const { version, clientId } = about
    const { signal: closed } = this.#closed
    const call: Call = { version, clientId, clientHost: this.#clientHost, closed }
    const response = served.handle(request as never, call, this.#broker)
    if (!(response instanceof Promise)) {
      this.#send(served, about, response)
      return
    }
    this.#isParked = true
    const fail = (error: unknown): void => this.#giveUp(error, `${served.api.name} v${version}`)
    response
      .then((value) => this.#send(served, about, value))
      .catch(fail)
      .finally(() => this.#unpark())
  }

  #send({ api }: ServedApi, { version, correlationId }: RequestAbout, response: unknown): void {
    if (response === null || this.socket.destroyed) return
    const isPlain =
      api.response === produce.response &&
      this.#produce.write(this.#answers, version, correlationId, response as ProduceResponse)
    if (!isPlain)
      this.#answers.add(encodeResponseFrame(api, version, correlationId, response as never))
  }

  #unpark(): void {
    this.#isParked = false
    if (this.socket.destroyed) return
    this.#proceed()
  }

  /** Closes without a word to the client; says why in the log, unless a handler meant it. */
  #giveUp(error: unknown, what: string): void {
    if (!(error instanceof CloseConnection)) {
      const isOurs = !(error instanceof WireError)
      const detail =
        isOurs && error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
      this.#broker.log(
        `closed the connection from ${this.#clientHost}:${this.socket.remotePort}: ${what}: ${detail}`,
      )
    }
    this.socket.destroy()
  }
}

import type { Socket } from 'node:net'
import type { Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { decodeRequest, isFlexible, isServed } from '../protocol/api.ts'
import { FrameSplitter } from '../protocol/framing.ts'
import {
  decodeRequestHeader,
  encodeResponseFrame,
  encodeUnsupportedApiVersions,
  readRequestHead,
} from '../protocol/header.ts'
import { apiVersions } from '../protocol/messages/api-versions.ts'
import { WireError } from '../protocol/wire.ts'
import type { ServedApi, ServedApis } from './apis.ts'
import { type BrokerContext, type Call, CloseConnection } from './context.ts'

/**
 * One client's connection: bytes to frames to requests, one at a time, and answers in the order of the requests
 * (Kafka mutes the channel in the same way). What it cannot read it answers by closing.
 */

/** What may lie unread behind a request that is being answered; more stays in the kernel and slows the client down. */
const maxReadAheadBytes = 64 * 1024

export class Connection {
  readonly #socket: Socket
  readonly #apis: ServedApis
  readonly #broker: BrokerContext
  readonly #splitter: FrameSplitter
  readonly #closed = new AbortController()
  readonly #clientHost: string
  /** Whole requests that have arrived and not begun. */
  #waiting: Buffer[] = []
  /** A request is parked: its answer is a promise. */
  #isParked = false
  #isCorked = false
  #lastUsedNs: number
  #idleTimer: Timer | null = null

  constructor(socket: Socket, apis: ServedApis, broker: BrokerContext) {
    this.#socket = socket
    this.#apis = apis
    this.#broker = broker
    this.#splitter = new FrameSplitter(broker.settings['socket.request.max.bytes'])
    // As java.net.InetAddress prints it, which is what Kafka tells in DescribeGroups.
    this.#clientHost = `/${socket.remoteAddress ?? ''}`
    this.#lastUsedNs = broker.clock.nowNs()
    this.#watchIdle(broker.settings['connections.max.idle.ms'])
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('drain', () => this.#proceed())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#idleTimer?.cancel()
      this.#waiting = []
      this.#closed.abort()
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #watchIdle(delayMs: number): void {
    const { clock, settings } = this.#broker
    this.#idleTimer = clock.setTimer(delayMs, () => {
      const limitMs = settings['connections.max.idle.ms']
      const idleMs = (clock.nowNs() - this.#lastUsedNs) / 1e6
      if (idleMs >= limitMs && !this.#isParked) this.#socket.destroy()
      else this.#watchIdle(Math.max(1, Math.min(limitMs, limitMs - idleMs)))
    })
  }

  #onData(chunk: Buffer): void {
    try {
      for (const frame of this.#splitter.push(chunk)) this.#waiting.push(frame)
    } catch (error) {
      this.#giveUp(error, 'frame')
      return
    }
    this.#proceed()
  }

  /** Answers what can be answered now, all in one write, then reads on or holds back. */
  #proceed(): void {
    const socket = this.#socket
    this.#lastUsedNs = this.#broker.clock.nowNs()
    let served = 0
    while (!this.#isParked && !socket.destroyed && !socket.writableNeedDrain) {
      const frame = this.#waiting[served]
      if (frame === undefined) break
      served++
      this.#begin(frame)
    }
    if (served > 0) this.#waiting.splice(0, served)
    this.#flush()
    const isBehind = this.#isParked || socket.writableNeedDrain
    const readAheadBytes = this.#splitter.pendingBytes
    // An idle parked connection is read on, so that its end is noticed.
    if (this.#waiting.length > 0 || (isBehind && readAheadBytes > maxReadAheadBytes)) socket.pause()
    else if (socket.isPaused()) socket.resume()
  }

  #begin(frame: Buffer): void {
    try {
      const { apiKey, apiVersion, correlationId } = readRequestHead(frame)
      const served = this.#apis.get(apiKey)
      if (served === undefined) throw new WireError(`API key ${apiKey} is not served`)
      if (!isServed(served.api, apiVersion)) {
        if (apiKey !== apiVersions.key) {
          throw new WireError(`${served.api.name} v${apiVersion} is not served`)
        }
        this.#write(encodeUnsupportedApiVersions(served.api, correlationId))
        return
      }
      this.#answer(served, frame)
    } catch (error) {
      this.#giveUp(error, 'request')
    }
  }

  #answer({ api, handle }: ServedApi, frame: Buffer): void {
    const header = decodeRequestHeader(frame, isFlexible(api, readRequestHead(frame).apiVersion))
    const { apiVersion: version, correlationId, clientId, bodyOffset } = header
    const request = decodeRequest(api, version, frame, bodyOffset)
    const call: Call = {
      version,
      clientId,
      clientHost: this.#clientHost,
      closed: this.#closed.signal,
    }
    const send = (response: unknown): void => {
      if (response === null || this.#socket.destroyed) return
      this.#write(encodeResponseFrame(api, version, correlationId, response as never))
    }
    const response = handle(request as never, call, this.#broker)
    if (!(response instanceof Promise)) {
      send(response)
      return
    }
    this.#isParked = true
    response.then(send).then(
      () => this.#unpark(),
      (error: unknown) => {
        this.#giveUp(error, `${api.name} v${version}`)
        this.#unpark()
      },
    )
  }

  #unpark(): void {
    this.#isParked = false
    if (this.#socket.destroyed) return
    this.#proceed()
  }

  /** Corked until the turn's end: one system call for all parts of all answers, and no copy of record data. */
  #write(parts: readonly Buffer[]): void {
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#socket.cork()
    }
    for (const part of parts) this.#socket.write(part)
  }

  #flush(): void {
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#socket.uncork()
  }

  /** Closes without a word to the client; says why in the log, unless a handler meant it. */
  #giveUp(error: unknown, what: string): void {
    if (!(error instanceof CloseConnection)) {
      const isOurs = !(error instanceof WireError)
      const detail =
        isOurs && error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
      this.#broker.log(
        `closed the connection from ${this.#clientHost}:${this.#socket.remotePort}: ${what}: ${detail}`,
      )
    }
    this.#socket.destroy()
  }
}

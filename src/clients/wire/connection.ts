/**
 * One connection to one broker: requests go out in order, answers come back in the same order and are matched by their
 * correlation ids. What a request means, and whether to send it again, is the caller's affair.
 */
import type { Socket } from 'node:net'
import type { Clock, Timer } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import { type Api, decodeResponse } from '../../protocol/api.ts'
import { int32At } from '../../protocol/big-endian.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../../protocol/header.ts'
import { apiVersions } from '../../protocol/messages/api-versions.ts'
import { saslAuthenticate } from '../../protocol/messages/sasl-authenticate.ts'
import { ReceiveBuffer, type ReceiveBufferOptions } from '../../protocol/receive-buffer.ts'
import type { Decoded, Given } from '../../protocol/schema.ts'
import { ConnectionError } from './errors.ts'
import { Fifo } from './fifo.ts'
import { type Ask, askVersions, authenticate, type VersionRange } from './handshake.ts'
import { Outgoing } from './outgoing.ts'
import type { ConnectionSettings } from './properties.ts'
import { openSocket } from './socket.ts'

const unsupportedVersion = 35

/** A request on its way, and who waits for its answer. Exactly one of the two callbacks comes, once. */
export interface Exchange {
  /** From `takeCorrelationId`; the frame carries it. */
  readonly correlationId: number
  /** Monotonic ns; when the answer is not there by then, the connection ends. */
  readonly deadlineNs: number
  /** Set when the first byte was given to the socket: from then on the broker may act on it. */
  isWritten: boolean
  /** The answer from its correlation id on lies in `bytes[start, end)`, which is reused after the call. */
  onAnswer(bytes: Buffer, start: number, end: number): void
  onLost(error: ConnectionError): void
}

export interface RequestOptions {
  /** Instead of the client's own. */
  readonly timeoutMs?: number
  /** Instead of the highest that both sides have. */
  readonly maxVersion?: number
}

export class Connection {
  /** `host:port` */
  readonly address: string
  /** When the bytes came that are being read now, monotonic ns; one reading of the clock for all answers in them. */
  receivedAtNs = 0
  readonly #settings: ConnectionSettings
  readonly #clock: Clock
  readonly #received: ReceiveBuffer
  readonly #open = new Fifo<Exchange>()
  readonly #socket: Socket
  readonly #outgoing: Outgoing
  readonly #versions = new Map<number, VersionRange>()
  readonly #endListeners: ((error: ConnectionError) => void)[] = []
  #error: ConnectionError | null = null
  #nextCorrelationId = 1
  #timer: Timer | null = null
  #timerNs = Number.POSITIVE_INFINITY
  #onReady: () => void = () => {}

  private constructor(
    address: string,
    settings: ConnectionSettings,
    clock: Clock,
    receiveBuffer: ReceiveBufferOptions,
  ) {
    this.address = address
    this.#settings = settings
    this.#clock = clock
    this.#received = new ReceiveBuffer(receiveBuffer)
    this.#socket = openSocket(address, settings, {
      room: () => this.#received.room(),
      onBytes: (count) => this.#onBytes(count),
      onReady: () => this.#onReady(),
      onEnd: (error) =>
        this.#end(error ?? new ConnectionError('closed', address, 'Closed connection')),
    })
    this.#outgoing = new Outgoing(this.#socket)
  }

  /**
   * Connects, learns the broker's versions and authenticates. Rejects with a `ConnectionError`, after
   * `settings.connectTimeoutMs` at the latest.
   */
  static async open(
    address: string,
    settings: ConnectionSettings,
    clock: Clock,
    receiveBuffer: ReceiveBufferOptions = { sizeBytes: 64 * 1024 },
  ): Promise<Connection> {
    const connection = new Connection(address, settings, clock, receiveBuffer)
    const { connectTimeoutMs } = settings
    const timeout = clock.setTimer(connectTimeoutMs, () =>
      connection.#end(
        new ConnectionError('timeout', address, `no answer within ${connectTimeoutMs} ms`),
      ),
    )
    try {
      await new Promise<void>((resolve, reject) => {
        connection.#onReady = resolve
        connection.onEnd(reject)
      })
      await connection.#shakeHands()
      return connection
    } catch (error) {
      connection.close()
      throw error
    } finally {
      timeout.cancel()
    }
  }

  get isOpen(): boolean {
    return this.#error === null
  }

  get requestTimeoutMs(): number {
    return this.#settings.requestTimeoutMs
  }

  /** Requests without an answer yet. */
  get openRequests(): number {
    return this.#open.size
  }

  /** `listener` is called once when the connection ends for any reason; at once when it has. */
  onEnd(listener: (error: ConnectionError) => void): void {
    if (this.#error === null) this.#endListeners.push(listener)
    else listener(this.#error)
  }

  /** The highest version that both sides have. Throws a `ConnectionError` (`unsupported`) when there is none. */
  versionOf(one: Api, maxVersion = one.maxVersion): number {
    const told = this.#versions.get(one.key)
    const version = Math.min(told?.maxVersion ?? -1, maxVersion)
    if (version >= Math.max(one.minVersion, told?.minVersion ?? 0)) return version
    const theirs = told === undefined ? 'nothing' : `${told.minVersion} to ${told.maxVersion}`
    throw new ConnectionError(
      'unsupported',
      this.address,
      `the broker has ${theirs} of ${one.name}, bench ${one.minVersion} to ${maxVersion}`,
    )
  }

  /**
   * Sends one request in the highest common version. Rejects with a `ConnectionError`; error codes of the broker are
   * values. Bytes in the answer are copies.
   */
  async request<A extends Api>(
    one: A,
    body: Given<A['request']>,
    { timeoutMs = this.#settings.requestTimeoutMs, maxVersion }: RequestOptions = {},
  ): Promise<Decoded<A['response']>> {
    return await this.#ask(one, this.versionOf(one, maxVersion), body, timeoutMs)
  }

  takeCorrelationId(): number {
    const id = this.#nextCorrelationId
    this.#nextCorrelationId = (id + 1) & 0x7fff_ffff
    return id
  }

  /** When an answer asked for now is late, unless the caller knows better. */
  deadlineNs(timeoutMs: number = this.#settings.requestTimeoutMs): number {
    return this.#clock.nowNs() + timeoutMs * 1e6
  }

  /**
   * Sends the frame in `bytes[start, end)` when this turn of the event loop ends, in one piece with its neighbours. The
   * bytes must stay as they are until the answer. Answers come in the order of these calls.
   */
  enqueue(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
    if (this.#error !== null) return exchange.onLost(this.#error)
    this.#open.push(exchange)
    this.#outgoing.add(bytes, start, end, exchange)
    if (exchange.deadlineNs < this.#timerNs) this.#setTimer(exchange.deadlineNs)
  }

  /**
   * As `enqueue`, for a request that the broker does not answer (Produce with acks=0): `onWritten` is called when the
   * bytes are with the operating system, or `onLost`.
   */
  enqueueUnanswered(
    exchange: Pick<Exchange, 'isWritten' | 'onLost'> & { onWritten(): void },
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    if (this.#error !== null) return exchange.onLost(this.#error)
    this.#outgoing.addUnanswered(bytes, start, end, exchange)
  }

  /** Ends the connection; what is open is lost. */
  close(): void {
    this.#end(new ConnectionError('closed', this.address, 'the connection was closed'))
  }

  async #shakeHands(): Promise<void> {
    const { sasl, requestTimeoutMs } = this.#settings
    const ask: Ask = (one, version, body) => this.#ask(one, version, body, requestTimeoutMs)
    for (const [key, range] of await askVersions(ask)) this.#versions.set(key, range)
    if (sasl === null) return
    const authenticateVersion = this.versionOf(saslAuthenticate)
    await authenticate(ask, sasl, { address: this.address, authenticateVersion })
  }

  #ask<A extends Api>(
    one: A,
    version: number,
    body: Given<A['request']>,
    timeoutMs: number,
  ): Promise<Decoded<A['response']>> {
    const correlationId = this.takeCorrelationId()
    const { clientId } = this.#settings
    const frame = Buffer.concat(encodeRequestFrame(one, version, { correlationId, clientId }, body))
    return new Promise((resolve, reject) => {
      const exchange: Exchange = {
        correlationId,
        deadlineNs: this.deadlineNs(timeoutMs),
        isWritten: false,
        // The caller keeps views of it.
        onAnswer: (bytes, start, end) =>
          resolve(decodeAnswer(one, version, Buffer.from(bytes.subarray(start, end)))),
        onLost: reject,
      }
      this.enqueue(exchange, frame, 0, frame.length)
    })
  }

  #onBytes(count: number): void {
    this.#received.add(count)
    this.receivedAtNs = this.#clock.nowNs()
    try {
      for (let frame = this.#received.next(); frame !== null; frame = this.#received.next()) {
        this.#answer(frame.start, frame.end)
        if (this.#error !== null) return
      }
    } catch (error) {
      this.#end(new ConnectionError('protocol', this.address, messageOf(error)))
    }
  }

  #answer(start: number, end: number): void {
    const { bytes } = this.#received
    const correlationId = int32At(bytes, start)
    const expected = this.#open.peek()
    if (expected?.correlationId !== correlationId) {
      const wanted = expected === undefined ? 'none is open' : `${expected.correlationId} is next`
      throw new Error(`an answer has correlation id ${correlationId}, ${wanted}`)
    }
    this.#open.shift()
    try {
      expected.onAnswer(bytes, start, end)
    } catch (error) {
      const lost = new ConnectionError('protocol', this.address, messageOf(error))
      this.#end(lost)
      expected.onLost(lost)
    }
  }

  #setTimer(atNs: number): void {
    this.#timer?.cancel()
    this.#timerNs = atNs
    const delayMs = Math.max(0, (atNs - this.#clock.nowNs()) / 1e6)
    this.#timer = this.#clock.setTimer(delayMs, () => this.#look())
  }

  /** Ends the connection when an answer is late, else looks again when the next one would be. */
  #look(): void {
    this.#timerNs = Number.POSITIVE_INFINITY
    const nowNs = this.#clock.nowNs()
    let nextNs = Number.POSITIVE_INFINITY
    for (const { deadlineNs } of this.#open) nextNs = Math.min(nextNs, deadlineNs)
    if (nextNs <= nowNs) {
      return this.#end(new ConnectionError('timeout', this.address, 'the answer is overdue'))
    }
    if (nextNs < Number.POSITIVE_INFINITY) this.#setTimer(nextNs)
  }

  #end(error: ConnectionError): void {
    if (this.#error !== null) return
    this.#error = error
    this.#timer?.cancel()
    this.#socket.destroy()
    for (const listener of this.#endListeners) listener(error)
    this.#outgoing.end(error)
    for (let lost = this.#open.shift(); lost !== undefined; lost = this.#open.shift()) {
      lost.onLost(error)
    }
  }
}

const decodeAnswer = <A extends Api>(
  one: A,
  version: number,
  frame: Buffer,
): Decoded<A['response']> => {
  const { bodyOffset } = decodeResponseHeader(one, version, frame)
  // A broker that does not know this version of ApiVersions answers in version 0 (KIP-511).
  const isRefused =
    one.key === apiVersions.key && frame.readInt16BE(bodyOffset) === unsupportedVersion
  return decodeResponse(one, isRefused ? 0 : version, frame, bodyOffset)
}

import { connect, type Socket } from 'node:net'
import { messageOf } from '../errors.ts'
import { FrameSplitter } from '../protocol/framing.ts'
import { WireError } from '../protocol/wire.ts'
import { AddressRewriter, type Rewritten } from './address-rewriter.ts'
import { type Address, addressText, carriesAddresses } from './addresses.ts'
import { AnswerStream } from './answer-stream.ts'
import { type Exchange, type Finding, messageName } from './exchange.ts'
import { closeExchange, isAnswered, openExchange } from './frame-decoder.ts'
import type { AnswerFault, ProxyOptions, RecordSink } from './proxy.ts'

/** One client's connection and its twin to the broker. Bytes are sent on first and decoded after. */

export interface ConnectionOptions {
  readonly number: number
  readonly client: Socket
  readonly node: Address
  /** µs since the recording began. */
  readonly now: () => number
  readonly sink: RecordSink
  readonly observer: ProxyOptions['observer']
  readonly faultOf: NonNullable<ProxyOptions['faultOf']>
  /** The port here that stands for an upstream node. */
  readonly findPort: (node: Address) => number | Promise<number>
  /** By what name clients reach this machine. */
  readonly localHost: string
  readonly onClosed: () => void
}

/** Beyond this it is no Kafka frame: the first bytes of TLS read as 369 MB. */
const maxFrameBytes = 256 * 1024 * 1024
const saslHandshakeKey = 17
/** A common Fetch answer in one piece. */
const readBytes = 256 * 1024
const maxUnreadChunks = 8
const maxSpareBuffers = 2

interface Unread {
  readonly chunk: Buffer
  /** What the chunk lies in. */
  readonly buffer: Uint8Array
  readonly atUs: number
}

export class Connection {
  private readonly options: ConnectionOptions
  private readonly upstream: Socket
  private readonly pending = new Map<number, Exchange>()
  private readonly faults = new Map<number, AnswerFault>()
  private readonly requests = new FrameSplitter(maxFrameBytes)
  private readonly answers = new FrameSplitter(maxFrameBytes)
  private readonly stream: AnswerStream
  private readonly rewriter: AddressRewriter
  /** What was sent on of answers that are not whole yet. */
  private unread: Unread[] = []
  /** What answers are read into, again once nothing refers to it: a new one for each costs more than all else here. */
  private readonly buffers: Uint8Array[] = []
  /** False from the first bytes on that are not Kafka's: those pass unread. */
  private isReadable = true
  private isClosed = false

  constructor(options: ConnectionOptions) {
    this.options = options
    const { client, node, sink, now, number } = options
    this.upstream = connect({
      host: node.host,
      port: node.port,
      noDelay: true,
      onread: {
        buffer: () => this.buffers.pop() ?? Buffer.allocUnsafeSlow(readBytes),
        callback: (sizeBytes, buffer) => {
          this.onAnswerBytes(Buffer.from(buffer.buffer, buffer.byteOffset, sizeBytes), buffer)
          return true
        },
      },
    })
    this.rewriter = new AddressRewriter(options)
    this.stream = new AnswerStream({
      mustHold: (correlationId) =>
        this.faults.has(correlationId) || this.carriesAddresses(correlationId),
      replace: (frame) => this.alter(frame),
      send: (bytes) => this.send(bytes, client, this.upstream),
    })
    sink.onOpen({
      connection: number,
      atUs: now(),
      client: { host: client.remoteAddress ?? '', port: client.remotePort ?? 0 },
      node: {
        host: node.host,
        port: node.port,
      },
    })
    client.on('data', (chunk: Buffer) => this.onRequestBytes(chunk))
    client.on('error', () => this.close())
    this.upstream.on('error', (error) => {
      this.note('upstream', `${addressText(node)}: ${messageOf(error)}`)
      this.close()
    })
    client.on('close', () => this.close())
    this.upstream.on('close', () => client.end())
  }

  close(): void {
    if (this.isClosed) return
    this.readUnread()
    this.isClosed = true
    const { client, sink, number, now, onClosed } = this.options
    client.destroy()
    this.upstream.destroy()
    for (const exchange of this.pending.values()) sink.onExchange(exchange)
    this.pending.clear()
    sink.onClose(number, now())
    onClosed()
  }

  private send(bytes: Buffer, to: Socket, from: Socket): void {
    if (to.destroyed || to.write(bytes)) return
    from.pause()
    to.once('drain', () => from.resume())
  }

  private note(field: string, text: string): void {
    const { sink, number, now } = this.options
    const finding: Finding = {
      level: 'note',
      code: 'connection',
      message: `connection ${number}`,
      field,
      offset: null,
      text,
    }
    sink.onNote(number, now(), finding)
  }

  private onRequestBytes(chunk: Buffer): void {
    this.send(chunk, this.upstream, this.options.client)
    const atUs = this.options.now()
    // A correlation id may be used again once its answer has come.
    this.readUnread()
    this.read(this.requests, chunk, (frame) => this.onRequest(frame, atUs))
  }

  private onAnswerBytes(chunk: Buffer, buffer: Uint8Array): void {
    if (!this.isReadable) {
      this.send(chunk, this.options.client, this.upstream)
      return this.release(buffer)
    }
    const waiting = this.stream.push(chunk)
    if (waiting === undefined) return this.readWhenWhole(chunk, buffer)
    this.upstream.pause()
    void waiting.then(() => {
      this.readWhenWhole(chunk, buffer)
      this.upstream.resume()
    })
  }

  private release(buffer: Uint8Array): void {
    if (this.options.client.writableLength > 0 || this.stream.isHolding) return
    if (this.buffers.length < maxSpareBuffers) this.buffers.push(buffer)
  }

  /** The rest of a large answer, which is on its way, does not wait for what is done with its beginning. */
  private readWhenWhole(chunk: Buffer, buffer: Uint8Array): void {
    this.unread.push({ chunk, buffer, atUs: this.options.now() })
    if (this.stream.isBetweenFrames || this.unread.length >= maxUnreadChunks) this.readUnread()
  }

  private readUnread(): void {
    for (const { chunk, buffer, atUs } of this.unread.splice(0)) {
      this.read(this.answers, chunk, (frame) => this.onAnswer(frame, atUs))
      this.release(buffer)
    }
  }

  private read(splitter: FrameSplitter, chunk: Buffer, take: (frame: Buffer) => void): void {
    if (!this.isReadable) return
    try {
      for (const frame of splitter.push(chunk)) if (this.isReadable) take(frame)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.isReadable = false
      this.note('', `not read from here on, and passed unchanged: ${error.message} (TLS?)`)
    }
  }

  private onRequest(frame: Buffer, atUs: number): void {
    const { sink, observer, node, number } = this.options
    const exchange = openExchange(frame, { number, node: addressText(node) }, atUs)
    observer.onRequest(exchange)
    sink.onFrame({ connection: number, direction: 'request', atUs, frame, exchange })
    if (!isAnswered(exchange)) return sink.onExchange(exchange)
    this.pending.set(exchange.correlationId, exchange)
    const fault = this.options.faultOf(exchange)
    if (fault !== null) this.faults.set(exchange.correlationId, fault)
  }

  private onAnswer(frame: Buffer, atUs: number): void {
    if (this.isClosed) return
    const { sink, observer, number } = this.options
    const correlationId = frame.length < 4 ? -1 : frame.readInt32BE()
    const exchange = this.pending.get(correlationId) ?? null
    if (exchange === null) {
      this.note('correlationId', `an answer to ${correlationId}, which was not asked`)
      sink.onFrame({ connection: number, direction: 'answer', atUs, frame, exchange })
      return
    }
    this.pending.delete(correlationId)
    closeExchange(exchange, frame, atUs)
    exchange.findings.push(...observer.onAnswer(exchange))
    sink.onFrame({ connection: number, direction: 'answer', atUs, frame, exchange })
    sink.onExchange(exchange)
    // From version 0 on the credentials follow as bytes without a header (KIP-43): not to be read, nor kept.
    if (exchange.apiKey === saslHandshakeKey && exchange.version === 0) {
      this.isReadable = false
      this.note('', 'not read from here on, and passed unchanged: SASL without Kafka frames')
    }
  }

  private carriesAddresses(correlationId: number): boolean {
    const exchange = this.pending.get(correlationId)
    return exchange !== undefined && carriesAddresses(exchange.apiKey, exchange.version)
  }

  /** A lost answer takes its connection with it, as on a real network: the client must not wait for one that never comes. */
  private alter(frame: Buffer): Buffer | Promise<Buffer> {
    const correlationId = frame.readInt32BE()
    const fault = this.faults.get(correlationId)
    if (fault === undefined) return this.rewrite(frame)
    this.faults.delete(correlationId)
    return fault().then((verdict) => {
      if (verdict === 'drop') this.close()
      return this.rewrite(frame)
    })
  }

  private rewrite(frame: Buffer): Buffer | Promise<Buffer> {
    const exchange = this.pending.get(frame.readInt32BE())
    if (exchange === undefined) return frame
    const told = (rewritten: Rewritten): Buffer => {
      if (rewritten.keptBecause !== null) this.markKept(exchange, rewritten.keptBecause)
      return rewritten.frame
    }
    const rewritten = this.rewriter.rewrite(exchange.apiKey, exchange.version, frame)
    return rewritten instanceof Promise ? rewritten.then(told) : told(rewritten)
  }

  private markKept(exchange: Exchange, reason: string): void {
    exchange.findings.push({
      level: 'note',
      code: 'addresses-kept',
      message: messageName(exchange, 'response'),
      field: '',
      offset: null,
      text: `the addresses in it were not replaced, so the client leaves this recording (${reason})`,
    })
  }
}

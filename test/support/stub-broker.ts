/**
 * A scripted broker for client tests: it speaks just enough of the protocol (ApiVersions, SASL, Metadata, Produce,
 * InitProducerId) and answers Produce as the test says. It checks nothing that a real broker would.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

const apiVersions: [apiKey: number, max: number][] = [
  [0, 3],
  [3, 1],
  [17, 1],
  [18, 2],
  [22, 0],
  [36, 0],
]

export interface ProducedPartition {
  partition: number
  /** Base sequence and producer id of the record batch. */
  sequence: number
  producerId: number
}

type ProduceReply =
  /** Error code by partition; 0 where none is given. `correlationOffset` is added to the answer's correlation id. */
  { errorCodes?: Record<number, number>; correlationOffset?: number } | 'silence' | 'hang-up'

export interface StubOptions {
  tls?: { key: string; cert: string }
  credentials?: { username: string; password: string }
  /** Says the password back in the refusal, as a careless broker might. */
  isIndiscreet?: boolean
  topic?: string
  partitions?: number
  onProduce?: (partitions: ProducedPartition[], attempt: number) => ProduceReply
  /** What Metadata says; by default this broker is number 1 and leads everything. */
  cluster?: (ownPort: number) => {
    brokers: { nodeId: number; port: number }[]
    leaderOf: (partition: number) => number
  }
}

export interface StubBroker {
  port: number
  address: string
  metadataRequests: number
  close(): Promise<void>
}

class Writer {
  readonly #parts: Buffer[] = []

  int8(value: number): this {
    return this.#push(1, (buffer) => buffer.writeInt8(value))
  }
  int16(value: number): this {
    return this.#push(2, (buffer) => buffer.writeInt16BE(value))
  }
  int32(value: number): this {
    return this.#push(4, (buffer) => buffer.writeInt32BE(value))
  }
  int64(value: number): this {
    return this.#push(8, (buffer) => buffer.writeBigInt64BE(BigInt(value)))
  }
  string(value: string): this {
    return this.int16(Buffer.byteLength(value)).raw(Buffer.from(value))
  }
  bytes(value: Buffer): this {
    return this.int32(value.length).raw(value)
  }
  raw(value: Buffer): this {
    this.#parts.push(value)
    return this
  }
  /** Forgets what is there and begins with this correlation id. */
  restart(correlationId: number): this {
    this.#parts.length = 0
    return this.int32(correlationId)
  }
  done(): Buffer {
    return Buffer.concat(this.#parts)
  }
  #push(length: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.alloc(length)
    write(buffer)
    return this.raw(buffer)
  }
}

class Reader {
  readonly #buffer: Buffer
  #at = 0
  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }
  int16(): number {
    return this.#buffer.readInt16BE(this.skip(2))
  }
  int32(): number {
    return this.#buffer.readInt32BE(this.skip(4))
  }
  string(): string {
    return this.raw(Math.max(0, this.int16())).toString()
  }
  bytes(): Buffer {
    return this.raw(this.int32())
  }
  raw(length: number): Buffer {
    const from = this.skip(length)
    return this.#buffer.subarray(from, from + length)
  }
  /** Returns where it stood. */
  skip(length: number): number {
    const from = this.#at
    this.#at += length
    return from
  }
}

export const startStubBroker = async (options: StubOptions = {}): Promise<StubBroker> => {
  const { topic = 'stub', partitions = 3, credentials } = options
  const sockets = new Set<Socket>()
  let produceAttempts = 0

  const answer = (request: Buffer, session: Session): Buffer | null | 'hang-up' => {
    const reader = new Reader(request)
    const apiKey = reader.int16()
    const version = reader.int16()
    const correlationId = reader.int32()
    reader.string()
    const reply = new Writer().int32(correlationId)
    switch (apiKey) {
      case 18:
        // As KIP-511 has it: a version that is not known is refused in version 0, with the range that is.
        if (version > 2) return reply.int16(35).int32(1).int16(18).int16(0).int16(2).done()
        reply.int16(0).int32(apiVersions.length)
        for (const [key, max] of apiVersions) reply.int16(key).int16(0).int16(max)
        return version === 0 ? reply.done() : reply.int32(0).done()
      case 17: {
        session.mechanism = reader.string()
        reply.int16(0).int32(2).string('PLAIN').string('SCRAM-SHA-256')
        return reply.done()
      }
      case 36: {
        const result = authenticate(session, reader.bytes(), options)
        session.isAuthenticated ||= result.isDone
        reply.int16(result.error === null ? 0 : 58).string(result.error ?? '')
        return reply.bytes(result.bytes).done()
      }
      default:
        if (credentials !== undefined && !session.isAuthenticated) return 'hang-up'
    }
    if (apiKey === 22) return reply.int32(0).int16(0).int64(4711).int16(0).done()
    if (apiKey === 3) {
      stub.metadataRequests++
      const { brokers, leaderOf } = options.cluster?.(stub.port) ?? {
        brokers: [{ nodeId: 1, port: stub.port }],
        leaderOf: () => 1,
      }
      reply.int32(brokers.length)
      for (const { nodeId, port } of brokers) {
        reply.int32(nodeId).string('127.0.0.1').int32(port).int16(-1)
      }
      reply.int32(1).int32(1).int16(0).string(topic).int8(0).int32(partitions)
      for (let id = 0; id < partitions; id++) {
        reply.int16(0).int32(id).int32(leaderOf(id)).int32(1).int32(1).int32(1).int32(1)
      }
      return reply.done()
    }
    reader.string()
    reader.skip(6 + 4)
    const name = reader.string()
    const produced = Array.from({ length: reader.int32() }, () => {
      const partition = reader.int32()
      const batch = reader.bytes()
      const producerId = Number(batch.readBigInt64BE(43))
      return { partition, sequence: batch.readInt32BE(53), producerId }
    })
    const verdict = options.onProduce?.(produced, produceAttempts++) ?? {}
    if (verdict === 'silence') return null
    if (verdict === 'hang-up') return verdict
    if (verdict.correlationOffset !== undefined) {
      reply.restart(correlationId + verdict.correlationOffset)
    }
    reply.int32(1).string(name).int32(produced.length)
    for (const { partition } of produced) {
      const code = verdict.errorCodes?.[partition] ?? 0
      reply
        .int32(partition)
        .int16(code)
        .int64(code === 0 ? 100 * (partition + 1) : -1)
      reply.int64(-1)
    }
    return reply.int32(0).done()
  }

  const serve = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    const session: Session = { mechanism: '', isAuthenticated: false, scram: null }
    let buffered: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk])
      while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
        const size = buffered.readInt32BE(0)
        const reply = answer(buffered.subarray(4, 4 + size), session)
        buffered = buffered.subarray(4 + size)
        if (reply === 'hang-up') socket.end()
        else if (reply !== null) socket.write(new Writer().bytes(reply).done())
      }
    })
  }

  const server: Server =
    options.tls === undefined ? createServer(serve) : createTlsServer(options.tls, serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const stub: StubBroker = {
    port,
    address: `127.0.0.1:${port}`,
    metadataRequests: 0,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return stub
}

interface Session {
  mechanism: string
  isAuthenticated: boolean
  scram: { clientFirst: string; serverFirst: string } | null
}

interface SaslResult {
  bytes: Buffer
  isDone: boolean
  error: string | null
}

const authenticate = (session: Session, bytes: Buffer, options: StubOptions): SaslResult => {
  const { username, password } = options.credentials ?? { username: '', password: '' }
  const refused = `Authentication failed${options.isIndiscreet ? `: it is not ${bytes.toString()}` : ''}`
  if (session.mechanism !== 'PLAIN') return scram256(session, bytes.toString(), password)
  const isRight = bytes.equals(Buffer.from(`\0${username}\0${password}`))
  return { bytes: Buffer.alloc(0), isDone: isRight, error: isRight ? null : refused }
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** The server's side of RFC 5802. */
const scram256 = (session: Session, message: string, password: string): SaslResult => {
  const salt = Buffer.from('salt of the stub')
  const iterations = 4096
  if (session.scram === null) {
    const clientFirst = message.replace(/^n,,/, '')
    const nonce = /r=([^,]*)/.exec(clientFirst)?.[1] ?? ''
    const serverFirst = `r=${nonce}stub,s=${salt.toString('base64')},i=${iterations}`
    session.scram = { clientFirst, serverFirst }
    return { bytes: Buffer.from(serverFirst), isDone: false, error: null }
  }
  const { clientFirst, serverFirst } = session.scram
  const [withoutProof = '', proof = ''] = message.split(',p=')
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  const storedKey = createHash('sha256').update(clientKey).digest()
  const authMessage = `${clientFirst},${serverFirst},${withoutProof}`
  const signature = hmac(storedKey, authMessage)
  const expected = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)))
  if (proof !== expected.toString('base64')) {
    return { bytes: Buffer.alloc(0), isDone: false, error: 'Authentication failed' }
  }
  const verifier = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')
  return { bytes: Buffer.from(`v=${verifier}`), isDone: true, error: null }
}

import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { messageOf, SurroundingsError } from '../errors.ts'
import { type Address, addressText } from './addresses.ts'
import { Connection } from './connection.ts'
import type { Exchange, Finding } from './exchange.ts'

/** The recording proxy: one listener per node of the upstream cluster, found as answers name them. */

export interface FrameSeen {
  readonly connection: number
  readonly direction: 'request' | 'answer'
  readonly atUs: number
  /** As the broker sent it, or as the client did; without its size. Its bytes are used again after the call. */
  readonly frame: Buffer
  readonly exchange: Exchange | null
}

export interface ConnectionSeen {
  readonly connection: number
  readonly atUs: number
  readonly client: Address
  readonly node: Address
}

/** Where a recording goes. Every method is called after the bytes in question were sent on. */
export interface RecordSink {
  /** Called once, with the upstream reached and the port taken, before any client is served; may throw. */
  onBegin(): void
  onOpen(seen: ConnectionSeen): void
  onClose(connection: number, atUs: number): void
  onFrame(seen: FrameSeen): void
  /** Whole, or given up when the connection closed. */
  onExchange(exchange: Exchange): void
  /** What goes beyond a single exchange, such as a node that cannot be reached. */
  onNote(connection: number, atUs: number, finding: Finding): void
}

/** Called when the answer has come from the broker; it goes on, or is lost with its connection, when this resolves. */
export type AnswerFault = () => Promise<'pass' | 'drop'>

export interface ProxyOptions {
  readonly upstream: Address
  /** Port 0 takes a free one. */
  readonly listen: Address
  readonly clock: Clock
  readonly sink: RecordSink
  /** Marks what is suspicious; called for each request, then for each answer. */
  readonly observer: {
    onRequest(exchange: Exchange): void
    onAnswer(exchange: Exchange): Finding[]
  }
  /** What shall happen to the answer of a request that has just been sent on; null: nothing. */
  readonly faultOf?: (exchange: Exchange) => AnswerFault | null
}

export interface Proxy {
  readonly listening: Address
  /** On the clock of the options: the time that the recording calls 0. */
  readonly startedAtNs: number
  /** Ends every connection and listener; exchanges under way go to the sink without an answer. */
  close(): Promise<void>
}

const wildcards = ['0.0.0.0', '::']

const listenOn = (server: Server, { host, port }: Address): Promise<number> =>
  new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is taken' : messageOf(error)
      reject(new SurroundingsError(`--listen '${host}:${port}': ${reason}`, { cause: error }))
    }
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      const address = server.address()
      resolve(address === null || typeof address === 'string' ? port : address.port)
    })
  })

const connectTimeoutMs = 10_000

const assertReachable = ({ host, port }: Address, clock: Clock): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const refuse = (reason: string): void => {
      socket.destroy()
      reject(new SurroundingsError(`--upstream '${host}:${port}': cannot be reached (${reason})`))
    }
    const timer = clock.setTimer(connectTimeoutMs, () =>
      refuse(`no answer in ${connectTimeoutMs} ms`),
    )
    socket.on('close', () => timer.cancel())
    socket.on('error', (error) => refuse(messageOf(error)))
    socket.on('connect', () => {
      socket.destroy()
      resolve()
    })
  })

/**
 * Listens for clients of the upstream node. Rejects with a `SurroundingsError` when the port is taken or nobody answers,
 * and with what the sink throws when it begins; then nothing listens.
 */
export const startProxy = async (options: ProxyOptions): Promise<Proxy> => {
  const { clock, listen, sink, observer, faultOf = () => null } = options
  await assertReachable(options.upstream, clock)
  const startedAtNs = clock.nowNs()
  const now = (): number => Math.round((clock.nowNs() - startedAtNs) / 1_000)
  const connections = new Set<Connection>()
  const servers: Server[] = []
  /** Upstream `HOST:PORT` -> the port here that stands for it. */
  const ports = new Map<string, number | Promise<number>>()
  let isClosed = false
  let connectionCount = 0

  const accept = (client: Socket, node: Address): void => {
    connectionCount++
    const local = wildcards.includes(listen.host) ? client.localAddress : undefined
    const connection = new Connection({
      number: connectionCount,
      client,
      node,
      now,
      sink,
      observer,
      faultOf,
      findPort,
      localHost: local ?? listen.host,
      onClosed: () => connections.delete(connection),
    })
    connections.add(connection)
  }
  const open = async (node: Address, port: number): Promise<number> => {
    const server = createServer({ noDelay: true }, (client) => accept(client, node))
    const bound = await listenOn(server, { host: listen.host, port })
    server.on('error', () => {})
    if (isClosed) server.close()
    servers.push(server)
    return bound
  }
  /** Further nodes take the ports after the first one, or free ones where those are taken. */
  const openFurther = (node: Address): Promise<number> => {
    const wanted = listen.port === 0 ? 0 : listen.port + ports.size
    return open(node, wanted > 65_535 ? 0 : wanted).catch(() => open(node, 0))
  }
  function findPort(node: Address): number | Promise<number> {
    const key = addressText(node)
    const known = ports.get(key)
    if (known !== undefined) return known
    const opening = openFurther(node).then((port) => {
      ports.set(key, port)
      return port
    })
    ports.set(key, opening)
    return opening
  }

  const close = async (): Promise<void> => {
    isClosed = true
    for (const connection of connections) connection.close()
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
  const port = await open(options.upstream, listen.port)
  ports.set(addressText(options.upstream), port)
  try {
    // Not awaited: a client that is there already is accepted only when this is done.
    sink.onBegin()
  } catch (error) {
    await close()
    throw error
  }
  return { listening: { host: listen.host, port }, startedAtNs, close }
}

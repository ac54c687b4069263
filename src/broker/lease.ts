import { timingSafeEqual } from 'node:crypto'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import type { Clock, Timer } from '../clock.ts'

/**
 * Leases on an embedded broker: each is a connection to a second loopback listener, opened by presenting the lock's token.
 * The kernel closes it with its process, so a killed user's lease ends as well.
 */

const host = '127.0.0.1'
const held = 'held\n'
const handshakeTimeoutMs = 5_000

export interface LeaseServerOptions {
  readonly token: string
  readonly clock: Clock
  /** How long the broker waits for the first lease. */
  readonly graceMs: number
  /** How long it stays after the last one. */
  readonly lingerMs: number
  /** Called once, at zero leases; from then on none is granted. Never called when `graceMs` and `lingerMs` are infinite. */
  onUnused(): void
}

export interface LeaseServer {
  readonly port: number
  /** Grants no more leases and ends those there are. */
  close(): void
}

const isToken = (line: string, token: string): boolean => {
  const [given, expected] = [Buffer.from(line), Buffer.from(token)]
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Calls `onToken` when the peer has presented the token; anything else closes the connection. */
const awaitToken = (
  socket: Socket,
  { token, clock }: LeaseServerOptions,
  onToken: () => void,
): void => {
  let text = ''
  const limit = clock.setTimer(handshakeTimeoutMs, () => socket.destroy())
  socket.on('close', () => limit.cancel())
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    const end = text.indexOf('\n')
    if (end < 0 && text.length <= 1_024) return
    if (!isToken(text.slice(0, end), token)) {
      socket.destroy()
      return
    }
    limit.cancel()
    socket.removeAllListeners('data')
    socket.resume()
    onToken()
  })
}

/** Listens for leases on a free loopback port. */
export const listenForLeases = (options: LeaseServerOptions): Promise<LeaseServer> => {
  const leases = new Set<Socket>()
  const sockets = new Set<Socket>()
  let timer: Timer | null = null
  let isClosed = false
  const waitAtZero = (delayMs: number): void => {
    if (isClosed || leases.size > 0 || delayMs === Number.POSITIVE_INFINITY) return
    timer?.cancel()
    timer = options.clock.setTimer(delayMs, () => {
      if (isClosed) return
      isClosed = true
      options.onUnused()
    })
  }
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      if (leases.delete(socket)) waitAtZero(options.lingerMs)
    })
    awaitToken(socket, options, () => {
      if (isClosed) {
        socket.destroy()
        return
      }
      timer?.cancel()
      leases.add(socket)
      socket.write(held)
    })
  })
  const close = (): void => {
    isClosed = true
    timer?.cancel()
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') return reject(new Error('no port'))
      waitAtZero(options.graceMs)
      resolve({ port: address.port, close })
    })
  })
}

/** The user's end of a lease. */
export interface Lease {
  /** Resolves when the connection has closed, by whichever side. */
  readonly ended: Promise<void>
  end(): void
}

/** Asks for a lease; null when the broker does not grant it (it is ending, or not that broker any more). Never rejects. */
export const requestLease = (port: number, token: string, clock: Clock): Promise<Lease | null> =>
  new Promise((resolve) => {
    const socket = createConnection({ host, port })
    const limit = clock.setTimer(handshakeTimeoutMs, () => socket.destroy())
    const ended = new Promise<void>((done) => {
      socket.on('close', () => {
        limit.cancel()
        done()
        resolve(null)
      })
    })
    socket.on('error', () => socket.destroy())
    socket.on('connect', () => socket.write(`${token}\n`))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (text !== held) return
      limit.cancel()
      // A command that is done ends, whatever it forgot.
      socket.unref()
      resolve({ ended, end: () => socket.end() })
    })
  })

/** Opens the socket of a connection, over TLS or not, and hands what it reads to a buffer of the connection's own. */
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { messageOf } from '../../errors.ts'
import { ConnectionError } from './errors.ts'
import type { ConnectionSettings } from './properties.ts'

const keepAliveDelayMs = 60_000

export interface SocketListener {
  /** Where the next bytes go: at least one byte of room. */
  room(): Buffer
  /** So many bytes were put where `room` said. */
  onBytes(count: number): void
  onReady(): void
  /** Once, the last call. `error` is null when the broker closed. */
  onEnd(error: ConnectionError | null): void
}

/** `host:port`, the host of IPv6 in brackets, as parts. */
const parseAddress = (address: string): { host: string; port: number } => {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  return { host, port: Number(address.slice(colon + 1)) }
}

const isTlsFailure = (error: Error & { code?: string }): boolean =>
  /^(EPROTO|ERR_SSL|ERR_TLS|CERT_|DEPTH_|SELF_|UNABLE_)/.test(error.code ?? '') ||
  error.message.includes('before secure TLS connection')

export const openSocket = (
  address: string,
  { tls }: ConnectionSettings,
  listener: SocketListener,
): Socket => {
  const { host, port } = parseAddress(address)
  const onread = {
    buffer: () => listener.room(),
    callback: (count: number) => {
      listener.onBytes(count)
      return true
    },
  }
  let isReady = false
  const ready = (): void => {
    isReady = true
    listener.onReady()
  }
  const serverName = isIP(host) === 0 ? { servername: host } : {}
  const socket =
    tls === null
      ? connectPlain({ host, port, onread }, ready)
      : connectTls({ host, port, ...serverName, ...tls }, ready)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, keepAliveDelayMs)
  // A TLS socket has no `onread`: its bytes are copied.
  if (tls !== null) socket.on('data', (chunk: Buffer) => copyIn(chunk, listener))
  let failure: ConnectionError | null = null
  socket.on('error', (error) => {
    const problem = isTlsFailure(error) ? 'tls' : isReady ? 'closed' : 'unreachable'
    failure ??= new ConnectionError(problem, address, messageOf(error))
  })
  socket.on('end', () => socket.destroy())
  socket.on('close', () => listener.onEnd(failure))
  return socket
}

const copyIn = (chunk: Buffer, listener: SocketListener): void => {
  for (let at = 0; at < chunk.length; ) {
    const count = chunk.copy(listener.room(), 0, at)
    at += count
    listener.onBytes(count)
  }
}

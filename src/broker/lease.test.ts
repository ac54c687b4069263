import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock, settled } from '../../test/support/manual-clock.ts'
import { type LeaseServer, listenForLeases, requestLease } from './lease.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

const start = async (graceMs = 4_000, lingerMs = 300) => {
  const clock = new ManualClock()
  let unused = 0
  const server: LeaseServer = await listenForLeases({
    token: 'secret',
    clock,
    graceMs,
    lingerMs,
    onUnused: () => unused++,
  })
  cleanups.push(() => server.close())
  return { clock, server, port: server.port, unusedCount: () => unused }
}

/** Gives the event loop the turns that a closed loopback connection needs to be noticed. */
const turns = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await settled()
}

const lease = async (port: number, clock: ManualClock, token = 'secret') => {
  const granted = await requestLease(port, token, clock)
  if (granted !== null) cleanups.push(() => granted.end())
  return granted
}

const dial = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1')
  cleanups.push(() => socket.destroy())
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.on('connect', resolve))
  return socket
}

const closeOf = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.on('close', () => resolve()))

describe('leases', () => {
  it('the last one to end leaves the broker unused 300 ms later', async () => {
    const { clock, port, unusedCount } = await start()
    const [first, second] = [await lease(port, clock), await lease(port, clock)]
    clock.advance(60_000)
    first?.end()
    await first?.ended
    await turns()
    clock.advance(60_000)
    expect(unusedCount()).toBe(0)
    second?.end()
    await second?.ended
    await turns()
    clock.advance(299)
    expect(unusedCount()).toBe(0)
    clock.advance(1)
    expect(unusedCount()).toBe(1)
  })

  it('one taken while the broker lingers keeps it', async () => {
    const { clock, port, unusedCount } = await start()
    const first = await lease(port, clock)
    first?.end()
    await first?.ended
    await turns()
    clock.advance(299)
    expect(await lease(port, clock)).not.toBeNull()
    clock.advance(60_000)
    expect(unusedCount()).toBe(0)
  })

  it('none is granted once the broker is ending', async () => {
    const { clock, port, unusedCount } = await start()
    clock.advance(4_000)
    expect(unusedCount()).toBe(1)
    expect(await lease(port, clock)).toBeNull()
  })

  it('the first one may take its grace time', async () => {
    const { clock, unusedCount } = await start()
    clock.advance(3_999)
    expect(unusedCount()).toBe(0)
    clock.advance(1)
    expect(unusedCount()).toBe(1)
  })

  it('a broker in the foreground is never unused, neither before its first lease nor after its last', async () => {
    const { clock, port, unusedCount } = await start(
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    )
    clock.advance(1e9)
    const held = await lease(port, clock)
    held?.end()
    await held?.ended
    await turns()
    clock.advance(1e9)
    expect(unusedCount()).toBe(0)
  })

  it('a wrong token is refused, and does not count', async () => {
    const { clock, port, unusedCount } = await start()
    expect(await lease(port, clock, 'guess')).toBeNull()
    expect(await lease(port, clock, 'secretsecret')).toBeNull()
    clock.advance(4_000)
    expect(unusedCount()).toBe(1)
  })

  it('a connection that says nothing or too much is closed and holds nothing', async () => {
    const { clock, port, unusedCount } = await start()
    const [silent, loud] = [await dial(port), await dial(port)]
    const [silentEnd, loudEnd] = [closeOf(silent), closeOf(loud)]
    silent.resume()
    loud.resume()
    loud.write('x'.repeat(5_000))
    await loudEnd
    await turns()
    clock.advance(5_000)
    await silentEnd
    expect(unusedCount()).toBe(1)
  })

  it('a token in pieces is understood', async () => {
    const { clock, port, unusedCount } = await start()
    const socket = await dial(port)
    const answer = new Promise<string>((resolve) => {
      socket.on('data', (chunk) => resolve(chunk.toString()))
    })
    socket.write('sec')
    await turns()
    socket.write('ret\n')
    expect(await answer).toBe('held\n')
    clock.advance(60_000)
    expect(unusedCount()).toBe(0)
    socket.resetAndDestroy()
    await turns()
    clock.advance(300)
    expect(unusedCount()).toBe(1)
  })

  it('end when the broker closes, which its users notice', async () => {
    const { clock, server, port } = await start()
    const held = await lease(port, clock)
    server.close()
    await held?.ended
    expect(await requestLease(port, 'secret', clock)).toBeNull()
  })
})

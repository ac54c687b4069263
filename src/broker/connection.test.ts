import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock, settled } from '../../test/support/manual-clock.ts'
import { type Clock, systemClock } from '../clock.ts'
import { encodeRequestFrame } from '../protocol/header.ts'
import { apis, type RequestOf } from '../protocol/messages/index.ts'
import type { ServedApi, ServedApis } from './apis.ts'
import { Connection } from './connection.ts'
import { type BrokerContext, type Call, CloseConnection, type Handler } from './context.ts'
import { parseSettings } from './settings.ts'
import { Lent } from './store/lent.ts'
import { StorageError } from './store/store.ts'

const log: string[] = []
let hasOwnBuffer = true
const cleanups: (() => void)[] = []

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
  log.length = 0
  store = quietStore
})

const table = (...rows: ServedApi[]): ServedApis => new Map(rows.map((row) => [row.api.key, row]))

/** Of the broker's store, what a connection uses; replaced by tests that look on. */
const quietStore = { hold: () => {}, write: () => {} }
let store = quietStore

/** A listener whose connections are served by `served` alone. */
const listen = async (
  served: ServedApis,
  given: Record<string, string> = {},
  clock: Clock = systemClock,
): Promise<{ server: Server; port: number; sockets: Socket[] }> => {
  const broker = {
    clock,
    settings: parseSettings(given),
    lent: new Lent(),
    store,
    topics: { reportFault: (error: StorageError) => log.push(error.message) },
    log: (line: string) => log.push(line),
  } as unknown as BrokerContext
  const sockets: Socket[] = []
  const server = createServer({ pauseOnConnect: hasOwnBuffer }, (accepted) => {
    sockets.push(new Connection(accepted, served, broker).socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(
    () => server.close(),
    () => sockets.forEach((socket) => socket.destroy()),
  )
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { server, port: address.port, sockets }
}

const until = async (isTrue: () => boolean): Promise<void> => {
  while (!isTrue()) await settled()
}

interface Client {
  socket: Socket
  received(): Buffer
  closed: Promise<void>
  /** Resolves when `sizeBytes` have come. */
  until(sizeBytes: number): Promise<void>
}

const open = async (port: number): Promise<Client> => {
  const socket = connect(port, '127.0.0.1')
  cleanups.push(() => socket.destroy())
  const chunks: Buffer[] = []
  let receivedBytes = 0
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    chunks.push(chunk)
    receivedBytes += chunk.length
  })
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  const received = () => Buffer.concat(chunks)
  await new Promise<void>((resolve) => socket.on('connect', resolve))
  return { socket, received, closed, until: (sizeBytes) => until(() => receivedBytes >= sizeBytes) }
}

const heartbeat = (correlationId: number, groupId = 'g', version = 0): Buffer =>
  Buffer.concat(
    encodeRequestFrame(
      apis.Heartbeat,
      version,
      { correlationId, clientId: 'c' },
      {
        groupId,
        generationId: 1,
        memberId: 'm',
        groupInstanceId: null,
      },
    ),
  )

/** Size, correlation id and error code of a Heartbeat v0 answer. */
const heartbeatAnswer = (correlationId: number, errorCode: number): Buffer => {
  const bytes = Buffer.alloc(10)
  bytes.writeInt32BE(6)
  bytes.writeInt32BE(correlationId, 4)
  bytes.writeInt16BE(errorCode, 8)
  return bytes
}

const heartbeatApi = (
  handle: Handler<RequestOf<'Heartbeat'>, { errorCode: number }>,
): ServedApi => ({ api: apis.Heartbeat, handle })

const answering = (errorCode: number) => heartbeatApi(() => ({ errorCode }))

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex')

describe.each([
  ['reading into a buffer of its own', true],
  ['reading what the socket gives it', false],
])('a connection %s', (_how, isOwn) => {
  beforeEach(() => {
    hasOwnBuffer = isOwn
  })

  describe('what is appended', () => {
    it('is written once for all requests that came together, before they are answered', async () => {
      const calls: string[] = []
      store = { hold: () => void calls.push('hold'), write: () => void calls.push('write') }
      const api = heartbeatApi(({ groupId }) => {
        calls.push(groupId)
        return { errorCode: 0 }
      })
      const { port } = await listen(table(api))
      const client = await open(port)
      client.socket.write(Buffer.concat([heartbeat(1, 'a'), heartbeat(2, 'b')]))
      await client.until(20)
      expect(calls.slice(0, 4)).toEqual(['hold', 'a', 'b', 'write'])
    })

    it('is not acknowledged when it cannot be written', async () => {
      const write = (): void => {
        throw new StorageError('the disk is full')
      }
      store = { hold: () => {}, write }
      const { port } = await listen(table(answering(0)))
      const client = await open(port)
      client.socket.write(heartbeat(1))
      await client.closed
      expect(client.received()).toHaveLength(0)
      expect(log).toEqual(['the disk is full'])
    })
  })

  describe('what cannot be read', () => {
    it.each([
      ['size 0', '00000000'],
      ['a negative size', 'ffffffff'],
      ['a size beyond socket.request.max.bytes', '06400001'],
      ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex')],
      ['a TLS hello', '1603010200010001fc0303'],
      ['a frame of 3 bytes', '00000003 000c00'],
      ['API key 999', '00000008 03e70000 00000001'],
      ['API key -1', '00000008 ffff0000 00000001'],
      ['a version beyond the range', '0000000a 000c0063 00000001 ffff'],
      ['a negative version', '0000000a 000cffff 00000001 ffff'],
      ['a client id length of -2', '0000000a 000c0000 00000001 fffe'],
      ['a client id beyond the frame', '0000000a 000c0000 00000001 7fff'],
      ['a body cut short', '0000000c 000c0000 00000001 ffff 0005'],
      ['a body without bytes', '0000000a 000c0000 00000001 ffff'],
    ])('closes without a byte: %s', async (_name, bytes) => {
      const { port } = await listen(table(answering(0)))
      const client = await open(port)
      client.socket.write(hex(bytes))
      await client.closed
      expect(client.received()).toHaveLength(0)
      expect(log).toHaveLength(1)
    })

    it('waits for the rest of a frame, byte by byte', async () => {
      const { port } = await listen(table(answering(27)))
      const client = await open(port)
      client.socket.setNoDelay(true)
      for (const byte of heartbeat(7)) {
        client.socket.write(Buffer.of(byte))
        await settled()
      }
      await client.until(10)
      expect(client.received()).toEqual(heartbeatAnswer(7, 27))
    })

    it('ignores bytes after a body', async () => {
      const { port } = await listen(table(answering(0)))
      const client = await open(port)
      const frame = Buffer.concat([heartbeat(1), Buffer.from('left over')])
      frame.writeInt32BE(frame.length - 4)
      client.socket.write(frame)
      await client.until(10)
      expect(client.received()).toEqual(heartbeatAnswer(1, 0))
    })
  })

  describe('ApiVersions', () => {
    const apiVersions: ServedApi = {
      api: apis.ApiVersions,
      handle: () => ({ errorCode: 0, apiKeys: [] }),
    }

    it('of a version that is not served gets error 35 in a v0 body and the connection stays', async () => {
      const { port } = await listen(table(apiVersions, answering(0)))
      const client = await open(port)
      client.socket.write(hex('0000000e 00120009 00000005 0001 61 00 ffff'))
      client.socket.write(heartbeat(6))
      await client.until(20 + 10)
      const expected = '00000010 00000005 0023 00000001 0012 0000 0004'
      expect(client.received().subarray(0, 20)).toEqual(hex(expected))
      expect(client.received().subarray(20)).toEqual(heartbeatAnswer(6, 0))
    })
  })

  describe('the order of answers', () => {
    it('keeps a later request waiting while one is parked, and answers in order', async () => {
      const parked = new Map<string, (answer: { errorCode: number }) => void>()
      const begun: string[] = []
      const api = heartbeatApi(({ groupId }) => {
        begun.push(groupId)
        if (groupId === 'now') return { errorCode: 0 }
        return new Promise((resolve) => parked.set(groupId, resolve))
      })
      const { port } = await listen(table(api))
      const client = await open(port)
      client.socket.write(
        Buffer.concat([
          heartbeat(1, 'a'),
          heartbeat(2, 'now'),
          heartbeat(3, 'b'),
          heartbeat(4, 'now'),
        ]),
      )
      while (!parked.has('a')) await settled()
      for (let i = 0; i < 20; i++) await settled()
      expect(begun).toEqual(['a'])
      expect(client.received()).toHaveLength(0)
      parked.get('a')?.({ errorCode: 11 })
      while (!parked.has('b')) await settled()
      await client.until(20)
      parked.get('b')?.({ errorCode: 12 })
      await client.until(40)
      const expected = [
        heartbeatAnswer(1, 11),
        heartbeatAnswer(2, 0),
        heartbeatAnswer(3, 12),
        heartbeatAnswer(4, 0),
      ]
      expect(client.received()).toEqual(Buffer.concat(expected))
    })

    it('answers 2,000 requests of one write in order', async () => {
      const { port } = await listen(table(answering(3)))
      const client = await open(port)
      const ids = Array.from({ length: 2_000 }, (_, i) => i)
      client.socket.write(Buffer.concat(ids.map((id) => heartbeat(id))))
      await client.until(20_000)
      expect(client.received()).toEqual(Buffer.concat(ids.map((id) => heartbeatAnswer(id, 3))))
    })

    it('does not stop another connection', async () => {
      const api = heartbeatApi(({ groupId }) =>
        groupId === 'never' ? new Promise(() => {}) : { errorCode: 0 },
      )
      const { port } = await listen(table(api))
      const [stuck, other] = [await open(port), await open(port)]
      stuck.socket.write(heartbeat(1, 'never'))
      other.socket.write(heartbeat(2))
      await other.until(10)
      expect(stuck.received()).toHaveLength(0)
    })

    it('sends nothing for null and goes on', async () => {
      const api = heartbeatApi(({ groupId }) => (groupId === 'mute' ? null : { errorCode: 0 }))
      const { port } = await listen(table(api))
      const client = await open(port)
      client.socket.write(Buffer.concat([heartbeat(1, 'mute'), heartbeat(2)]))
      await client.until(10)
      expect(client.received()).toEqual(heartbeatAnswer(2, 0))
    })
  })

  const fetch = (correlationId: number): Buffer =>
    Buffer.concat(
      encodeRequestFrame(
        apis.Fetch,
        4,
        { correlationId, clientId: null },
        {
          maxWaitMs: 0,
          minBytes: 0,
          isolationLevel: 0,
          topics: [],
          forgottenTopicsData: [],
        },
      ),
    )

  describe('limits', () => {
    const records = Buffer.alloc(4 * 2 ** 20, 1)
    const fetchApi = (onBegin: () => void): ServedApi => ({
      api: apis.Fetch,
      handle: () => {
        onBegin()
        const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 1, records }
        return {
          responses: [{ topic: 't', partitions: [{ ...partition, abortedTransactions: null }] }],
        }
      },
    })
    it('a client that does not read holds one answer, not all it has asked for', async () => {
      let begun = 0
      const { port, sockets } = await listen(table(fetchApi(() => begun++)))
      const client = await open(port)
      client.socket.pause()
      const count = 75
      client.socket.write(Buffer.concat(Array.from({ length: count }, (_, i) => fetch(i))))
      await until(() => begun > 0)
      for (let i = 0; i < 200; i++) await settled()
      // What the kernel takes of the first answers is gone from the process.
      expect(begun).toBeLessThan(10)
      expect(sockets[0]?.writableLength).toBeLessThan(2 * records.length)
      client.socket.resume()
      await client.until(count * records.length)
      expect(begun).toBe(count)
    })

    it('a client that floods a parked connection is not read on', async () => {
      const { port, sockets } = await listen(table(heartbeatApi(() => new Promise(() => {}))))
      const client = await open(port)
      const flood = Buffer.concat(Array.from({ length: 10_000 }, (_, i) => heartbeat(i)))
      for (let i = 0; i < 64; i++) client.socket.write(flood)
      while (!sockets[0]?.isPaused()) await settled()
      for (let i = 0; i < 200; i++) await settled()
      expect(sockets[0].bytesRead).toBeLessThan(2 ** 20)
    })

    it('closes an idle connection, but none with a parked request', async () => {
      const clock = new ManualClock()
      const parkedCalls: ((answer: { errorCode: number }) => void)[] = []
      const api = heartbeatApi(() => new Promise((resolve) => parkedCalls.push(resolve)))
      const { port, sockets } = await listen(
        table(api),
        { 'connections.max.idle.ms': '1000' },
        clock,
      )
      const [idle, parked] = [await open(port), await open(port)]
      parked.socket.write(heartbeat(1))
      while (sockets[1]?.bytesRead !== heartbeat(1).length) await settled()
      clock.advance(999)
      for (let i = 0; i < 20; i++) await settled()
      expect(sockets[0]?.destroyed).toBe(false)
      clock.advance(1)
      await idle.closed
      clock.advance(5_000)
      expect(sockets[1].destroyed).toBe(false)
      parkedCalls[0]?.({ errorCode: 0 })
      await parked.until(10)
      clock.advance(2_000)
      await parked.closed
    })
  })

  describe('handlers', () => {
    it.each([
      [
        'throws',
        () => {
          throw new Error('boom')
        },
      ],
      ['rejects', () => Promise.reject(new Error('boom'))],
      ['answers what cannot be encoded', () => ({ errorCode: 'boom' as unknown as number })],
    ])('that %s: logged, that connection closed, the others served', async (_name, handle) => {
      const api = heartbeatApi((request, ...rest) =>
        request.groupId === 'bad'
          ? (handle as Handler<unknown, { errorCode: number }>)(request, ...rest)
          : { errorCode: 0 },
      )
      const { port } = await listen(table(api))
      const [bad, good] = [await open(port), await open(port)]
      bad.socket.write(heartbeat(1, 'bad'))
      await bad.closed
      expect(bad.received()).toHaveLength(0)
      expect(log.join('\n')).toContain('boom')
      good.socket.write(heartbeat(2))
      await good.until(10)
    })

    it('may close the connection on purpose, which is not logged', async () => {
      const api = heartbeatApi(() => {
        throw new CloseConnection()
      })
      const { port } = await listen(table(api))
      const client = await open(port)
      client.socket.write(heartbeat(1))
      await client.closed
      expect(log).toEqual([])
    })

    it('are told version, client and the end of the connection', async () => {
      const calls: Call[] = []
      const api = heartbeatApi((_request, given) => {
        calls.push(given)
        return new Promise(() => {})
      })
      const { port } = await listen(table(api))
      const client = await open(port)
      client.socket.write(heartbeat(1, 'g', 3))
      await until(() => calls.length > 0)
      const [{ version, clientId, clientHost, closed }] = calls as [Call]
      expect({ version, clientId, clientHost }).toEqual({
        version: 3,
        clientId: 'c',
        clientHost: '/127.0.0.1',
      })
      expect(closed.aborted).toBe(false)
      client.socket.destroy()
      await new Promise((resolve) => closed.addEventListener('abort', resolve))
    })
  })
})

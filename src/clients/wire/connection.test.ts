import { createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { connectionTo } from '../../../test/support/client-options.ts'
import { type StubOptions, startStubBroker } from '../../../test/support/stub-broker.ts'
import { systemClock } from '../../clock.ts'
import { fetch } from '../../protocol/messages/fetch.ts'
import { metadata } from '../../protocol/messages/metadata.ts'
import { Connection } from './connection.ts'
import { connectionSettings } from './properties.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const open = async (address: string, requestTimeoutMs = 10_000): Promise<Connection> => {
  const settings = connectionSettings(connectionTo(address, { requestTimeoutMs }))
  const connection = await Connection.open(address, settings, systemClock)
  closing.push(() => connection.close())
  return connection
}

const stub = async (options: StubOptions = {}) => {
  const broker = await startStubBroker(options)
  closing.push(() => broker.close())
  return broker
}

const noTopics = {
  topics: [],
  allowAutoTopicCreation: false,
  includeTopicAuthorizedOperations: false,
}

/** Answers ApiVersions (version 0 of Metadata only), then hands each frame with its correlation id to `onFrame`. */
const rawServer = async (onFrame: (socket: Socket, correlationId: number) => void) => {
  const server = createServer((socket) => {
    closing.push(() => socket.destroy())
    socket.on('error', () => {})
    let isGreeted = false
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += 4 + chunk.readInt32BE(at)) {
        const correlationId = chunk.readInt32BE(at + 8)
        if (isGreeted) onFrame(socket, correlationId)
        else socket.write(greeting(correlationId))
        isGreeted = true
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

/** ApiVersions version 4: error 0, one API, no throttling. */
const greeting = (correlationId: number): Buffer => {
  const body = Buffer.from('00000000000002000300000000000000000000', 'hex')
  body.writeInt32BE(correlationId)
  return framed(body)
}

const framed = (body: Buffer): Buffer => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

/** Metadata version 0 without brokers and topics. */
const emptyMetadata = (correlationId: number): Buffer => {
  const body = Buffer.alloc(12)
  body.writeInt32BE(correlationId)
  return framed(body)
}

test('versions are the highest that both sides have, and a missing one is named', async () => {
  const broker = await stub()
  const connection = await open(broker.address)
  expect(connection.versionOf(metadata)).toBe(1)
  expect(connection.versionOf(metadata, 0)).toBe(0)
  expect(() => connection.versionOf(fetch)).toThrow('the broker has nothing of Fetch')
})

test('answers belong to requests in their order, and one that does not ends the connection', async () => {
  const ids: number[] = []
  const address = await rawServer((socket, id) => {
    ids.push(id)
    if (ids.length === 2) socket.write(Buffer.concat(ids.map(emptyMetadata)))
    if (ids.length === 4) socket.write(emptyMetadata(ids[3] as number))
  })
  const connection = await open(address)
  const first = await Promise.all([
    connection.request(metadata, noTopics),
    connection.request(metadata, noTopics),
  ])
  expect(first.map(({ brokers }) => brokers)).toEqual([[], []])
  const ended: unknown[] = []
  connection.onEnd((error) => ended.push(error.problem))
  const lost = await Promise.allSettled([
    connection.request(metadata, noTopics),
    connection.request(metadata, noTopics),
  ])
  expect(lost).toMatchObject([
    { status: 'rejected', reason: { problem: 'protocol' } },
    { status: 'rejected', reason: { problem: 'protocol' } },
  ])
  expect(ended).toEqual(['protocol'])
  await expect(connection.request(metadata, noTopics)).rejects.toMatchObject({
    problem: 'protocol',
  })
})

test('an answer that nobody asked for ends the connection', async () => {
  const address = await rawServer((socket, id) =>
    socket.write(Buffer.concat([emptyMetadata(id), emptyMetadata(id)])),
  )
  const connection = await open(address)
  await connection.request(metadata, noTopics)
  expect(connection.isOpen).toBe(false)
})

test('a body that does not decode loses its request with the connection', async () => {
  const address = await rawServer((socket, id) => {
    const answer = emptyMetadata(id)
    answer.writeInt32BE(1_000_000, 8)
    socket.write(answer)
  })
  const connection = await open(address)
  await expect(connection.request(metadata, noTopics)).rejects.toThrow('Metadata v0 response')
  expect(connection.isOpen).toBe(false)
})

test('a frame without end is refused before memory is taken for it', async () => {
  const address = await rawServer((socket) => socket.write(Buffer.from('7fffffff', 'hex')))
  const connection = await open(address)
  await expect(connection.request(metadata, noTopics)).rejects.toThrow('frame of 2147483647 bytes')
})

test('an answer that is overdue ends the connection; a longer limit is the request’s own', async () => {
  const address = await rawServer(() => {})
  const connection = await open(address, 50)
  const patient = connection.request(metadata, noTopics, { timeoutMs: 60_000 })
  const impatient = connection.request(metadata, noTopics)
  await expect(impatient).rejects.toMatchObject({ problem: 'timeout' })
  await expect(patient).rejects.toMatchObject({ problem: 'timeout' })
})

test('a large answer in many pieces comes out whole', async () => {
  const topic = 'a'.repeat(300)
  const broker = await stub({ topic, partitions: 20_000 })
  const connection = await open(broker.address)
  const { topics } = await connection.request(metadata, { ...noTopics, topics: null })
  expect(topics[0]?.name).toBe(topic)
  expect(topics[0]?.partitions.length).toBe(20_000)
})

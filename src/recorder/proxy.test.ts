import { connect as connectTo, createServer, type Socket } from 'node:net'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, expect, test } from 'vitest'
import { createBroker } from '../broker/broker.ts'
import { parseSettings } from '../broker/settings.ts'
import { systemClock } from '../clock.ts'
import { encodeAssignment } from '../protocol/consumer-protocol.ts'
import { FrameSplitter } from '../protocol/framing.ts'
import { encodeRequestFrame, encodeResponseFrame } from '../protocol/header.ts'
import { apis } from '../protocol/messages/index.ts'
import type { Exchange, Finding } from './exchange.ts'
import { Observer } from './findings.ts'
import {
  type FrameSeen,
  type Proxy,
  type ProxyOptions,
  type RecordSink,
  startProxy,
} from './proxy.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const collectingSink = () => {
  const exchanges: Exchange[] = []
  const frames: FrameSeen[] = []
  const notes: Finding[] = []
  const sink: RecordSink = {
    onBegin() {},
    onOpen() {},
    onClose() {},
    onFrame: (seen) => void frames.push({ ...seen, frame: Buffer.from(seen.frame) }),
    onExchange: (exchange) => void exchanges.push(exchange),
    onNote: (_connection, _atUs, finding) => void notes.push(finding),
  }
  return { sink, exchanges, frames, notes }
}

const record = async (port: number, faultOf: ProxyOptions['faultOf'] = () => null) => {
  const collected = collectingSink()
  const proxy: Proxy = await startProxy({
    upstream: { host: '127.0.0.1', port },
    listen: { host: '127.0.0.1', port: 0 },
    clock: systemClock,
    sink: collected.sink,
    observer: new Observer(),
    faultOf,
  })
  closing.push(() => proxy.close())
  return { ...collected, port: proxy.listening.port }
}

const startBroker = async (): Promise<number> => {
  const broker = createBroker({
    host: '127.0.0.1',
    port: 0,
    dataDir: { store: 'memory', folder: null },
    settings: parseSettings({ 'group.initial.rebalance.delay.ms': '0' }),
    clock: systemClock,
    log: () => {},
  })
  closing.push(() => broker.close())
  return (await broker.listen()).port
}

const clientOf = (port: number): Kafka =>
  new Kafka({ brokers: [`127.0.0.1:${port}`], clientId: 'probe', logLevel: logLevel.NOTHING })

test('a client works through it, stays on it, and its exchanges are decoded', async () => {
  const { port, exchanges, notes } = await record(await startBroker())
  const kafka = clientOf(port)
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 't', numPartitions: 3 }], waitForLeaders: true })
  const producer = kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: 30 }, (_, n) => ({ value: `v${n}`, partition: n % 3 }))
  await producer.send({ topic: 't', messages })
  const consumer = kafka.consumer({ groupId: 'g' })
  await consumer.connect()
  await consumer.subscribe({ topic: 't', fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        values.push(String(message.value))
        if (values.length === 30) resolve()
      },
    })
  })
  await consumer.disconnect()
  await producer.disconnect()
  const { brokers } = await admin.describeCluster()
  await admin.disconnect()

  expect(values.toSorted()).toEqual(messages.map(({ value }) => value).toSorted())
  expect(brokers).toMatchObject([{ host: '127.0.0.1', port }])
  expect(notes).toEqual([])
  expect(exchanges.flatMap(({ findings }) => findings)).toEqual([])
  const seen = new Set(exchanges.map(({ api }) => api))
  for (const api of ['Metadata', 'Produce', 'Fetch', 'JoinGroup', 'SyncGroup', 'OffsetCommit']) {
    expect(seen).toContain(api)
  }
  const produced = exchanges.find(({ api }) => api === 'Produce')
  expect(JSON.stringify(produced?.request)).toContain('"records":10')
  expect(JSON.stringify(exchanges)).not.toContain('v17')
  const synced = exchanges.find(({ api }) => api === 'SyncGroup')
  expect(synced?.response).toMatchObject({
    assignment: { assignedPartitions: [{ topic: 't', partitions: [0, 1, 2] }] },
  })
})

/** Each part by itself, so that it is read by itself. */
const writeApart = async (socket: Socket, parts: readonly Buffer[]): Promise<void> => {
  for (const part of parts) {
    socket.write(part)
    if (parts.length > 1) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A broker that answers each frame by `answer`; null for none. */
const startAnswering = async (
  answer: (frame: Buffer) => Buffer[] | null,
  maxFrameBytes = 1_000_000,
): Promise<number> => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const splitter = new FrameSplitter(maxFrameBytes)
    socket.on('error', () => {})
    socket.setNoDelay()
    socket.on('data', (chunk) => {
      for (const frame of splitter.push(chunk)) void writeApart(socket, answer(frame) ?? [])
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(resolve)
      }),
  )
  return (server.address() as { port: number }).port
}

/** Sends bytes and gives the first `count` frames that come back, each without its size. */
const ask = async (port: number, bytes: readonly Buffer[], count = 1): Promise<Buffer[]> => {
  const socket = connectTo({ port, host: '127.0.0.1' })
  const splitter = new FrameSplitter(1_000_000)
  const frames: Buffer[] = []
  socket.write(Buffer.concat(bytes))
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.on('data', (chunk) => {
      frames.push(...splitter.push(chunk))
      if (frames.length >= count) resolve()
    })
  })
  socket.destroy()
  return frames
}

const withSize = (body: Buffer): Buffer => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

const header = { correlationId: 7, clientId: 'probe' }

test('frames without addresses pass byte by byte, however they are cut', async () => {
  const body = Buffer.from('00000007' + '0000000000000001ff', 'hex')
  const upstream = await startAnswering(() => {
    const bytes = withSize(body)
    return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))
  })
  const { port, exchanges, frames } = await record(upstream)
  const request = Buffer.concat(
    encodeRequestFrame(apis.Heartbeat, 0, header, {
      groupId: 'g',
      generationId: 1,
      memberId: 'm',
    }),
  )
  expect(await ask(port, [request])).toEqual([body])
  expect(frames.map(({ frame }) => frame)).toEqual([request.subarray(4), body])
  expect(exchanges[0]?.findings).toMatchObject([
    {
      level: 'broken',
      message: 'Heartbeat v0 response',
      text: expect.stringContaining('left over'),
    },
  ])
})

test('a client that reads late gets every byte, though buffers are used again', async () => {
  const count = 800
  // Smaller than what a socket takes before it asks its writer to wait.
  const answers = Array.from({ length: count }, (_, n) => {
    const body = Buffer.alloc(15_000, n % 251)
    body.writeInt32BE(n)
    return body
  })
  const upstream = await startAnswering((frame) => [
    withSize(answers[frame.readInt32BE(4)] ?? Buffer.alloc(4)),
  ])
  const { port, exchanges } = await record(upstream)
  const socket = connectTo({ port, host: '127.0.0.1' })
  const splitter = new FrameSplitter(1_000_000)
  const frames: Buffer[] = []
  socket.on('data', (chunk) => {
    for (const frame of splitter.push(chunk)) frames.push(Buffer.from(frame))
  })
  socket.pause()
  for (let n = 0; n < count; n++) {
    socket.write(withSize(Buffer.from(`00470003${n.toString(16).padStart(8, '0')}000161`, 'hex')))
    // One by one, until the sockets between are full.
    for (let turn = 0; turn < 200 && exchanges.length <= n; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  socket.resume()
  await expect.poll(() => frames.length, { timeout: 10_000 }).toBe(count)
  socket.destroy()
  for (const [n, frame] of frames.entries()) expect(frame.equals(answers[n] ?? frame)).toBe(true)
})

test('only the addresses change, also in bytes that our encoder writes otherwise', async () => {
  const address = { host: 'broker.example', port: 9092 }
  const answer = Buffer.concat(
    encodeResponseFrame(apis.Metadata, 9, 7, {
      errorCode: 0,
      brokers: [{ nodeId: 1, ...address }],
      clusterId: 'c',
      controllerId: 1,
      topics: [],
    }),
  ).subarray(4)
  // An unknown tagged field (tag 5, one byte) at the end of the message.
  const tagged = Buffer.concat([answer.subarray(0, -1), Buffer.from('01050161', 'hex')])
  const whole = (bytes: Buffer): Buffer[] => [bytes]
  const inBytes = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.of(byte))
  for (const [given, cut] of [
    [answer, whole],
    [answer, inBytes],
    [tagged, whole],
  ] as const) {
    const { port } = await record(await startAnswering(() => cut(withSize(given))))
    const request = encodeRequestFrame(apis.Metadata, 9, header, {
      topics: null,
      includeTopicAuthorizedOperations: false,
    })
    const [got = Buffer.alloc(0)] = await ask(port, request)
    const at = given.indexOf('broker.example')
    expect(got.subarray(0, at - 1)).toEqual(given.subarray(0, at - 1))
    expect(got.toString('latin1', at, at + 9)).toBe('127.0.0.1')
    expect(got.readInt32BE(at + 9)).not.toBe(9092)
    expect(got.subarray(at + 13)).toEqual(given.subarray(at + 'broker.example'.length + 4))
  }
})

test('coordinators are rewritten in both forms of FindCoordinator', async () => {
  const coordinator = { nodeId: 1, host: 'far.example', port: 9093 }
  for (const version of [2, 4]) {
    const response =
      version < 4
        ? coordinator
        : { coordinators: [{ ...coordinator, key: 'g', errorCode: 0, errorMessage: null }] }
    const upstream = await startAnswering(() =>
      encodeResponseFrame(apis.FindCoordinator, version, 7, response),
    )
    const { port, exchanges } = await record(upstream)
    const asked = version < 4 ? { key: 'g' } : { coordinatorKeys: ['g'] }
    const [got] = await ask(
      port,
      encodeRequestFrame(apis.FindCoordinator, version, header, asked as never),
    )
    expect(got?.includes('far.example')).toBe(false)
    expect(got?.includes('127.0.0.1')).toBe(true)
    // The recording tells what the broker said.
    expect(JSON.stringify(exchanges[0]?.response)).toContain('far.example')
  }
})

test('an API that is not known passes, and is kept as bytes with its key and version', async () => {
  const upstream = await startAnswering(() => [withSize(Buffer.from('00000007abcd', 'hex'))])
  const { port, exchanges } = await record(upstream)
  const [got] = await ask(port, [
    withSize(Buffer.from('0047000300000007' + '0001' + '61' + 'beef', 'hex')),
  ])
  expect(got?.toString('hex')).toBe('00000007abcd')
  expect(exchanges).toMatchObject([
    {
      api: 'api 71',
      version: 3,
      clientId: 'a',
      request: { opaque: 'beef', sizeBytes: 2 },
      response: { opaque: 'abcd', sizeBytes: 2 },
      findings: [],
    },
  ])
})

test('a password is not kept', async () => {
  const upstream = await startAnswering(() => [withSize(Buffer.from('00000007abcd', 'hex'))])
  const { port, exchanges } = await record(upstream)
  await ask(port, [withSize(Buffer.from('0024000100000007' + '0001' + '61' + 'beef', 'hex'))])
  expect(exchanges[0]?.request).toEqual({ opaque: '', sizeBytes: 2 })
  expect(exchanges[0]?.response).toEqual({ opaque: '', sizeBytes: 2 })
})

test('what is no Kafka frame passes unread', async () => {
  const upstream = await startAnswering(() => null, 2 ** 31)
  const { port, notes } = await record(upstream)
  const socket = connectTo({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.write(Buffer.from('160301020001000000', 'hex'))
  await expect.poll(() => notes.length).toBe(1)
  socket.destroy()
  expect(notes[0]?.text).toContain('TLS')
})

test('a port that is taken and a broker that is not there are told', async () => {
  const upstream = await startAnswering(() => null)
  const start = (from: number, to: number) =>
    startProxy({
      upstream: { host: '127.0.0.1', port: from },
      listen: { host: '127.0.0.1', port: to },
      clock: systemClock,
      sink: collectingSink().sink,
      observer: new Observer(),
    })
  await expect(start(upstream, upstream)).rejects.toThrow('the port is taken')
  await expect(start(1, 0)).rejects.toThrow("--upstream '127.0.0.1:1': cannot be reached")
})

test('a sink that cannot begin ends the proxy, and begins only where a recording can', async () => {
  const upstream = await startAnswering(() => null)
  const { sink } = collectingSink()
  let begun = 0
  const onBegin = (): void => {
    begun++
    throw new Error('disk full')
  }
  const start = (from: number, to: number) =>
    startProxy({
      upstream: { host: '127.0.0.1', port: from },
      listen: { host: '127.0.0.1', port: to },
      clock: systemClock,
      sink: { ...sink, onBegin },
      observer: new Observer(),
    })
  await expect(start(upstream, upstream)).rejects.toThrow('the port is taken')
  await expect(start(1, 0)).rejects.toThrow('cannot be reached')
  expect(begun).toBe(0)
  await expect(start(upstream, 0)).rejects.toThrow('disk full')
  expect(begun).toBe(1)
})

/** The faults of brokers that clients have met, as the bytes say them. */
const joinFive = (): Buffer => {
  const members = [{ memberId: 'm', metadata: Buffer.from('00010000', 'hex') }]
  const response = {
    errorCode: 0,
    generationId: 1,
    protocolName: 'range',
    leader: 'm',
    memberId: 'm',
  }
  const short = encodeResponseFrame(apis.JoinGroup, 4, 7, { ...response, members })
  return Buffer.concat(short)
}
const join = { groupId: 'g', sessionTimeoutMs: 10_000, protocolType: 'consumer', protocols: [] }

test('a JoinGroup v5 answer without instance ids is named', async () => {
  const { port, exchanges } = await record(await startAnswering(() => [joinFive()]))
  await ask(port, encodeRequestFrame(apis.JoinGroup, 5, header, { ...join, memberId: '' }))
  const [finding] = exchanges[0]?.findings ?? []
  expect(finding).toMatchObject({ level: 'broken', message: 'JoinGroup v5 response' })
  expect(finding?.field).toMatch(/^members\[0\]/)
  expect(finding?.offset).toBeGreaterThan(0)
  expect(finding?.text).toContain(
    'the bytes are those of version 4, without members[].groupInstanceId',
  )
})

test.each([
  [1, '', 'the end of the message: 1 byte missing'],
  [4, 'topics[0].partitions', 'bytes are missing'],
  [9, 'topics', 'missing'],
])('an OffsetCommit v8 answer that is %i bytes short is named', async (cut, field, text) => {
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0 }] }]
  const whole = Buffer.concat(encodeResponseFrame(apis.OffsetCommit, 8, 7, { topics })).subarray(4)
  const upstream = await startAnswering(() => [withSize(whole.subarray(0, -cut))])
  const { port, exchanges } = await record(upstream)
  const asked = { groupId: 'g', memberId: 'm', topics: [] }
  await ask(port, encodeRequestFrame(apis.OffsetCommit, 8, header, asked))
  const [finding] = exchanges[0]?.findings ?? []
  expect(finding).toMatchObject({ level: 'broken', message: 'OffsetCommit v8 response' })
  expect(finding?.field.slice(0, field.length)).toBe(field)
  expect(finding?.offset).toBeGreaterThan(4)
  expect(finding?.text).toContain(text)
})

test('an OffsetFetch v8 answer of one partition of three is named', async () => {
  const partition = { committedOffset: 5, metadata: null, errorCode: 0 }
  const partitions = [{ partitionIndex: 0, ...partition }]
  const groups = [{ groupId: 'g', topics: [{ name: 't', partitions }] }]
  const { port, exchanges } = await record(
    await startAnswering(() => encodeResponseFrame(apis.OffsetFetch, 8, 7, { groups })),
  )
  const asked = { groups: [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0, 1, 2] }] }] }
  await ask(
    port,
    encodeRequestFrame(apis.OffsetFetch, 8, header, { ...asked, requireStable: true }),
  )
  expect(exchanges[0]?.findings).toMatchObject([
    {
      level: 'suspicious',
      code: 'offsets-missing',
      message: 'OffsetFetch v8 response',
      field: 'groups[0].topics[0].partitions',
      text: expect.stringContaining("partitions 1, 2 of topic 't'"),
    },
  ])
})

test('a SyncGroup success with an empty assignment is named, with what the leader gave', async () => {
  const { port, exchanges } = await record(
    await startAnswering(() =>
      encodeResponseFrame(apis.SyncGroup, 3, 7, { errorCode: 0, assignment: Buffer.alloc(0) }),
    ),
  )
  const assignment = encodeAssignment(1, { assignedPartitions: [{ topic: 't', partitions: [0] }] })
  await ask(
    port,
    encodeRequestFrame(apis.SyncGroup, 3, header, {
      groupId: 'g',
      generationId: 1,
      memberId: 'm',
      assignments: [{ memberId: 'm', assignment }],
    }),
  )
  expect(exchanges[0]?.findings).toMatchObject([
    {
      code: 'empty-assignment',
      message: 'SyncGroup v3 response',
      field: 'assignment',
      text: expect.stringContaining(`gave this member ${assignment.length} bytes`),
    },
  ])
})

test('an answer that is to be lost takes its connection with it, and the next one arrives', async () => {
  let lost = 0
  const { port, exchanges } = await record(await startBroker(), ({ api }) =>
    api === 'FindCoordinator' && lost === 0
      ? () => {
          lost += 1
          return Promise.resolve('drop')
        }
      : null,
  )
  const admin = clientOf(port).admin()
  await admin.connect()
  await expect(admin.fetchOffsets({ groupId: 'g' })).rejects.toThrow()
  await admin.fetchOffsets({ groupId: 'g' })
  await admin.disconnect()
  const asked = exchanges.filter(({ api }) => api === 'FindCoordinator')
  expect(asked.map(({ response }) => response === null)).toEqual([true, false])
})

test('an answer that is held arrives when it is let go, and those behind it after it', async () => {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let isHeld = false
  const { port, exchanges } = await record(await startBroker(), ({ api }) =>
    api === 'CreateTopics'
      ? () => {
          isHeld = true
          return released.then(() => 'pass')
        }
      : null,
  )
  const admin = clientOf(port).admin()
  await admin.connect()
  const creating = admin.createTopics({ topics: [{ topic: 't' }], waitForLeaders: false })
  await expect.poll(() => isHeld).toBe(true)
  expect(exchanges.some(({ api }) => api === 'CreateTopics')).toBe(false)
  release()
  await creating
  await admin.disconnect()
  expect(exchanges.find(({ api }) => api === 'CreateTopics')?.response).not.toBeNull()
})

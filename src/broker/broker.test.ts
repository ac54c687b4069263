import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ConfigResourceTypes, type Consumer, Kafka, logLevel } from 'kafkajs'
import { afterEach, describe, expect, it } from 'vitest'
import { batchOf } from '../../test/support/batches.ts'
import { systemClock } from '../clock.ts'
import { SurroundingsError } from '../errors.ts'
import { type Api, decodeResponse } from '../protocol/api.ts'
import { FrameSplitter } from '../protocol/framing.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../protocol/header.ts'
import { type ApiName, apis, type RequestOf } from '../protocol/messages/index.ts'
import { type Decoded, zeroUuid } from '../protocol/schema.ts'
import { type Broker, createBroker } from './broker.ts'
import { type DataDir, parseDataDir } from './data-dir.ts'
import { kafkaParts } from './parts.ts'
import { parseSettings } from './settings.ts'

const cleanups: (() => Promise<unknown> | void)[] = []
const log: string[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  log.length = 0
})

const makeFolder = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'broker-test-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const start = async (
  given: Record<string, string> = {},
  dataDir: DataDir = parseDataDir('memory'),
  parts = kafkaParts,
): Promise<{ broker: Broker; port: number }> => {
  const broker = createBroker({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    settings: parseSettings({ 'group.initial.rebalance.delay.ms': '20', ...given }),
    clock: systemClock,
    log: (line) => log.push(line),
    parts,
  })
  let isClosed = false
  const close = broker.close.bind(broker)
  broker.close = async () => {
    if (!isClosed) await close()
    isClosed = true
  }
  cleanups.push(() => broker.close())
  const { port } = await broker.listen()
  return { broker, port }
}

/** A connection that speaks our own codec: one request, one decoded answer. */
const dial = async (port: number) => {
  const socket = connect(port, '127.0.0.1')
  cleanups.push(() => void socket.destroy())
  const splitter = new FrameSplitter(2 ** 30)
  const frames: Buffer[] = []
  const waiting: ((frame: Buffer) => void)[] = []
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    frames.push(...splitter.push(chunk).map((frame) => Buffer.from(frame)))
    while (frames.length > 0 && waiting.length > 0) waiting.shift()?.(frames.shift() ?? chunk)
  })
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  await new Promise<void>((resolve) => socket.on('connect', resolve))
  let correlationId = 0
  const ask = async <N extends ApiName>(
    name: N,
    version: number,
    request: Partial<RequestOf<N>>,
  ) => {
    const own = ++correlationId
    const api: Api = apis[name]
    const header = { correlationId: own, clientId: 'test' }
    socket.write(Buffer.concat(encodeRequestFrame(api, version, header, request as never)))
    const frame = await new Promise<Buffer>((resolve) => waiting.push(resolve))
    const answer = decodeResponseHeader(api, version, frame)
    expect(answer.correlationId).toBe(own)
    return decodeResponse(api, version, frame, answer.bodyOffset) as Decoded<
      (typeof apis)[N]['response']
    >
  }
  return { socket, closed, ask }
}

const names = (topics: readonly { name: string | null }[]) => topics.map(({ name }) => name)
const codes = (rows: readonly { errorCode: number }[]) => rows.map((row) => row.errorCode)
const wish = (name: string | null, topicId = zeroUuid) => ({ name, topicId })
const newTopic = (name: string, change: object = {}) => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...change,
})

describe('Produce that comes again and again', () => {
  const requestOf = (records: Buffer) => ({
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
  })

  it('is answered in its turn, whatever comes between', async () => {
    const { broker, port } = await start()
    broker.context.topics.create('t', 1)
    const { ask } = await dial(port)
    const bad = batchOf(3).fill(1, 70, 71)
    const batches = [batchOf(1), batchOf(2), batchOf(3), bad, batchOf(4), batchOf(5)]
    const answers = await Promise.all(
      batches.flatMap((batch) => [ask('Produce', 8, requestOf(batch)), ask('ApiVersions', 0, {})]),
    )
    const partitions = answers.flatMap((answer) =>
      'responses' in answer ? answer.responses.flatMap((one) => one.partitionResponses) : [],
    )
    expect(codes(partitions)).toEqual([0, 0, 0, 2, 0, 0])
    expect(partitions.map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 3, -1, 6, 10])
  })

  it('is put to whatever answers Produce in place of Kafka’s part', async () => {
    let count = 0
    const handlers = {
      ...kafkaParts.handlers,
      Produce: (...given: Parameters<typeof kafkaParts.handlers.Produce>) => {
        count++
        return kafkaParts.handlers.Produce(...given)
      },
    }
    const { broker, port } = await start({}, parseDataDir('memory'), { ...kafkaParts, handlers })
    broker.context.topics.create('t', 1)
    const { ask } = await dial(port)
    for (let i = 0; i < 6; i++) await ask('Produce', 8, requestOf(batchOf(1)))
    expect(count).toBe(6)
  })
})

describe('ApiVersions', () => {
  it('tells what the table serves, in all versions', async () => {
    const { port } = await start()
    const { ask } = await dial(port)
    for (const version of [0, 1, 2, 3, 4]) {
      const request = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }
      const { errorCode, apiKeys } = await ask('ApiVersions', version, request)
      expect(errorCode).toBe(0)
      const keys = apiKeys.map(({ apiKey }) => apiKey)
      const issued =
        '0 1 2 3 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 32 37 42 43 44 45 46 47 60'
      expect(keys).toEqual(issued.split(' ').map(Number))
      expect(apiKeys[0]).toMatchObject({ minVersion: 0, maxVersion: 12 })
      expect(apiKeys.find(({ apiKey }) => apiKey === 11)).toMatchObject({
        minVersion: 0,
        maxVersion: 9,
      })
    }
  })

  it('refuses an empty or malformed software name with 42 and goes on', async () => {
    const { port } = await start()
    const { ask } = await dial(port)
    for (const name of ['', '-x', 'a b']) {
      const request = { clientSoftwareName: name, clientSoftwareVersion: '1' }
      expect((await ask('ApiVersions', 3, request)).errorCode).toBe(42)
    }
    expect((await ask('ApiVersions', 0, {})).errorCode).toBe(0)
  })

  it('tells a version range that other parts cap', async () => {
    const messages = { ...kafkaParts.messages, JoinGroup: { ...apis.JoinGroup, maxVersion: 4 } }
    const broker = createBroker({
      host: '127.0.0.1',
      port: 0,
      dataDir: parseDataDir('memory'),
      settings: parseSettings(),
      clock: systemClock,
      log: (line) => log.push(line),
      parts: { ...kafkaParts, messages },
    })
    cleanups.push(() => broker.close())
    const { ask, socket, closed } = await dial((await broker.listen()).port)
    const { apiKeys } = await ask('ApiVersions', 0, {})
    expect(apiKeys.find(({ apiKey }) => apiKey === 11)?.maxVersion).toBe(4)
    socket.write(Buffer.from('0000000a000b000500000001ffff', 'hex'))
    await closed
  })

  it('SaslHandshake is ILLEGAL_SASL_STATE, as on a plaintext listener', async () => {
    const { port } = await start()
    const { ask } = await dial(port)
    const answer = await ask('SaslHandshake', 1, { mechanism: 'PLAIN' })
    expect(answer).toEqual({ errorCode: 34, mechanisms: [] })
  })
})

describe('Metadata', () => {
  it('lists all for no topics in v0 and for null later, none for an empty list', async () => {
    const { port, broker } = await start()
    broker.context.topics.create('a', 2)
    broker.context.topics.create('b', 1)
    const { ask } = await dial(port)
    expect(names((await ask('Metadata', 0, { topics: [] })).topics)).toEqual(['a', 'b'])
    for (const version of [1, 4, 8, 9, 13]) {
      const all = await ask('Metadata', version, { topics: null })
      expect(names(all.topics)).toEqual(['a', 'b'])
      expect((await ask('Metadata', version, { topics: [] })).topics).toEqual([])
    }
  })

  it('describes one node that leads every partition, at an address that is not a name', async () => {
    const { port, broker } = await start()
    const { id } = broker.context.topics.create('a', 2)
    const { ask } = await dial(port)
    const answer = await ask('Metadata', 12, {
      topics: [wish('a')],
      includeTopicAuthorizedOperations: true,
    })
    expect(answer.brokers).toEqual([{ nodeId: 1, host: '127.0.0.1', port, rack: null }])
    expect(answer.controllerId).toBe(1)
    expect(answer.clusterId).toMatch(/^[\w-]{22}$/)
    const partition = {
      errorCode: 0,
      leaderId: 1,
      leaderEpoch: 0,
      replicaNodes: [1],
      isrNodes: [1],
    }
    expect(answer.topics[0]).toEqual({
      errorCode: 0,
      name: 'a',
      topicId: id,
      isInternal: false,
      topicAuthorizedOperations: 3_576,
      partitions: [0, 1].map((partitionIndex) => ({
        ...partition,
        partitionIndex,
        offlineReplicas: [],
      })),
    })
  })

  it('makes an unknown topic where request and setting allow it', async () => {
    const { port } = await start({ 'num.partitions': '3' })
    const { ask } = await dial(port)
    const ask4 = async (name: string, allowAutoTopicCreation: boolean) =>
      (await ask('Metadata', 4, { topics: [wish(name)], allowAutoTopicCreation })).topics[0]
    expect(await ask4('new', false)).toMatchObject({ errorCode: 3, name: 'new', partitions: [] })
    const made = await ask4('new', true)
    expect(made?.errorCode).toBe(0)
    expect(made?.partitions).toHaveLength(3)
    expect((await ask('Metadata', 1, { topics: [wish('older')] })).topics[0]?.errorCode).toBe(0)
    for (const bad of ['', '.', '..', 'a b', 'x'.repeat(250)]) {
      expect((await ask4(bad, true))?.errorCode).toBe(17)
    }
  })

  it('makes none when auto.create.topics.enable is false', async () => {
    const { port } = await start({ 'auto.create.topics.enable': 'false' })
    const { ask } = await dial(port)
    expect(codes((await ask('Metadata', 1, { topics: [wish('a')] })).topics)).toEqual([3])
  })

  it('finds topics by id from v12 on', async () => {
    const { port, broker } = await start()
    const { id } = broker.context.topics.create('a', 1)
    const { ask } = await dial(port)
    const unknown = 'BBBBBBBBBBBBBBBBBBBBBA'
    const { topics } = await ask('Metadata', 12, { topics: [wish(null, id), wish(null, unknown)] })
    expect(topics[0]).toMatchObject({ errorCode: 0, name: 'a', topicId: id })
    expect(topics[1]).toMatchObject({ errorCode: 100, name: null, topicId: unknown })
    expect(codes((await ask('Metadata', 10, { topics: [wish('a', id)] })).topics)).toEqual([42])
  })

  it('DescribeCluster tells the same node', async () => {
    const { port, broker } = await start()
    const { ask } = await dial(port)
    for (const version of [0, 1, 2]) {
      const answer = await ask('DescribeCluster', version, {
        includeClusterAuthorizedOperations: false,
        endpointType: 1,
        includeFencedBrokers: false,
      })
      expect(answer).toMatchObject({
        errorCode: 0,
        clusterId: broker.context.clusterId(),
        controllerId: 1,
      })
      expect(answer.brokers).toMatchObject([{ brokerId: 1, host: '127.0.0.1', port }])
    }
    const controllers = { includeClusterAuthorizedOperations: false, endpointType: 2 }
    expect((await ask('DescribeCluster', 1, controllers)).errorCode).toBe(114)
  })
})

describe('topics', () => {
  it.each([
    ['exists', newTopic('taken'), 36],
    ['no partitions', newTopic('t', { numPartitions: 0 }), 37],
    ['negative partitions', newTopic('t', { numPartitions: -2 }), 37],
    ['a replica too many', newTopic('t', { replicationFactor: 2 }), 38],
    ['no replica', newTopic('t', { replicationFactor: 0 }), 38],
    ['a bad name', newTopic('a/b'), 17],
    ['an empty name', newTopic(''), 17],
    ['a name that collides', newTopic('col.lide'), 17],
    ['an unknown config', newTopic('t', { configs: [{ name: 'nope', value: '1' }] }), 40],
    ['a bad config', newTopic('t', { configs: [{ name: 'retention.ms', value: 'x' }] }), 40],
    ['compaction', newTopic('t', { configs: [{ name: 'cleanup.policy', value: 'compact' }] }), 40],
    [
      'counts and assignments',
      newTopic('t', { assignments: [{ partitionIndex: 0, brokerIds: [1] }] }),
      42,
    ],
    [
      'another broker',
      newTopic('t', {
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [{ partitionIndex: 0, brokerIds: [2] }],
      }),
      39,
    ],
  ])('CreateTopics refuses: %s', async (_name, topic, code) => {
    const { port, broker } = await start()
    broker.context.topics.create('taken', 1)
    broker.context.topics.create('col_lide', 1)
    const { ask } = await dial(port)
    for (const version of [2, 7]) {
      const { topics } = await ask('CreateTopics', version, { topics: [topic] })
      expect(topics).toMatchObject([{ name: topic.name, errorCode: code }])
      expect(topics[0]?.errorMessage).not.toBe('')
    }
    expect(broker.context.topics.list()).toHaveLength(2)
  })

  it('CreateTopics makes, validates, takes defaults, and refuses a name that comes twice', async () => {
    const { port, broker } = await start({ 'num.partitions': '4' })
    const { ask } = await dial(port)
    const request = { topics: [newTopic('a', { numPartitions: -1, replicationFactor: -1 })] }
    const tried = await ask('CreateTopics', 7, { ...request, validateOnly: true })
    expect(tried.topics).toMatchObject([{ errorCode: 0, numPartitions: 4, topicId: zeroUuid }])
    expect(broker.context.topics.list()).toEqual([])
    const [made] = (await ask('CreateTopics', 7, request)).topics
    expect(made).toMatchObject({ errorCode: 0, numPartitions: 4, replicationFactor: 1 })
    expect(made?.configs?.map(({ name }) => name)).toContain('retention.ms')
    const { topics } = await ask('Metadata', 12, { topics: [wish('a')] })
    expect(topics).toMatchObject([{ errorCode: 0, topicId: made?.topicId }])
    const twice = await ask('CreateTopics', 2, { topics: [newTopic('b'), newTopic('b')] })
    expect(codes(twice.topics)).toEqual([42])
  })

  it('DeleteTopics takes names and ids, and a topic made again is another one', async () => {
    const { port, broker } = await start()
    const { id } = broker.context.topics.create('a', 1)
    broker.context.topics.create('b', 1)
    const { ask } = await dial(port)
    const byName = await ask('DeleteTopics', 5, { topicNames: ['a', 'none'], timeoutMs: 1_000 })
    expect(codes(byName.responses)).toEqual([0, 3])
    const again = broker.context.topics.create('a', 1)
    expect(again.id).not.toBe(id)
    const byId = await ask('DeleteTopics', 6, {
      topics: [wish(null, again.id), wish(null, id), wish('b', again.id), wish(null), wish('b')],
      timeoutMs: 1_000,
    })
    expect(codes(byId.responses)).toEqual([0, 100, 42, 42, 0])
    expect(byId.responses[0]?.name).toBe('a')
    expect(broker.context.topics.list()).toEqual([])
  })

  it('CreatePartitions only adds', async () => {
    const { port, broker } = await start()
    broker.context.topics.create('a', 2)
    const { ask } = await dial(port)
    const add = async (name: string, count: number, validateOnly = false) => {
      const topics = [{ name, count, assignments: null }]
      return codes(
        (await ask('CreatePartitions', 3, { topics, timeoutMs: 1, validateOnly })).results,
      )
    }
    expect(await add('a', 1)).toEqual([37])
    expect(await add('a', 2)).toEqual([37])
    expect(await add('none', 2)).toEqual([3])
    expect(await add('a', 5, true)).toEqual([0])
    expect(broker.context.topics.get('a')?.partitionCount).toBe(2)
    expect(await add('a', 5)).toEqual([0])
    expect(broker.context.topics.get('a')?.partitionCount).toBe(5)
  })

  it('configs of a topic are set, described and removed; the broker says what it was started with', async () => {
    const { port, broker } = await start({ 'num.partitions': '7', 'log.retention.ms': '5000' })
    broker.context.topics.create('a', 1)
    const { ask } = await dial(port)
    const alter = async (name: string, configOperation: number, value: string | null, type = 2) => {
      const configs = [{ name, configOperation, value }]
      const resources = [{ resourceType: type, resourceName: type === 2 ? 'a' : '1', configs }]
      return codes(
        (await ask('IncrementalAlterConfigs', 1, { resources, validateOnly: false })).responses,
      )
    }
    const describe1 = async (resourceType: number, resourceName: string, key: string) => {
      const resources = [{ resourceType, resourceName, configurationKeys: [key] }]
      const [result] = (await ask('DescribeConfigs', 4, { resources, includeSynonyms: true }))
        .results
      return result?.errorCode === 0 ? result.configs[0] : result?.errorCode
    }
    expect(await describe1(2, 'a', 'retention.ms')).toMatchObject({
      value: '5000',
      configSource: 4,
    })
    expect(await alter('retention.ms', 0, '1000')).toEqual([0])
    expect(await describe1(2, 'a', 'retention.ms')).toMatchObject({
      value: '1000',
      configSource: 1,
    })
    expect(await alter('retention.ms', 0, 'soon')).toEqual([40])
    expect(await alter('retention.ms', 2, '1')).toEqual([40])
    expect(await alter('retention.ms', 1, null)).toEqual([0])
    expect(await describe1(2, 'a', 'retention.ms')).toMatchObject({
      value: '5000',
      configSource: 4,
    })
    expect(await alter('num.partitions', 0, '2', 4)).toEqual([42])
    expect(await describe1(4, '1', 'num.partitions')).toMatchObject({
      value: '7',
      configSource: 4,
      readOnly: true,
    })
    expect(await describe1(4, '2', 'num.partitions')).toBe(42)
    expect(await describe1(2, 'none', 'retention.ms')).toBe(3)
    expect(await describe1(9, 'a', 'x')).toBe(42)
  })
})

describe('the listener', () => {
  it('drops connections beyond max.connections and serves the others', async () => {
    const { port } = await start({ 'max.connections': '20' })
    const kept = await Promise.all(Array.from({ length: 20 }, () => dial(port)))
    const dropped = await Promise.all(Array.from({ length: 100 }, () => dial(port)))
    await Promise.all(dropped.map(({ closed }) => closed))
    for (const { ask } of kept) expect((await ask('ApiVersions', 0, {})).errorCode).toBe(0)
    expect(log.some((line) => line.includes('max.connections'))).toBe(true)
    expect(log.length).toBeLessThan(70)
  })

  it('says so when its port is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise<void>((resolve) => other.close(() => resolve())))
    const address = other.address()
    const port = address === null || typeof address === 'string' ? 0 : address.port
    const broker = createBroker({
      host: '127.0.0.1',
      port,
      dataDir: parseDataDir('memory'),
      settings: parseSettings(),
      clock: systemClock,
      log: (line) => log.push(line),
    })
    cleanups.push(() => broker.close())
    await expect(broker.listen()).rejects.toThrow(SurroundingsError)
    await expect(broker.listen()).rejects.toThrow(`127.0.0.1:${port}: the port is taken`)
  })
})

describe('several nodes', () => {
  it('listen each, tell of all, answer for their own, and are all gone when the broker is', async () => {
    const broker = createBroker({
      host: '127.0.0.1',
      port: 0,
      brokers: 3,
      dataDir: parseDataDir('memory'),
      settings: parseSettings(),
      clock: systemClock,
      log: (line) => log.push(line),
    })
    await broker.listen()
    const { cluster, topics } = broker.context
    topics.create('a', 3, {}, [[1], [2], [3]])
    for (const { nodeId, port } of cluster.nodes) {
      const { ask } = await dial(port)
      const { brokers } = await ask('Metadata', 9, { topics: [] })
      expect(brokers).toEqual(cluster.nodes.map((node) => ({ ...node, rack: null })))
      const wanted = { currentLeaderEpoch: -1, timestamp: -1 }
      const partitions = [0, 1, 2].map((partitionIndex) => ({ partitionIndex, ...wanted }))
      const listed = await ask('ListOffsets', 5, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: 'a', partitions }],
      })
      const expected = [1, 2, 3].map((leaderId) => (leaderId === nodeId ? 0 : 6))
      expect(codes(listed.topics[0]?.partitions ?? [])).toEqual(expected)
    }
    await broker.close()
    for (const { port } of cluster.nodes) {
      const socket = connect(port, '127.0.0.1')
      const error = await new Promise<Error>((resolve) => socket.on('error', resolve))
      expect(error.message).toContain('ECONNREFUSED')
    }
  })

  it('say which port is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise<void>((resolve) => other.close(() => resolve())))
    const { port } = other.address() as AddressInfo
    const broker = createBroker({
      host: '127.0.0.1',
      port: port - 1,
      brokers: 2,
      dataDir: parseDataDir('memory'),
      settings: parseSettings(),
      clock: systemClock,
      log: (line) => log.push(line),
    })
    // The first port may be another's just now, and is named then.
    await expect(broker.listen()).rejects.toThrow(/127.0.0.1:\d+: the port is taken/)
    await broker.close()
  })
})

const kafkaClient = (port: number) =>
  new Kafka({ clientId: 'k', brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING })

const consumeAll = async (consumer: Consumer, topic: string, count: number) => {
  const seen = new Map<string, number>()
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: ({ partition, message }) => {
          seen.set(`${partition}/${message.offset}`, Number(message.value))
          if (seen.size >= count) resolve()
          return Promise.resolve()
        },
      })
      .catch(reject)
  })
  return seen
}

describe('kafkajs', () => {
  it('administers topics', async () => {
    const { port } = await start()
    const admin = kafkaClient(port).admin()
    await admin.connect()
    cleanups.push(() => admin.disconnect())
    expect(await admin.createTopics({ topics: [{ topic: 't', numPartitions: 3 }] })).toBe(true)
    expect(await admin.createTopics({ topics: [{ topic: 't', numPartitions: 3 }] })).toBe(false)
    expect(await admin.listTopics()).toEqual(['t'])
    await admin.createPartitions({ topicPartitions: [{ topic: 't', count: 4 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['t'] })
    expect(topics[0]?.partitions).toHaveLength(4)
    expect(await admin.fetchTopicOffsets('t')).toHaveLength(4)
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: 't' }],
    })
    expect(resources[0]?.configEntries.map((entry) => entry.configName)).toContain('segment.bytes')
    expect(await admin.describeCluster()).toMatchObject({ controller: 1 })
    await admin.deleteTopics({ topics: ['t'] })
    expect(await admin.listTopics()).toEqual([])
  })

  it('produces, consumes in a group, and finds all again after a restart on disk', async () => {
    const dataDir = parseDataDir(makeFolder())
    const first = await start({}, dataDir)
    const kafka = kafkaClient(first.port)
    const [admin, producer] = [kafka.admin(), kafka.producer()]
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 't', numPartitions: 3 }] })
    await producer.connect()
    const messages = Array.from({ length: 300 }, (_, i) => ({ value: `${i}`, partition: i % 3 }))
    await producer.send({ topic: 't', messages })
    const consumer = kafka.consumer({ groupId: 'g' })
    const seen = await consumeAll(consumer, 't', 300)
    expect(new Set(seen.values()).size).toBe(300)
    await consumer.disconnect()
    const committed = (await admin.fetchOffsets({ groupId: 'g', topics: ['t'] }))[0]?.partitions
    expect(committed?.map(({ offset }) => offset)).toEqual(['100', '100', '100'])
    await Promise.all([producer.disconnect(), admin.disconnect()])
    await first.broker.close()

    const second = await start({}, dataDir)
    expect(second.broker.context.clusterId()).toBe(first.broker.context.clusterId())
    const again = kafkaClient(second.port)
    const admin2 = again.admin()
    await admin2.connect()
    cleanups.push(() => admin2.disconnect())
    expect((await admin2.fetchTopicOffsets('t')).map(({ high }) => high)).toEqual([
      '100',
      '100',
      '100',
    ])
    const kept = (await admin2.fetchOffsets({ groupId: 'g', topics: ['t'] }))[0]?.partitions
    expect(kept?.map(({ offset }) => offset)).toEqual(['100', '100', '100'])
    const reader = again.consumer({ groupId: 'other' })
    cleanups.push(() => reader.disconnect())
    expect((await consumeAll(reader, 't', 300)).size).toBe(300)
    await admin2.deleteTopics({ topics: ['t'] })
    const dropped = await admin2.fetchOffsets({ groupId: 'g' })
    expect(dropped).toEqual([])
  })
})

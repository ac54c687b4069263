import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  collectingConsumerSink,
  collectingProducerSink,
  connectionTo,
  namedPayload,
  runOf,
} from '../../../test/support/client-options.ts'
import { type Broker, createBroker } from '../../broker/broker.ts'
import { type BrokerParts, kafkaParts } from '../../broker/parts.ts'
import { parseSettings } from '../../broker/settings.ts'
import { systemClock } from '../../clock.ts'
import type {
  Admin,
  Compression,
  ConnectionOptions,
  ConsumerOptions,
  ProducerOptions,
  ReaderOptions,
} from '../driver.ts'
import { openAdmin } from './admin.ts'
import { createKafkajsDriver } from './driver.ts'

const driver = createKafkajsDriver(systemClock)

const startBroker = async (
  parts: BrokerParts = kafkaParts,
): Promise<{ broker: Broker; connection: ConnectionOptions }> => {
  const started = createBroker({
    host: '127.0.0.1',
    port: 0,
    dataDir: { store: 'memory', folder: null },
    settings: parseSettings({ 'group.initial.rebalance.delay.ms': '0' }),
    clock: systemClock,
    log: () => {},
    parts,
  })
  const { host, port } = await started.listen()
  return { broker: started, connection: connectionTo(`${host}:${port}`) }
}

let broker: Broker
let connection: ConnectionOptions
let admin: Admin
let topicNumber = 0

beforeAll(async () => {
  ;({ broker, connection } = await startBroker())
  admin = await openAdmin(connection)
})
afterAll(async () => {
  await admin.close()
  await broker.close()
})

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const newTopic = async (partitions = 3): Promise<string> => {
  const topic = `topic-${++topicNumber}`
  await admin.createTopic(topic, partitions, 1)
  return topic
}

const newProducer = async (
  topic: string,
  changes: Partial<ProducerOptions> = {},
  to: ConnectionOptions = connection,
) => {
  const collected = collectingProducerSink()
  const options: ProducerOptions = {
    topic,
    acks: 1,
    compression: 'none',
    isIdempotent: false,
    messageTimeoutMs: 20_000,
    ...changes,
  }
  const producer = await driver.createProducer(to, options, collected.sink)
  closing.push(() => producer.close())
  return { producer, ...collected }
}

const newReader = async (topic: string, partitions: ReaderOptions['partitions']) => {
  const collected = collectingConsumerSink()
  const options: ReaderOptions = {
    topic,
    partitions,
    isolation: 'read-uncommitted',
    fetchMinBytes: 1,
    fetchMaxWaitMs: 100,
    maxPartitionFetchBytes: 2 ** 20,
  }
  const reader = await driver.createReader(connection, options, collected.sink)
  closing.push(() => reader.close())
  return { reader, ...collected }
}

const newMember = async (
  topic: string,
  groupId: string,
  changes: Partial<ConsumerOptions> = {},
  to: ConnectionOptions = connection,
) => {
  const collected = collectingConsumerSink()
  const options: ConsumerOptions = {
    topic,
    groupId,
    clientId: 'member',
    assignor: 'range',
    autoCommit: true,
    isolation: 'read-uncommitted',
    fetchMinBytes: 1,
    fetchMaxWaitMs: 50,
    maxPartitionFetchBytes: 2 ** 20,
    sessionTimeoutMs: 6_000,
    ...changes,
  }
  const consumer = await driver.createConsumer(to, options, collected.sink)
  closing.push(() => consumer.close())
  const assignment = () => {
    const last = collected.events.findLast(({ type }) => type === 'assigned' || type === 'revoked')
    return last?.type === 'assigned' ? last : null
  }
  return { consumer, assignment, ...collected }
}

/** `calls` sends of `count` records to each of the partitions. */
const fill = async (topic: string, partitions: number, calls: number, count: number) => {
  const { producer, ended } = await newProducer(topic)
  for (let call = 0; call < calls; call++) {
    producer.send(
      Array.from({ length: partitions }, (_, partition) =>
        runOf(partition, count, { firstSequence: call * count }),
      ),
    )
  }
  const all = await ended(partitions * calls)
  expect(all.every(({ failure }) => failure === null)).toBe(true)
}

const valuesOf = (records: { partition: number; offset: number; value: string | null }[]) =>
  records.map(({ partition, offset, value }) => `${partition}@${offset}=${value}`).toSorted()

const expectedValues = (partitions: number, count: number) =>
  Array.from({ length: partitions * count }, (_, index) => {
    const partition = index % partitions
    const offset = Math.floor(index / partitions)
    return `${partition}@${offset}=${partition}-${offset}`
  }).toSorted()

test('acked runs lie where the ack says, and a reader gets every record once', async () => {
  const topic = await newTopic()
  const { producer, ended } = await newProducer(topic)
  producer.send([runOf(0, 5), runOf(1, 3), runOf(2, 1)])
  producer.send([runOf(0, 5, { firstSequence: 5 }), runOf(1, 7, { firstSequence: 3 })])
  producer.send([runOf(2, 9, { firstSequence: 1 })])
  const all = await ended(6)
  expect(all.map(({ run, baseOffset }) => run.firstSequence === baseOffset)).not.toContain(false)
  expect(await admin.watermarks(topic)).toEqual([
    { partition: 0, low: 0, high: 10 },
    { partition: 1, low: 0, high: 10 },
    { partition: 2, low: 0, high: 10 },
  ])
  const { reader, records, positions, until } = await newReader(topic, [
    { partition: 0, fromOffset: 0 },
    { partition: 1, fromOffset: 0 },
    { partition: 2, fromOffset: 0 },
  ])
  await reader.start()
  await until(() => records.length >= 30)
  expect(valuesOf(records)).toEqual(expectedValues(3, 10))
  expect(Object.fromEntries(positions)).toEqual({ 0: 10, 1: 10, 2: 10 })
})

test.each(driver.compressions)(
  '%s goes there and back, with keys and headers',
  async (compression) => {
    const topic = await newTopic(1)
    const { producer, ended } = await newProducer(topic, { compression })
    const keys = Array.from({ length: 200 }, (_, index) => Buffer.from(`key-${index}`))
    producer.send([runOf(0, 200, { keys, payload: namedPayload(true) })])
    producer.send([runOf(0, 200, { firstSequence: 200 })])
    expect((await ended(2)).map(({ baseOffset }) => baseOffset)).toEqual([0, 200])
    const { reader, records, until } = await newReader(topic, [{ partition: 0, fromOffset: 0 }])
    await reader.start()
    await until(() => records.length >= 400)
    expect(records[7]).toEqual({ partition: 0, offset: 7, value: '', header: '7' })
    expect(records[399]).toEqual({ partition: 0, offset: 399, value: '0-399', header: null })
    expect(records).toHaveLength(400)
  },
)

test('compressed records take less room than plain ones', async () => {
  const sizes = new Map<Compression, number>()
  const payload = { render: () => ({ value: Buffer.alloc(100_000, 7), header: null }) }
  for (const compression of driver.compressions) {
    const topic = await newTopic(1)
    const { producer, ended } = await newProducer(topic, { compression })
    // Ten times 100,000 bytes fit in one batch only when compressed by bytes that are alike.
    producer.send([runOf(0, 20, { payload })])
    const [first] = await ended(1)
    sizes.set(compression, first?.baseOffset ?? -1)
  }
  expect(Object.fromEntries(sizes)).toEqual({ none: -1, gzip: 0, snappy: 0, lz4: 0, zstd: 0 })
})

test.each([
  { acks: 0, isIdempotent: false },
  { acks: 1, isIdempotent: false },
  { acks: -1, isIdempotent: false },
  { acks: -1, isIdempotent: true },
] as const)('exactly as many records as sent with %o', async (options) => {
  const topic = await newTopic()
  const { producer, ended } = await newProducer(topic, options)
  for (let call = 0; call < 20; call++) {
    producer.send([0, 1, 2].map((partition) => runOf(partition, 5, { firstSequence: call * 5 })))
  }
  const all = await ended(60)
  expect(all.filter(({ failure }) => failure !== null)).toEqual([])
  const { reader, records, until } = await newReader(topic, [
    { partition: 0, fromOffset: 0 },
    { partition: 1, fromOffset: 0 },
    { partition: 2, fromOffset: 0 },
  ])
  await reader.start()
  await until(() => records.length >= 300)
  expect(valuesOf(records)).toEqual(expectedValues(3, 100))
})

test('a reader begins at the offsets it is given, in front of what comes after start', async () => {
  const topic = await newTopic(2)
  await fill(topic, 2, 1, 10)
  const { reader, records, fetches, until } = await newReader(topic, [
    { partition: 0, fromOffset: 10 },
    { partition: 1, fromOffset: 7 },
  ])
  await reader.start()
  const { producer } = await newProducer(topic)
  producer.send([runOf(0, 2, { firstSequence: 10 })])
  await until(() => records.length >= 5)
  expect(valuesOf(records)).toEqual(['0@10=0-10', '0@11=0-11', '1@7=1-7', '1@8=1-8', '1@9=1-9'])
  await until(() => fetches.some(({ hasRecords }) => !hasRecords))
  expect(fetches.some(({ hasRecords }) => hasRecords)).toBe(true)
  expect(fetches.every(({ serviceNs }) => serviceNs > 0)).toBe(true)
})

test('a reader whose offset is gone gives up', async () => {
  const topic = await newTopic(1)
  const { reader, crashes, until } = await newReader(topic, [{ partition: 0, fromOffset: 5 }])
  await reader.start()
  await until(() => crashes.length > 0)
  expect(crashes[0]).toMatchObject({ isConnectionLost: false })
})

test('a record that is too large fails for certain, its neighbour lands', async () => {
  const topic = await newTopic(2)
  const { producer, ended } = await newProducer(topic)
  const payload = { render: () => ({ value: Buffer.alloc(2 ** 21), header: null }) }
  producer.send([runOf(0, 1, { payload }), runOf(1, 1)])
  const all = await ended(2)
  expect(all.find(({ run }) => run.partition === 0)?.failure).toMatchObject({
    isUnknown: false,
    isConnectionLost: false,
    message: expect.stringContaining('MESSAGE_TOO_LARGE'),
  })
  expect(all.find(({ run }) => run.partition === 1)?.baseOffset).toBe(0)
})

test('an unknown topic is refused by every client', async () => {
  const refusal = { name: 'DriverError', kafkaCode: 3, message: expect.stringContaining('nowhere') }
  await expect(newProducer('nowhere')).rejects.toMatchObject(refusal)
  await expect(newReader('nowhere', [{ partition: 0, fromOffset: 0 }])).rejects.toMatchObject(
    refusal,
  )
  await expect(newMember('nowhere', 'g')).rejects.toMatchObject(refusal)
  expect(await admin.partitionCount('nowhere')).toBeNull()
})

test('a group of three, joining one after the other, reads everything exactly once', async () => {
  const topic = await newTopic()
  const groupId = 'group-of-three'
  await fill(topic, 3, 10, 50)
  const members: Awaited<ReturnType<typeof newMember>>[] = []
  for (let count = 1; count <= 3; count++) {
    const member = await newMember(topic, groupId)
    members.push(member)
    await member.consumer.start()
    const isSettled = () => {
      const all = members.map(({ assignment }) => assignment())
      const generations = new Set(all.map((assigned) => assigned?.generation))
      return all.every((assigned) => assigned !== null) && generations.size === 1
    }
    await Promise.race(members.map(({ until }) => until(isSettled)))
  }
  const assigned = members.map(({ assignment }) => assignment()?.partitions)
  expect(new Set(assigned.flat())).toEqual(new Set([0, 1, 2]))
  expect(assigned.every((partitions) => partitions?.length === 1)).toBe(true)
  expect(members[0]?.assignment()?.generation).toBeGreaterThan(1)
  const memberIds = members.map(({ assignment }) => assignment()?.memberId)
  expect(new Set(await admin.groupMembers(groupId))).toEqual(new Set(memberIds))

  await fill(topic, 3, 10, 50)
  const records = () => members.flatMap((member) => member.records)
  await Promise.race(members.map(({ until }) => until(() => records().length >= 3_000)))
  await Promise.all(members.map(({ consumer }) => consumer.close()))
  expect(
    records()
      .map(({ partition, offset }) => `${partition}@${offset}`)
      .toSorted(),
  ).toEqual(
    expectedValues(3, 1_000)
      .map((text) => text.replace(/=.*/, ''))
      .toSorted(),
  )
  expect(Object.fromEntries(await admin.committedOffsets(groupId, topic))).toEqual({
    0: 1_000,
    1: 1_000,
    2: 1_000,
  })
  expect(await admin.groupMembers(groupId)).toEqual([])
  expect(members.map(({ events }) => events.at(-1)?.type)).toEqual(['left', 'left', 'left'])
})

test('without auto-commit only commit() commits, right before close', async () => {
  const topic = await newTopic(1)
  await fill(topic, 1, 1, 10)
  const { consumer, records, fetches, until } = await newMember(topic, 'by-hand', {
    autoCommit: false,
  })
  await expect(consumer.commit(new Map([[0, 4]]))).rejects.toThrow('not yet a member')
  await consumer.start()
  await until(() => records.length >= 10 && fetches.some(({ hasRecords }) => !hasRecords))
  expect(await admin.committedOffsets('by-hand', topic)).toEqual(new Map([[0, -1]]))
  await consumer.commit(new Map([[0, 4]]))
  await consumer.close()
  expect(await admin.committedOffsets('by-hand', topic)).toEqual(new Map([[0, 4]]))

  const again = await newMember(topic, 'by-hand', { assignor: 'round-robin' })
  await again.consumer.start()
  await again.until(() => again.records.length >= 6)
  expect(again.records[0]?.offset).toBe(4)
})

test('a member closed before it has joined leaves nothing behind', async () => {
  const topic = await newTopic(1)
  const { consumer, events } = await newMember(topic, 'hasty')
  await consumer.start()
  await consumer.close()
  expect(await admin.groupMembers('hasty')).toEqual([])
  expect(events.at(-1)?.type).toBe('left')
})

test('cooperative-sticky is refused by name', async () => {
  const topic = await newTopic(1)
  await expect(newMember(topic, 'g', { assignor: 'cooperative-sticky' })).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('kafkajs has no such assignor'),
  })
})

test('a broker that goes away in the middle is a lost connection for all', async () => {
  const other = await startBroker()
  closing.push(() => other.broker.close())
  const impatient: ConnectionOptions = {
    ...other.connection,
    properties: { retries: '2', 'retry.backoff.ms': '1' },
  }
  const topic = 'doomed'
  const otherAdmin = await openAdmin(other.connection)
  await otherAdmin.createTopic(topic, 1, 1)
  await otherAdmin.close()
  const { producer, ended, all } = await newProducer(topic, {}, impatient)
  const member = await newMember(topic, 'g', {}, impatient)
  await member.consumer.start()
  await member.until(() => member.assignment() !== null)
  await other.broker.close()
  producer.send([runOf(0, 1)])
  await ended(1)
  expect(all[0]?.failure?.isConnectionLost).toBe(true)
  await member.until(() => member.crashes.length > 0)
  expect(member.crashes).toMatchObject([{ isConnectionLost: true }])
})

test('admin: topics, offsets and groups', async () => {
  const topic = await newTopic(4)
  expect(await admin.partitionCount(topic)).toBe(4)
  expect(await admin.listTopics()).toContain(topic)
  await expect(admin.createTopic(topic, 1, 1)).rejects.toMatchObject({ kafkaCode: 36 })
  expect(await admin.brokerVersion()).toMatch(/\w/)

  await fill(topic, 4, 1, 3)
  expect(await admin.committedOffsets('fresh', topic)).toEqual(
    new Map([0, 1, 2, 3].map((partition) => [partition, -1])),
  )
  await admin.setCommittedOffsets(
    'fresh',
    topic,
    new Map([
      [0, 2],
      [3, 0],
    ]),
  )
  expect(Object.fromEntries(await admin.committedOffsets('fresh', topic))).toEqual({
    0: 2,
    1: -1,
    2: -1,
    3: 0,
  })
  expect(await admin.groupMembers('fresh')).toEqual([])
  expect(await admin.groupMembers('never-heard-of')).toEqual([])
  expect(await admin.listGroups()).toContain('fresh')
  await admin.deleteGroup('fresh')
  expect(await admin.listGroups()).not.toContain('fresh')

  const { consumer, until, assignment } = await newMember(topic, 'busy')
  await consumer.start()
  await until(() => assignment() !== null)
  await expect(admin.setCommittedOffsets('busy', topic, new Map([[0, 1]]))).rejects.toThrow(
    'cannot set the offsets of group busy',
  )
  await consumer.close()
  await admin.deleteTopic(topic)
  expect(await admin.partitionCount(topic)).toBeNull()
})

test('admin: a topic is made when the broker knows it, which may be later than the controller', async () => {
  const asked: string[] = []
  const { handlers } = kafkaParts
  const late = await startBroker({
    ...kafkaParts,
    handlers: {
      ...handlers,
      async Metadata(request, call, context) {
        const response = await handlers.Metadata(request, call, context)
        if (!request.topics?.some(({ name }) => name === 'late') || response === null)
          return response
        asked.push('late')
        if (asked.length > 2) return response
        const topics = response.topics.map((one) => ({ ...one, errorCode: 3, partitions: [] }))
        return { ...response, topics }
      },
    },
  })
  const lateAdmin = await openAdmin(late.connection)
  closing.push(
    () => late.broker.close(),
    () => lateAdmin.close(),
  )
  await lateAdmin.createTopic('late', 1, 1)
  expect(asked.length).toBe(3)
  expect(await lateAdmin.partitionCount('late')).toBe(1)
})

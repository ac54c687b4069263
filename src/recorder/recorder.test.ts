import { Kafka, logLevel } from 'kafkajs'
import { afterEach, expect, test } from 'vitest'
import { createBroker } from '../broker/broker.ts'
import { parseSettings } from '../broker/settings.ts'
import { systemClock } from '../clock.ts'
import { generationsOf, groupFactsOf } from './group-facts.ts'
import { startRecorder } from './recorder.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const startBroker = async (brokers = 1): Promise<number> => {
  const broker = createBroker({
    host: '127.0.0.1',
    port: 0,
    brokers,
    dataDir: { store: 'memory', folder: null },
    settings: parseSettings({ 'group.initial.rebalance.delay.ms': '500' }),
    clock: systemClock,
    log: () => {},
  })
  closing.push(() => broker.close())
  return (await broker.listen()).port
}

const record = async (port: number, maxExchanges?: number) => {
  const recorder = await startRecorder({
    upstream: { host: '127.0.0.1', port },
    listen: { host: '127.0.0.1', port: 0 },
    clock: systemClock,
    ...(maxExchanges === undefined ? {} : { maxExchanges }),
  })
  closing.push(() => recorder.close())
  return recorder
}

const clientOf = (port: number, clientId: string): Kafka =>
  new Kafka({ brokers: [`127.0.0.1:${port}`], clientId, logLevel: logLevel.NOTHING })

test('a real group is there as facts when the run is over, its data is not', async () => {
  const recorder = await record(await startBroker())
  const { port } = recorder.listening
  const admin = clientOf(port, 'admin').admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 't', numPartitions: 4 }], waitForLeaders: true })
  await admin.disconnect()
  const producer = clientOf(port, 'producer').producer()
  await producer.connect()
  const messages = Array.from({ length: 40 }, (_, n) => ({ value: `v${n}`, partition: n % 4 }))
  await producer.send({ topic: 't', messages })
  await producer.disconnect()
  let count = 0
  const consumers = ['one', 'two'].map((name) =>
    clientOf(port, name).consumer({ groupId: 'g', heartbeatInterval: 100, maxWaitTimeInMs: 50 }),
  )
  await Promise.all(
    consumers.map(async (consumer) => {
      await consumer.connect()
      await consumer.subscribe({ topic: 't', fromBeginning: true })
      await consumer.run({
        eachMessage: async () => {
          count++
        },
      })
    }),
  )
  const synced = () =>
    generationsOf(groupFactsOf(recorder.exchanges(), 'g')).find(({ owned }) => owned.size === 2)
  await expect.poll(() => count >= 40 && synced() !== undefined, { timeout: 20_000 }).toBe(true)
  for (const consumer of consumers) await consumer.disconnect()

  const generation = synced()
  const owned = [...(generation?.owned.values() ?? [])].flatMap((one) => one?.[0]?.partitions ?? [])
  expect(owned.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
  const facts = groupFactsOf(recorder.exchanges(), 'g')
  expect(new Set(facts.map(({ clientId }) => clientId))).toEqual(new Set(['one', 'two']))
  expect(facts.filter(({ kind }) => kind === 'leave')).toHaveLength(2)
  const apis = new Set(recorder.exchanges().map(({ api }) => api))
  expect(apis).toContain('OffsetFetch')
  expect(apis).not.toContain('Produce')
  expect(recorder.droppedCount()).toBeGreaterThan(0)
  expect(recorder.exchanges().flatMap(({ findings }) => findings)).toEqual([])
  expect(recorder.notes()).toEqual([])
})

test('what repeats itself goes first, and no more is kept than allowed', async () => {
  const recorder = await record(await startBroker(), 3)
  const admin = clientOf(recorder.listening.port, 'admin').admin()
  await admin.connect()
  await admin.describeGroups(['g'])
  for (let n = 0; n < 20; n++) await admin.fetchTopicMetadata()
  await admin.disconnect()
  const apis = recorder.exchanges().map(({ api }) => api)
  expect(apis).toContain('DescribeGroups')
  expect(apis.filter((api) => api === 'Metadata')).toHaveLength(3)
  expect(recorder.droppedCount()).toBeGreaterThan(15)
})

test('all nodes of a cluster are recorded, each under its own address, and no client leaves', async () => {
  const upstreamPort = await startBroker(3)
  const recorder = await record(upstreamPort)
  const kafka = clientOf(recorder.listening.port, 'client')
  const admin = kafka.admin()
  await admin.connect()
  const { brokers } = await admin.describeCluster()
  await admin.createTopics({ topics: [{ topic: 't', numPartitions: 6 }], waitForLeaders: true })
  const groups = ['g1', 'g2', 'g3', 'g4', 'g5', 'g6']
  for (const groupId of groups) await admin.fetchOffsets({ groupId, topics: ['t'] })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: 60 }, (_, n) => ({ value: `v${n}`, partition: n % 6 }))
  await producer.send({ topic: 't', messages })
  await producer.disconnect()

  expect(new Set(brokers.map(({ port }) => port)).size).toBe(3)
  expect(brokers.map(({ port }) => port)).toContain(recorder.listening.port)
  const exchanges = recorder.exchanges()
  const nodes = new Set(exchanges.map(({ node }) => node))
  expect(nodes.size).toBe(3)
  expect(nodes).toContain(`127.0.0.1:${upstreamPort}`)
  // Every group's coordinator was asked where the recorder stands for it, and a wrong one would have refused.
  const fetched = exchanges.filter(({ api }) => api === 'OffsetFetch')
  expect(fetched).toHaveLength(groups.length)
  expect(new Set(fetched.map(({ node }) => node)).size).toBeGreaterThan(1)
  expect(recorder.notes()).toEqual([])
  expect(exchanges.flatMap(({ findings }) => findings)).toEqual([])
})

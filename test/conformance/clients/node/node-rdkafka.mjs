// node-rdkafka (librdkafka) as a client of the matrix. Its package lies in the folder that the second argument names.
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { filled, serve, server, sleep } from './serve.mjs'

const require = createRequire(`${process.argv[3]}/`)
const rdkafka = require('node-rdkafka')
const base = { 'metadata.broker.list': server }
const admin = rdkafka.AdminClient.create(base)
const noCall = () => ({ na: 'node-rdkafka 3 has no call for it' })
let member
let unread = []

const call = (object, method, ...args) => promisify(object[method].bind(object))(...args)

const consumer = async (group, config, onRecord) => {
  const all = { ...base, 'group.id': group, ...config }
  const opened = new rdkafka.KafkaConsumer(all, { 'auto.offset.reset': 'earliest' })
  await call(opened, 'connect', {})
  opened.on('data', onRecord)
  return opened
}

await serve({
  versions: () =>
    `${require('node-rdkafka/package.json').version.replace('v', '')} (librdkafka ${rdkafka.librdkafkaVersion})`,
  async produce({ topic, partition, values, codec, idempotent }) {
    const producer = new rdkafka.Producer({
      ...base,
      'compression.codec': codec,
      'enable.idempotence': idempotent,
      'linger.ms': 20,
      dr_cb: true,
    })
    const failures = []
    producer.on('delivery-report', (error) => error && failures.push(error.message))
    await call(producer, 'connect', {})
    producer.setPollInterval(20)
    for (const value of values) producer.produce(topic, partition, Buffer.from(value))
    await call(producer, 'flush', 20_000)
    await call(producer, 'disconnect')
    if (failures.length > 0) throw new Error(failures[0])
  },
  async read({ topic, partitions, count }) {
    const values = []
    const config = { 'enable.auto.commit': false }
    const reader = await consumer('reader', config, ({ value }) => values.push(String(value)))
    const all = Array.from({ length: partitions }, (_, partition) => partition)
    reader.assign(all.map((partition) => ({ topic, partition, offset: 0 })))
    reader.consume()
    await filled(values, count)
    await call(reader, 'disconnect')
    return values
  },
  async take({ group, topic, count }) {
    const values = []
    let next
    const reader = await consumer(group, { 'enable.auto.commit': false }, (message) => {
      if (values.length === count) return
      values.push(String(message.value))
      next = { topic, partition: message.partition, offset: message.offset + 1 }
    })
    reader.subscribe([topic])
    reader.consume()
    await filled(values, count)
    reader.commitSync(next)
    await call(reader, 'disconnect')
    return values
  },
  async join({ group, topic }) {
    member = await consumer(group, {}, ({ value }) => unread.push(String(value)))
    member.subscribe([topic])
    member.consume()
  },
  async poll({ ms }) {
    await sleep(ms)
    const values = unread
    unread = []
    return values
  },
  leave: () => call(member, 'disconnect'),
  async create({ topic, partitions }) {
    await call(admin, 'createTopic', {
      topic,
      num_partitions: partitions,
      replication_factor: 1,
    })
  },
  async describe({ topic }) {
    const producer = new rdkafka.Producer(base)
    await call(producer, 'connect', {})
    const { topics } = await call(producer, 'getMetadata', { topic, timeout: 10_000 })
    await call(producer, 'disconnect')
    return topics.find(({ name }) => name === topic).partitions.length
  },
  delete: ({ topic }) => call(admin, 'deleteTopic', topic),
  groups: noCall,
  group: noCall,
})

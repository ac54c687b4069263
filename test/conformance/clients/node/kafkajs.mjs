// kafkajs as a client of the matrix, with the codecs that this project gives it.
import { createRequire } from 'node:module'
import kafkajs from 'kafkajs'
import { compressionTypes, registerCodecs } from '../../../../dist/src/clients/kafkajs/codecs.js'
import { filled, serve, server, sleep } from './serve.mjs'

registerCodecs()
const { Kafka, logLevel } = kafkajs
const kafka = new Kafka({ brokers: [server], logLevel: logLevel.NOTHING })
const admin = kafka.admin()
await admin.connect()
let member
let unread = []

const consume = async ({ group, topic }, config, onRecord) => {
  const consumer = kafka.consumer({ groupId: group })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ ...config, eachMessage: onRecord })
  return consumer
}

const take = async ({ group, topic, count }) => {
  const values = []
  let next
  const consumer = await consume(
    { group, topic },
    { autoCommit: false },
    ({ partition, message }) => {
      if (values.length === count) return
      values.push(String(message.value))
      next = { topic, partition, offset: String(Number(message.offset) + 1) }
    },
  )
  await filled(values, count)
  await consumer.commitOffsets([next])
  await consumer.disconnect()
  return values
}

await serve({
  versions: () => createRequire(import.meta.url)('kafkajs/package.json').version,
  async produce({ topic, partition, values, codec, idempotent }) {
    const producer = kafka.producer({ idempotent })
    await producer.connect()
    const messages = values.map((value) => ({ partition, value }))
    await producer.send({ topic, messages, compression: compressionTypes[codec] })
    await producer.disconnect()
  },
  async read({ topic, count }) {
    // It has no consumer without a group.
    const values = []
    const group = `${topic}-reader-${process.pid}-${Date.now()}`
    const consumer = await consume({ group, topic }, { autoCommit: false }, ({ message }) => {
      values.push(String(message.value))
    })
    await filled(values, count)
    await consumer.disconnect()
    return values
  },
  take,
  async join({ group, topic }) {
    member = await consume({ group, topic }, {}, ({ message }) => {
      unread.push(String(message.value))
    })
  },
  async poll({ ms }) {
    await sleep(ms)
    const values = unread
    unread = []
    return values
  },
  leave: () => member.disconnect(),
  async create({ topic, partitions }) {
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] })
  },
  async describe({ topic }) {
    return (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length
  },
  delete: ({ topic }) => admin.deleteTopics({ topics: [topic] }),
  groups: async () => (await admin.listGroups()).groups.map((group) => group.groupId),
  async group({ group }) {
    const { state, members } = (await admin.describeGroups([group])).groups[0]
    return { state, members: members.length }
  },
})

// @platformatic/kafka as a client of the matrix. Its package lies in the folder that the second argument names.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { filled, serve, server, sleep } from './serve.mjs'

const require = createRequire(`${process.argv[3]}/`)
const entry = require.resolve('@platformatic/kafka')
const platformatic = await import(pathToFileURL(entry))
const { Admin, Consumer, Producer, stringDeserializers, stringSerializers } = platformatic
const base = { clientId: 'matrix', bootstrapBrokers: [server] }
const admin = new Admin(base)
let member
let unread = []

const consume = async ({ group, topic, autocommit, mode }, onRecord) => {
  const deserializers = stringDeserializers
  const consumer = new Consumer({ ...base, groupId: group, deserializers })
  const stream = await consumer.consume({
    topics: [topic],
    autocommit,
    mode,
    fallbackMode: 'earliest',
    maxWaitTime: 200,
  })
  stream.on('error', (error) => process.stderr.write(`${error.message}\n`))
  stream.on('data', onRecord)
  return consumer
}

await serve({
  versions: () =>
    JSON.parse(readFileSync(`${process.argv[3]}/node_modules/@platformatic/kafka/package.json`))
      .version,
  async produce({ topic, partition, values, codec, idempotent }) {
    const producer = new Producer({ ...base, serializers: stringSerializers, idempotent })
    const messages = values.map((value) => ({ topic, partition, value }))
    await producer.send({ messages, compression: codec, acks: -1 })
    await producer.close()
  },
  async read({ topic, count }) {
    // It has no consumer without a group.
    const values = []
    const group = `${topic}-reader-${process.pid}-${Date.now()}`
    const asked = { group, topic, autocommit: false, mode: 'earliest' }
    const consumer = await consume(asked, (message) => values.push(message.value))
    await filled(values, count)
    await consumer.close(true)
    return values
  },
  async take({ group, topic, count }) {
    const values = []
    let next
    const asked = { group, topic, autocommit: false, mode: 'committed' }
    const consumer = await consume(asked, ({ value, partition, offset }) => {
      if (values.length === count) return
      values.push(value)
      next = { topic, partition, offset: offset + 1n, leaderEpoch: 0 }
    })
    await filled(values, count)
    await consumer.commit({ offsets: [next] })
    await consumer.close(true)
    return values
  },
  async join({ group, topic }) {
    const asked = { group, topic, autocommit: true, mode: 'committed' }
    member = await consume(asked, (message) => unread.push(message.value))
  },
  async poll({ ms }) {
    await sleep(ms)
    const values = unread
    unread = []
    return values
  },
  leave: () => member.close(true),
  async create({ topic, partitions }) {
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
  },
  async describe({ topic }) {
    const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true })
    return topics.get(topic).partitionsCount
  },
  delete: ({ topic }) => admin.deleteTopics({ topics: [topic] }),
  groups: async () => [...(await admin.listGroups()).keys()],
  async group({ group }) {
    const { state, members } = (await admin.describeGroups({ groups: [group] })).get(group)
    return { state: state[0] + state.slice(1).toLowerCase(), members: members.size }
  },
})

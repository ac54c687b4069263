// @platformatic/kafka as a load.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import {
  begin,
  count,
  measure,
  packages,
  sendBatches,
  server,
  topic,
  value,
  what,
} from './measure.mjs'

const entry = createRequire(packages).resolve('@platformatic/kafka')
const { Consumer, Producer } = await import(pathToFileURL(entry))
const base = { clientId: 'peer', bootstrapBrokers: [server] }

const openProducer = () => {
  const producer = new Producer(base)
  return (total) =>
    sendBatches(total, (n) =>
      producer.send({ acks: -1, messages: Array.from({ length: n }, () => ({ topic, value })) }),
    )
}

const openConsumer = async () => {
  const consumer = new Consumer({ ...base, groupId: `${topic}-${process.pid}` })
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false })
  return () =>
    new Promise((resolve, reject) => {
      let seen = 0
      stream.on('error', reject)
      stream.on('data', (message) => {
        if (seen === 0) begin()
        if (message.value.length === 256) seen += 1
        if (seen === count) resolve()
      })
    })
}

await measure(await (what === 'produce' ? openProducer() : openConsumer()))

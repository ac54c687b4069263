// kafkajs as a load.
import kafkajs from 'kafkajs'
import { begin, count, measure, sendBatches, server, topic, value, what } from './measure.mjs'

const kafka = new kafkajs.Kafka({ brokers: [server], logLevel: kafkajs.logLevel.ERROR })

const openProducer = async () => {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  return (total) =>
    sendBatches(total, (n) =>
      producer.send({ topic, acks: -1, messages: Array.from({ length: n }, () => ({ value })) }),
    )
}

const openConsumer = async () => {
  const consumer = kafka.consumer({ groupId: `${topic}-${process.pid}` })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  return () =>
    new Promise((resolve) => {
      let seen = 0
      const eachBatch = async ({ batch }) => {
        if (seen === 0) begin()
        for (const message of batch.messages) if (message.value.length === 256) seen += 1
        if (seen >= count) resolve()
      }
      void consumer.run({ autoCommit: false, partitionsConsumedConcurrently: 3, eachBatch })
    })
}

await measure(await (what === 'produce' ? openProducer() : openConsumer()))

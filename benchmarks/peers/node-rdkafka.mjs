// node-rdkafka as a load. Only errors come back as delivery reports: one for each record would cost it two thirds of its rate.
import { createRequire } from 'node:module'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { begin, count, measure, packages, server, topic, value, what } from './measure.mjs'

const rdkafka = createRequire(packages)('node-rdkafka')
const base = { 'metadata.broker.list': server }
const call = (object, method, ...args) => promisify(object[method].bind(object))(...args)

const openProducer = async () => {
  const settings = { acks: -1, 'linger.ms': 5, 'queue.buffering.max.messages': 500_000 }
  const reports = { dr_cb: true, 'delivery.report.only.error': true }
  const producer = new rdkafka.Producer({ ...base, ...settings, ...reports })
  await call(producer, 'connect', {})
  producer.setPollInterval(20)
  producer.on('delivery-report', (error) => {
    if (error) throw error
  })
  const offer = () => {
    try {
      producer.produce(topic, null, value)
      return true
    } catch (error) {
      if (error.code !== rdkafka.CODES.ERRORS.ERR__QUEUE_FULL) throw error
      return false
    }
  }
  return async (total) => {
    for (let sent = 0; sent < total; ) {
      if (offer()) sent += 1
      else await turn()
    }
    await call(producer, 'flush', 60_000)
  }
}

const openConsumer = async () => {
  // Of 1 s by default, in which nothing is fetched once its queue has been full.
  const settings = { 'group.id': `${topic}-${process.pid}`, 'fetch.queue.backoff.ms': 2 }
  const earliest = { 'auto.offset.reset': 'earliest' }
  const consumer = new rdkafka.KafkaConsumer({ ...base, ...settings }, earliest)
  await call(consumer, 'connect', {})
  consumer.subscribe([topic])
  return async () => {
    let seen = 0
    while (seen < count) {
      const messages = await call(consumer, 'consume', 10_000)
      if (seen === 0) begin()
      for (const message of messages) if (message.value.length === 256) seen += 1
    }
  }
}

await measure(await (what === 'produce' ? openProducer() : openConsumer()))

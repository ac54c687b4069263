/** Measures Fetch requests: from the request to its answer on the wire, before kafkajs decodes the records. */
import type { Cluster, Consumer } from 'kafkajs'
import type { Clock } from '../../clock.ts'
import type { ConsumerSink } from '../driver.ts'
import type { FetchAnswer, InnerBroker } from './internals.ts'

/** Reports every Fetch that brokers of `cluster` answer; `consumer` is the one the cluster belongs to. */
export const timeFetches = (
  cluster: Cluster,
  consumer: Consumer,
  sink: ConsumerSink,
  clock: Clock,
): void => {
  /** kafkajs has one Fetch under way per broker. */
  const answeredAtNs = new Map<string, number>()
  consumer.on('consumer.network.request', ({ payload }) => {
    if (payload.apiName === 'Fetch') answeredAtNs.set(payload.broker, clock.nowNs())
  })
  const timed = new WeakSet<InnerBroker>()
  const findBroker = cluster.findBroker.bind(cluster)
  cluster.findBroker = async (node) => {
    const broker = (await findBroker(node)) as InnerBroker
    if (timed.has(broker)) return broker
    timed.add(broker)
    const fetch = broker.fetch.bind(broker)
    broker.fetch = async (request): Promise<FetchAnswer> => {
      const startedAtNs = clock.nowNs()
      const answer: FetchAnswer = await fetch(request)
      const endedAtNs = answeredAtNs.get(broker.brokerAddress) ?? clock.nowNs()
      const hasRecords = answer.responses.some(({ partitions }) =>
        partitions.some(({ messages }) => messages.length > 0),
      )
      sink.onFetch(endedAtNs - startedAtNs, hasRecords)
      return answer
    }
    return broker
  }
}

import { Cluster, type ClusterNode } from '../../src/broker/cluster.ts'
import type { BrokerContext, Call } from '../../src/broker/context.ts'
import { ProducerIds } from '../../src/broker/producer-ids.ts'
import { parseSettings } from '../../src/broker/settings.ts'
import { memoryStore } from '../../src/broker/store/memory.ts'
import type { Store } from '../../src/broker/store/store.ts'
import { Topics } from '../../src/broker/topics.ts'
import { ManualClock } from './manual-clock.ts'

/** What handlers of the data path are given, on virtual time; groups are not there. */
export const dataContext = (
  given: { store?: Store; settings?: Record<string, string>; brokers?: number } = {},
): { broker: BrokerContext; clock: ManualClock; lines: string[] } => {
  const clock = new ManualClock()
  const lines: string[] = []
  const log = (line: string): void => void lines.push(line)
  const store =
    given.store ?? memoryStore({ kind: 'memory', maxBytes: 2 ** 30, segmentBytes: 2 ** 20 })
  const settings = parseSettings(given.settings)
  const topics = new Topics({ store, settings, clock, log })
  const broker = {
    clock,
    settings,
    clusterId: () => 'cluster',
    nodeId: 1,
    cluster: new Cluster({
      nodes: nodesOf(given.brokers ?? 1),
      topics,
      groups: { handOver: () => {} },
    }),
    topics,
    producerIds: new ProducerIds(store.journal('producer-ids')),
    log,
  } as Partial<BrokerContext> as BrokerContext
  return { broker, clock, lines }
}

export const callOf = (version: number, closed = new AbortController().signal): Call => ({
  version,
  clientId: 'test',
  clientHost: '/127.0.0.1',
  closed,
})

export const nodesOf = (count: number): ClusterNode[] =>
  Array.from({ length: count }, (_, i) => ({ nodeId: i + 1, host: '127.0.0.1', port: 9092 + i }))

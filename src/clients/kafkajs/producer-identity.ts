/** Producer id, epoch and the next sequence of each partition, for the idempotent producer (KIP-98). */
import type { Cluster } from 'kafkajs'
import type { InnerBroker } from './internals.ts'

const transactionTimeoutMs = 60_000
const sequenceModulus = 2 ** 31

export class ProducerIdentity {
  current: { producerId: string; producerEpoch: number } | null = null
  readonly #cluster: Cluster
  readonly #sequences = new Map<number, number>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Gets a producer id from the broker when there is none. */
  async ready(): Promise<void> {
    if (this.current !== null) return
    const broker = (await this.#cluster.findControllerBroker()) as InnerBroker
    const { producerId, producerEpoch } = await broker.initProducerId({
      transactionTimeout: transactionTimeoutMs,
    })
    this.#sequences.clear()
    this.current = { producerId, producerEpoch }
  }

  sequenceOf(partition: number): number {
    return this.#sequences.get(partition) ?? 0
  }

  /** `count` records of `partition` are in the log. Sequences wrap to 0 after 2^31 - 1. */
  advance(partition: number, count: number): void {
    this.#sequences.set(partition, (this.sequenceOf(partition) + count) % sequenceModulus)
  }

  /** Nobody knows any more which sequence the broker expects: the next send asks for a new id. */
  forget(): void {
    this.current = null
  }
}

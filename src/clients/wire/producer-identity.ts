/** Producer id and epoch of an idempotent producer (KIP-98); the sequences are the partitions' own. */
import { initProducerId } from '../../protocol/messages/init-producer-id.ts'
import type { Cluster } from './cluster.ts'
import { assertNoError } from './errors.ts'
import type { ProducerId } from './produce-frame.ts'

const transactionTimeoutMs = 60_000
const sequenceModulus = 2 ** 31

export const nobody: ProducerId = { id: -1, epoch: -1 }

/** Sequences wrap to 0 after 2^31 - 1. */
export const sequenceAfter = (sequence: number, count: number): number =>
  (sequence + count) % sequenceModulus

/** Rejects with a `BrokerError` or a `ConnectionError`. */
export const askProducerId = async (cluster: Cluster): Promise<ProducerId> => {
  const answer = await cluster.request(initProducerId, {
    transactionalId: null,
    transactionTimeoutMs,
    producerId: -1,
    producerEpoch: -1,
  })
  assertNoError(answer.errorCode)
  return { id: answer.producerId, epoch: answer.producerEpoch }
}

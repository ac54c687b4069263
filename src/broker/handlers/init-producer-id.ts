import { errorCode } from '../../protocol/errors.ts'
import type {
  InitProducerIdRequest,
  InitProducerIdResponse,
} from '../../protocol/messages/init-producer-id.ts'
import type { Handler } from '../context.ts'
import { StorageError } from '../store/store.ts'

/**
 * InitProducerId: a new id for an idempotent producer (KIP-98).
 * Not done: transactions. A transactional id is refused with an error that clients take as final.
 */

const maxTransactionTimeoutMs = 900_000

const refused = (code: number): InitProducerIdResponse => ({ errorCode: code, producerEpoch: -1 })

export const handleInitProducerId: Handler<InitProducerIdRequest, InitProducerIdResponse> = (
  request,
  _call,
  broker,
) => {
  const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
  const isHalfNamed = (producerId === -1) !== (producerEpoch === -1)
  if (transactionalId === '' || isHalfNamed) return refused(errorCode.INVALID_REQUEST)
  if (transactionalId !== null) {
    const isAllowed = transactionTimeoutMs > 0 && transactionTimeoutMs <= maxTransactionTimeoutMs
    return refused(
      isAllowed
        ? errorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        : errorCode.INVALID_TRANSACTION_TIMEOUT,
    )
  }
  try {
    return {
      errorCode: errorCode.NONE,
      producerId: broker.producerIds.next(),
      producerEpoch: 0,
    }
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    broker.topics.reportFault(error)
    return refused(errorCode.KAFKA_STORAGE_ERROR)
  }
}

import { api } from '../api.ts'
import { type Decoded, type Given, int16, int32, int64, nullableString } from '../schema.ts'
import { since, struct, withDefault } from '../struct.ts'

/**
 * InitProducerId (key 22), versions 0 to 5: an id and epoch for an idempotent producer (KIP-98).
 *
 * 2: flexible (KIP-482). 3: asks for a higher epoch of a known id (KIP-360). 4: PRODUCER_FENCED (KIP-588).
 * 5: TRANSACTION_ABORTABLE (KIP-890).
 *
 * Not done: 6, two-phase commit (KIP-939).
 */

export const initProducerId = api({
  key: 22,
  name: 'InitProducerId',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 2,
  request: struct({
    transactionalId: nullableString,
    transactionTimeoutMs: int32,
    producerId: since(3, int64, -1),
    producerEpoch: since(3, int16, -1),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    errorCode: int16,
    producerId: withDefault(int64, -1),
    producerEpoch: int16,
  }),
})

export type InitProducerIdRequest = Decoded<typeof initProducerId.request>
export type InitProducerIdResponse = Given<typeof initProducerId.response>

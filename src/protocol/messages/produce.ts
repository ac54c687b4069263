import { api } from '../api.ts'
import {
  array,
  type Decoded,
  type Given,
  int16,
  int32,
  int64,
  nullableString,
  records,
  string,
} from '../schema.ts'
import { since, struct, tagged, withDefault } from '../struct.ts'

/**
 * Produce (key 0), served in versions 3 to 12, told as 0 to 12: record batches are appended to partitions.
 * Kafka tells 0 too, since librdkafka takes a minimum above 2 for a broker without batches (KAFKA-18659).
 *
 * 3: record batches of magic 2, transactional id (KIP-98). 5: log start offset. 7: zstd (KIP-110).
 * 8: record errors and a message (KIP-467). 9: flexible (KIP-482). 10: current leader and endpoints, tagged (KIP-951).
 * 11: TRANSACTION_ABORTABLE, 12: partitions join a transaction by being written to (KIP-890).
 *
 * Not done: 13, which names topics by id (KIP-516). With acks 0 no response is sent.
 */

export const produce = api({
  key: 0,
  name: 'Produce',
  minVersion: 3,
  maxVersion: 12,
  advertisedMinVersion: 0,
  flexibleFrom: 9,
  request: struct({
    transactionalId: withDefault(nullableString, null),
    acks: int16,
    timeoutMs: int32,
    topicData: array(
      struct({
        name: string,
        partitionData: array(
          struct({
            index: int32,
            records,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    responses: array(
      struct({
        name: string,
        partitionResponses: array(
          struct({
            index: int32,
            errorCode: int16,
            baseOffset: int64,
            logAppendTimeMs: withDefault(int64, -1),
            logStartOffset: since(5, int64, -1),
            recordErrors: since(
              8,
              array(
                struct({
                  batchIndex: int32,
                  batchIndexErrorMessage: withDefault(nullableString, null),
                }),
              ),
              [],
            ),
            errorMessage: since(8, nullableString, null),
            currentLeader: tagged(
              0,
              10,
              struct({
                leaderId: withDefault(int32, -1),
                leaderEpoch: withDefault(int32, -1),
              }),
            ),
          }),
        ),
      }),
    ),
    throttleTimeMs: withDefault(int32, 0),
    nodeEndpoints: tagged(
      0,
      10,
      array(
        struct({
          nodeId: int32,
          host: string,
          port: int32,
          rack: withDefault(nullableString, null),
        }),
      ),
    ),
  }),
})

export type ProduceRequest = Decoded<typeof produce.request>
export type ProduceResponse = Given<typeof produce.response>

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
            records: records,
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

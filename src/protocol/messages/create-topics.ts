import { api } from '../api.ts'
import {
  array,
  bool,
  type Decoded,
  type Given,
  int8,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
  uuid,
} from '../schema.ts'
import { since, struct, tagged, withDefault } from '../struct.ts'

/**
 * CreateTopics (key 19), versions 2 to 7.
 *
 * 4: -1 stands for the default of partitions and replication factor (KIP-464). 5: flexible (KIP-482), configuration and
 * counts in the response (KIP-525). 6: THROTTLING_QUOTA_EXCEEDED (KIP-599). 7: topic id (KIP-516).
 */

export const createTopics = api({
  key: 19,
  name: 'CreateTopics',
  minVersion: 2,
  maxVersion: 7,
  flexibleFrom: 5,
  request: struct({
    topics: array(
      struct({
        name: string,
        numPartitions: int32,
        replicationFactor: int16,
        assignments: array(
          struct({
            partitionIndex: int32,
            brokerIds: array(int32),
          }),
        ),
        configs: array(
          struct({
            name: string,
            value: nullableString,
          }),
        ),
      }),
    ),
    timeoutMs: withDefault(int32, 60000),
    validateOnly: withDefault(bool, false),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    topics: array(
      struct({
        name: string,
        topicId: since(7, uuid),
        errorCode: int16,
        errorMessage: nullableString,
        topicConfigErrorCode: tagged(0, 5, int16),
        numPartitions: since(5, int32, -1),
        replicationFactor: since(5, int16, -1),
        configs: since(
          5,
          nullableArray(
            struct({
              name: string,
              value: nullableString,
              readOnly: bool,
              configSource: withDefault(int8, -1),
              isSensitive: bool,
            }),
          ),
          [],
        ),
      }),
    ),
  }),
})

export type CreateTopicsRequest = Decoded<typeof createTopics.request>
export type CreateTopicsResponse = Given<typeof createTopics.response>

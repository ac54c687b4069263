import { api } from '../api.ts'
import {
  array,
  bool,
  type Decoded,
  type Given,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
} from '../schema.ts'
import { struct, withDefault } from '../struct.ts'

/**
 * CreatePartitions (key 37), versions 0 to 3 (KIP-195).
 *
 * 2: flexible (KIP-482). 3: THROTTLING_QUOTA_EXCEEDED (KIP-599).
 */

export const createPartitions = api({
  key: 37,
  name: 'CreatePartitions',
  minVersion: 0,
  maxVersion: 3,
  flexibleFrom: 2,
  request: struct({
    topics: array(
      struct({
        name: string,
        count: int32,
        assignments: nullableArray(
          struct({
            brokerIds: array(int32),
          }),
        ),
      }),
    ),
    timeoutMs: int32,
    validateOnly: bool,
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    results: array(
      struct({
        name: string,
        errorCode: int16,
        errorMessage: withDefault(nullableString, null),
      }),
    ),
  }),
})

export type CreatePartitionsRequest = Decoded<typeof createPartitions.request>
export type CreatePartitionsResponse = Given<typeof createPartitions.response>

import { api } from '../api.ts'
import { array, type Decoded, type Given, int16, int32, string } from '../schema.ts'
import { struct, withDefault } from '../struct.ts'

/**
 * OffsetDelete (key 47), version 0: forgets offsets of a group (KIP-496). Never flexible.
 */

export const offsetDelete = api({
  key: 47,
  name: 'OffsetDelete',
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: null,
  request: struct({
    groupId: string,
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    errorCode: int16,
    throttleTimeMs: withDefault(int32, 0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
          }),
        ),
      }),
    ),
  }),
})

export type OffsetDeleteRequest = Decoded<typeof offsetDelete.request>
export type OffsetDeleteResponse = Given<typeof offsetDelete.response>

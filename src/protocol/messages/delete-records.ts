import { api } from '../api.ts'
import { array, type Decoded, type Given, int16, int32, int64, string } from '../schema.ts'
import { struct, withDefault } from '../struct.ts'

/**
 * DeleteRecords (key 21), versions 0 to 2: moves the log start offset (KIP-107).
 *
 * 2: flexible (KIP-482).
 */

export const deleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            offset: int64,
          }),
        ),
      }),
    ),
    timeoutMs: int32,
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            lowWatermark: int64,
            errorCode: int16,
          }),
        ),
      }),
    ),
  }),
})

export type DeleteRecordsRequest = Decoded<typeof deleteRecords.request>
export type DeleteRecordsResponse = Given<typeof deleteRecords.response>

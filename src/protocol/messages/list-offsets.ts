import { api } from '../api.ts'
import { array, type Decoded, type Given, int8, int16, int32, int64, string } from '../schema.ts'
import { since, struct, withDefault } from '../struct.ts'

export const listOffsets = api({
  key: 2,
  name: 'ListOffsets',
  minVersion: 1,
  maxVersion: 11,
  flexibleFrom: 6,
  request: struct({
    replicaId: int32,
    isolationLevel: since(2, int8),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            currentLeaderEpoch: since(4, int32, -1),
            timestamp: int64,
          }),
        ),
      }),
    ),
    timeoutMs: since(10, int32),
  }),
  response: struct({
    throttleTimeMs: since(2, int32, 0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            timestamp: withDefault(int64, -1),
            offset: withDefault(int64, -1),
            leaderEpoch: since(4, int32, -1),
          }),
        ),
      }),
    ),
  }),
})

export type ListOffsetsRequest = Decoded<typeof listOffsets.request>
export type ListOffsetsResponse = Given<typeof listOffsets.response>

import { api } from '../api.ts'
import { array, type Decoded, type Given, int8, int16, int32, int64, string } from '../schema.ts'
import { since, struct, withDefault } from '../struct.ts'

/**
 * ListOffsets (key 2), versions 1 to 11: the offset of a timestamp, or of -1 (end) and -2 (start).
 *
 * 2: isolation level (KIP-98). 4: leader epochs (KIP-320). 6: flexible (KIP-482).
 * 7: -3, the highest timestamp (KIP-734). 8: -4, the local log start (KIP-405). 9: -5, the last tiered offset (KIP-1005). 10: timeout (KIP-1075).
 * 11: -6, the first offset not yet tiered (KIP-1023).
 *
 * Not done: 0, which answers a list of segment offsets.
 */

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

import { api } from '../api.ts'
import { array, type Decoded, type Given, int16, int32, int64, string } from '../schema.ts'
import { since, struct, withDefault } from '../struct.ts'

/**
 * OffsetForLeaderEpoch (key 23), versions 2 to 4: where a leader epoch ends (KIP-101).
 *
 * 2: current leader epoch (KIP-320). 3: replica id (KIP-392). 4: flexible (KIP-482).
 */

export const offsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  minVersion: 2,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    replicaId: since(3, int32, -2),
    topics: array(
      struct({
        topic: string,
        partitions: array(
          struct({
            partition: int32,
            currentLeaderEpoch: withDefault(int32, -1),
            leaderEpoch: int32,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    topics: array(
      struct({
        topic: string,
        partitions: array(
          struct({
            errorCode: int16,
            partition: int32,
            leaderEpoch: withDefault(int32, -1),
            endOffset: withDefault(int64, -1),
          }),
        ),
      }),
    ),
  }),
})

export type OffsetForLeaderEpochRequest = Decoded<typeof offsetForLeaderEpoch.request>
export type OffsetForLeaderEpochResponse = Given<typeof offsetForLeaderEpoch.response>

import { api } from '../api.ts'
import {
  array,
  type Decoded,
  type Given,
  int16,
  int32,
  int64,
  nullableString,
  string,
} from '../schema.ts'
import { between, since, struct, withDefault } from '../struct.ts'

/**
 * OffsetCommit (key 8), versions 2 to 9: offsets are kept for a group.
 *
 * 5: no retention time (KIP-211). 6: leader epochs (KIP-320). 7: group instance id (KIP-345). 8: flexible (KIP-482).
 * 9: members of the new consumer protocol, GROUP_ID_NOT_FOUND and STALE_MEMBER_EPOCH (KIP-848).
 *
 * Not done: 10, which names topics by id (KIP-848).
 */

export const offsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  minVersion: 2,
  maxVersion: 9,
  flexibleFrom: 8,
  request: struct({
    groupId: string,
    generationIdOrMemberEpoch: withDefault(int32, -1),
    memberId: string,
    groupInstanceId: since(7, nullableString, null),
    retentionTimeMs: between(2, 4, int64, -1),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            committedOffset: int64,
            committedLeaderEpoch: since(6, int32, -1),
            committedMetadata: nullableString,
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
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

export type OffsetCommitRequest = Decoded<typeof offsetCommit.request>
export type OffsetCommitResponse = Given<typeof offsetCommit.response>

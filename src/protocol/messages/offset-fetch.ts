import { api } from '../api.ts'
import {
  array,
  bool,
  type Decoded,
  type Given,
  int16,
  int32,
  int64,
  nullableArray,
  nullableSince,
  nullableString,
  string,
} from '../schema.ts'
import { between, since, struct, withDefault } from '../struct.ts'

/**
 * OffsetFetch (key 9), versions 1 to 9: the offsets kept for a group; from 8 on for several groups.
 * Every partition that was asked for is answered, with offset -1 when there is none.
 *
 * 2: null topics are all, and an error for the group. 5: leader epochs (KIP-320). 6: flexible (KIP-482).
 * 7: only stable offsets (KIP-447). 8: several groups (KIP-709). 9: member id and epoch (KIP-848).
 *
 * Not done: 10, which names topics by id (KIP-848).
 */

export const offsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  minVersion: 1,
  maxVersion: 9,
  flexibleFrom: 6,
  request: struct({
    groupId: between(1, 7, string, ''),
    topics: between(
      1,
      7,
      nullableSince(
        2,
        array(
          struct({
            name: string,
            partitionIndexes: array(int32),
          }),
        ),
      ),
      [],
    ),
    groups: since(
      8,
      array(
        struct({
          groupId: string,
          memberId: since(9, nullableString, null),
          memberEpoch: since(9, int32, -1),
          topics: nullableArray(
            struct({
              name: string,
              partitionIndexes: array(int32),
            }),
          ),
        }),
      ),
      [],
    ),
    requireStable: since(7, bool, false),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
    topics: between(
      1,
      7,
      array(
        struct({
          name: string,
          partitions: array(
            struct({
              partitionIndex: int32,
              committedOffset: int64,
              committedLeaderEpoch: since(5, int32, -1),
              metadata: nullableString,
              errorCode: int16,
            }),
          ),
        }),
      ),
      [],
    ),
    errorCode: between(2, 7, int16, 0),
    groups: since(
      8,
      array(
        struct({
          groupId: string,
          topics: array(
            struct({
              name: string,
              partitions: array(
                struct({
                  partitionIndex: int32,
                  committedOffset: int64,
                  committedLeaderEpoch: withDefault(int32, -1),
                  metadata: nullableString,
                  errorCode: int16,
                }),
              ),
            }),
          ),
          errorCode: withDefault(int16, 0),
        }),
      ),
      [],
    ),
  }),
})

export type OffsetFetchRequest = Decoded<typeof offsetFetch.request>
export type OffsetFetchResponse = Given<typeof offsetFetch.response>

import { api } from '../api.ts'
import {
  array,
  bool,
  bytes,
  type Decoded,
  type Given,
  int16,
  int32,
  nullableSince,
  nullableString,
  string,
} from '../schema.ts'
import { since, struct, withDefault } from '../struct.ts'

/**
 * JoinGroup (key 11), versions 0 to 9: a member enters a generation of a classic group.
 *
 * 1: rebalance timeout (KIP-62). 4: MEMBER_ID_REQUIRED (KIP-394). 5: group instance id, in the response for each
 * member, also when null (KIP-345). 6: flexible (KIP-482). 7: protocol type in the response, whose protocol name may be
 * null; before, a refusal has the name "" (KIP-559). 8: reason (KIP-800). 9: skip assignment (KIP-814).
 */

export const joinGroup = api({
  key: 11,
  name: 'JoinGroup',
  minVersion: 0,
  maxVersion: 9,
  flexibleFrom: 6,
  request: struct({
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: since(1, int32, -1),
    memberId: string,
    groupInstanceId: since(5, nullableString, null),
    protocolType: string,
    protocols: array(
      struct({
        name: string,
        metadata: bytes,
      }),
    ),
    reason: since(8, nullableString, null),
  }),
  response: struct({
    throttleTimeMs: since(2, int32, 0),
    errorCode: int16,
    generationId: withDefault(int32, -1),
    protocolType: since(7, nullableString, null),
    protocolName: nullableSince(7, string),
    leader: string,
    skipAssignment: since(9, bool, false),
    memberId: string,
    members: array(
      struct({
        memberId: string,
        groupInstanceId: since(5, nullableString, null),
        metadata: bytes,
      }),
    ),
  }),
})

export type JoinGroupRequest = Decoded<typeof joinGroup.request>
export type JoinGroupResponse = Given<typeof joinGroup.response>

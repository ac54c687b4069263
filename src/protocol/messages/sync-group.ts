import { api } from '../api.ts'
import {
  array,
  bytes,
  type Decoded,
  type Given,
  int16,
  int32,
  nullableString,
  string,
} from '../schema.ts'
import { since, struct } from '../struct.ts'

/**
 * SyncGroup (key 14), versions 0 to 5: the leader hands in the assignments, every member takes its own.
 *
 * 3: group instance id (KIP-345). 4: flexible (KIP-482). 5: protocol type and name (KIP-559).
 */

export const syncGroup = api({
  key: 14,
  name: 'SyncGroup',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
    protocolType: since(5, nullableString, null),
    protocolName: since(5, nullableString, null),
    assignments: array(
      struct({
        memberId: string,
        assignment: bytes,
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    protocolType: since(5, nullableString, null),
    protocolName: since(5, nullableString, null),
    assignment: bytes,
  }),
})

export type SyncGroupRequest = Decoded<typeof syncGroup.request>
export type SyncGroupResponse = Given<typeof syncGroup.response>

import { api } from '../api.ts'
import { array, type Decoded, type Given, int16, int32, nullableString, string } from '../schema.ts'
import { between, since, struct, withDefault } from '../struct.ts'

/**
 * LeaveGroup (key 13), versions 0 to 5: members leave a classic group.
 *
 * 3: several members, by id or instance id (KIP-345). 4: flexible (KIP-482). 5: reason (KIP-800).
 */

export const leaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    memberId: between(0, 2, string, ''),
    members: since(
      3,
      array(
        struct({
          memberId: string,
          groupInstanceId: withDefault(nullableString, null),
          reason: since(5, nullableString, null),
        }),
      ),
      [],
    ),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    members: since(
      3,
      array(
        struct({
          memberId: string,
          groupInstanceId: nullableString,
          errorCode: int16,
        }),
      ),
      [],
    ),
  }),
})

export type LeaveGroupRequest = Decoded<typeof leaveGroup.request>
export type LeaveGroupResponse = Given<typeof leaveGroup.response>

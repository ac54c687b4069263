import { api } from '../api.ts'
import {
  array,
  bool,
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
 * DescribeGroups (key 15), versions 0 to 6: state and members of classic groups.
 *
 * 3: authorized operations (KIP-430). 4: group instance id (KIP-345). 5: flexible (KIP-482).
 * 6: error message, GROUP_ID_NOT_FOUND in place of state Dead (KIP-1043).
 */

export const describeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  minVersion: 0,
  maxVersion: 6,
  flexibleFrom: 5,
  request: struct({
    groups: array(string),
    includeAuthorizedOperations: since(3, bool),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    groups: array(
      struct({
        errorCode: int16,
        errorMessage: since(6, nullableString, null),
        groupId: string,
        groupState: string,
        protocolType: string,
        protocolData: string,
        members: array(
          struct({
            memberId: string,
            groupInstanceId: since(4, nullableString, null),
            clientId: string,
            clientHost: string,
            memberMetadata: bytes,
            memberAssignment: bytes,
          }),
        ),
        authorizedOperations: since(3, int32, -2147483648),
      }),
    ),
  }),
})

export type DescribeGroupsRequest = Decoded<typeof describeGroups.request>
export type DescribeGroupsResponse = Given<typeof describeGroups.response>

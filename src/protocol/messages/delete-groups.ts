import { api } from '../api.ts'
import { array, type Decoded, type Given, int16, int32, string } from '../schema.ts'
import { struct, withDefault } from '../struct.ts'

/**
 * DeleteGroups (key 42), versions 0 to 2 (KIP-229).
 *
 * 2: flexible (KIP-482).
 */

export const deleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({
    groupsNames: array(string),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    results: array(
      struct({
        groupId: string,
        errorCode: int16,
      }),
    ),
  }),
})

export type DeleteGroupsRequest = Decoded<typeof deleteGroups.request>
export type DeleteGroupsResponse = Given<typeof deleteGroups.response>

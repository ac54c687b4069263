import { api } from '../api.ts'
import { array, type Decoded, type Given, int16, int32, string } from '../schema.ts'
import { since, struct } from '../struct.ts'

/**
 * ListGroups (key 16), versions 0 to 5: the ids of all groups.
 *
 * 3: flexible (KIP-482). 4: filter by state (KIP-518). 5: filter by type (KIP-848).
 */

export const listGroups = api({
  key: 16,
  name: 'ListGroups',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 3,
  request: struct({
    statesFilter: since(4, array(string), []),
    typesFilter: since(5, array(string), []),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    groups: array(
      struct({
        groupId: string,
        protocolType: string,
        groupState: since(4, string),
        groupType: since(5, string),
      }),
    ),
  }),
})

export type ListGroupsRequest = Decoded<typeof listGroups.request>
export type ListGroupsResponse = Given<typeof listGroups.response>

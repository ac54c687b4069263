import { api } from '../api.ts'
import {
  array,
  type Decoded,
  type Given,
  int8,
  int16,
  int32,
  nullableString,
  string,
} from '../schema.ts'
import { between, since, struct } from '../struct.ts'

/**
 * FindCoordinator (key 10), versions 0 to 6: the broker that is responsible for a group or a transactional id.
 *
 * 1: key type (KIP-98) and an error message. 3: flexible (KIP-482). 4: several keys (KIP-699).
 * 5: TRANSACTION_ABORTABLE (KIP-890). 6: share groups as a key type (KIP-932).
 */

export const findCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  minVersion: 0,
  maxVersion: 6,
  flexibleFrom: 3,
  request: struct({
    key: between(0, 3, string, ''),
    keyType: since(1, int8, 0),
    coordinatorKeys: since(4, array(string), []),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: between(0, 3, int16, 0),
    errorMessage: between(1, 3, nullableString, null),
    nodeId: between(0, 3, int32, 0),
    host: between(0, 3, string, ''),
    port: between(0, 3, int32, 0),
    coordinators: since(
      4,
      array(
        struct({
          key: string,
          nodeId: int32,
          host: string,
          port: int32,
          errorCode: int16,
          errorMessage: nullableString,
        }),
      ),
      [],
    ),
  }),
})

export type FindCoordinatorRequest = Decoded<typeof findCoordinator.request>
export type FindCoordinatorResponse = Given<typeof findCoordinator.response>

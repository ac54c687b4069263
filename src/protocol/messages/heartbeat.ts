import { api } from '../api.ts'
import { type Decoded, type Given, int16, int32, nullableString, string } from '../schema.ts'
import { since, struct } from '../struct.ts'

/**
 * Heartbeat (key 12), versions 0 to 4: a member of a classic group says that it lives.
 *
 * 3: group instance id (KIP-345). 4: flexible (KIP-482).
 */

export const heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
  }),
})

export type HeartbeatRequest = Decoded<typeof heartbeat.request>
export type HeartbeatResponse = Given<typeof heartbeat.response>

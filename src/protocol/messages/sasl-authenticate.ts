import { api } from '../api.ts'
import { bytes, int16, int64, nullableString } from '../schema.ts'
import { since, struct } from '../struct.ts'

/**
 * SaslAuthenticate (key 36), versions 0 to 2: the tokens of a SASL exchange (KIP-152). Our broker has no SASL: the client
 * speaks it to others.
 *
 * 1: how long the session lasts (KIP-368). 2: flexible (KIP-482).
 */

export const saslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({
    authBytes: bytes,
  }),
  response: struct({
    errorCode: int16,
    errorMessage: nullableString,
    authBytes: bytes,
    sessionLifetimeMs: since(1, int64, 0),
  }),
})

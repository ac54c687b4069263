import { api } from '../api.ts'
import { array, type Decoded, type Given, int16, string } from '../schema.ts'
import { struct } from '../struct.ts'

/**
 * SaslHandshake (key 17), versions 0 to 1: a client chooses a SASL mechanism. Never flexible.
 *
 * 0: bare SASL tokens follow. 1: SaslAuthenticate requests follow (KIP-152).
 */

export const saslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: null,
  request: struct({
    mechanism: string,
  }),
  response: struct({
    errorCode: int16,
    mechanisms: array(string),
  }),
})

export type SaslHandshakeRequest = Decoded<typeof saslHandshake.request>
export type SaslHandshakeResponse = Given<typeof saslHandshake.response>

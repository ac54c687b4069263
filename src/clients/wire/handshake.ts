/** What a connection says first: which versions both sides have in common (KIP-511), and who the client is (KIP-152). */
import { messageOf } from '../../errors.ts'
import type { Api } from '../../protocol/api.ts'
import { errorCode, errorName } from '../../protocol/errors.ts'
import { apiVersions } from '../../protocol/messages/api-versions.ts'
import { saslAuthenticate } from '../../protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../protocol/messages/sasl-handshake.ts'
import type { Decoded, Given } from '../../protocol/schema.ts'
import type { SecurityOptions } from '../driver.ts'
import { createSaslExchange, mechanismName } from './authentication.ts'
import { assertNoError, BrokerError, ConnectionError } from './errors.ts'

/** Inclusive. */
export interface VersionRange {
  readonly minVersion: number
  readonly maxVersion: number
}

/** One request in a version that the caller names. */
export type Ask = <A extends Api>(
  one: A,
  version: number,
  body: Given<A['request']>,
) => Promise<Decoded<A['response']>>

/** By API key. A broker that does not know our version of ApiVersions answers 35 with the range it knows. */
export const askVersions = async (ask: Ask): Promise<Map<number, VersionRange>> => {
  const body = { clientSoftwareName: 'bench', clientSoftwareVersion: '0' }
  let answer = await ask(apiVersions, apiVersions.maxVersion, body)
  if (answer.errorCode === errorCode.UNSUPPORTED_VERSION) {
    const told = answer.apiKeys.find(({ apiKey }) => apiKey === apiVersions.key)
    const version = Math.min(told?.maxVersion ?? 0, apiVersions.maxVersion - 1)
    answer = await ask(apiVersions, version, body)
  }
  assertNoError(answer.errorCode)
  return new Map(answer.apiKeys.map(({ apiKey, ...range }) => [apiKey, range]))
}

/** Rejects with a `ConnectionError` of problem `authentication` when the broker refuses, or is not who it says. */
export const authenticate = async (
  ask: Ask,
  sasl: NonNullable<SecurityOptions['sasl']>,
  { address, authenticateVersion }: { address: string; authenticateVersion: number },
): Promise<void> => {
  const refuse = (message: string) => new ConnectionError('authentication', address, message)
  const mechanism = mechanismName(sasl)
  const { errorCode: code, mechanisms } = await ask(saslHandshake, 1, { mechanism })
  if (code === errorCode.UNSUPPORTED_SASL_MECHANISM || !mechanisms.includes(mechanism)) {
    throw refuse(
      `the broker has no SASL mechanism ${mechanism}; it has ${mechanisms.join(', ') || 'none'}`,
    )
  }
  if (code !== 0) throw refuse(errorName(code))
  const exchange = createSaslExchange(sasl)
  try {
    for (let token = exchange(null); token !== null; ) {
      const answer = await ask(saslAuthenticate, authenticateVersion, { authBytes: token })
      assertNoError(answer.errorCode, answer.errorMessage)
      token = exchange(answer.authBytes)
    }
  } catch (error) {
    if (error instanceof ConnectionError) throw error
    throw refuse(error instanceof BrokerError ? error.message : messageOf(error))
  }
}

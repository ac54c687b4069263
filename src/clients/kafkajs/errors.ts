/**
 * Turns what kafkajs throws into errors of ours: one line, the address, the cause, never the password. The original
 * is not kept as `cause`, since its message and stack are not cleared of the password.
 */
import { DriverError, messageOf, SurroundingsError } from '../../errors.ts'
import type { ConnectionOptions } from '../driver.ts'
import { closedHint, redact, tlsHint } from '../security.ts'

interface KafkajsError extends Error {
  code?: string | number
  retriable?: boolean
  broker?: string
}

/** kafkajs wraps: the innermost error is what happened. An aggregate stands for its first error. */
export const rootOf = (error: unknown): KafkajsError => {
  let root = error instanceof Error ? error : new Error(String(error))
  for (;;) {
    const inner: unknown =
      'errors' in root && Array.isArray(root.errors) ? root.errors[0] : root.cause
    if (!(inner instanceof Error) || inner === root) return root
    root = inner
  }
}

const connectionErrors = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
])

export const isConnectionLoss = (error: unknown): boolean =>
  connectionErrors.has(rootOf(error).name)

/** The broker's error code, or null when it was not the broker that refused. */
export const kafkaCodeOf = (error: unknown): number | null => {
  const { code } = rootOf(error)
  return typeof code === 'number' ? code : null
}

/** What happened, with the broker's address when kafkajs knows it and does not say it. */
export const describe = (error: unknown): string => {
  const root = rootOf(error)
  const message = messageOf(root)
  const { broker } = root
  return broker === undefined || message.includes(broker) ? message : `${message} (${broker})`
}

export const toDriverError = (
  doing: string,
  error: unknown,
  connection: ConnectionOptions,
): DriverError => {
  const root = rootOf(error)
  return new DriverError(redact(`cannot ${doing}: ${describe(error)}`, connection), {
    kafkaCode: kafkaCodeOf(error),
    isRetriable: root.retriable ?? false,
  })
}

const isTlsFailure = ({ code, message }: KafkajsError): boolean =>
  (typeof code === 'string' && /^(EPROTO|ERR_SSL|ERR_TLS|CERT_|DEPTH_|SELF_|UNABLE_)/.test(code)) ||
  message.includes('before secure TLS connection')

/** True when the next attempt to connect would end in the same way: wrong password, wrong certificate. */
export const isHopeless = (error: unknown): boolean => {
  const root = rootOf(error)
  return root.retriable === false || isTlsFailure(root)
}

const adviceFor = (root: KafkajsError, { security }: ConnectionOptions): string => {
  if (isTlsFailure(root)) {
    return tlsHint
  }
  if (root.name !== 'KafkaJSConnectionClosedError') return ''
  return closedHint(security)
}

/** Why no broker could be reached, with all addresses that were tried. */
export const toConnectError = (
  error: unknown,
  connection: ConnectionOptions,
): SurroundingsError => {
  const root = rootOf(error)
  const addresses = connection.bootstrapServers.join(', ')
  const doing =
    root.name === 'KafkaJSSASLAuthenticationError' ? 'authenticate at' : 'connect to a broker at'
  const reason = messageOf(root).replace(/^Connection error: /, '')
  return new SurroundingsError(
    redact(`cannot ${doing} ${addresses}: ${reason}${adviceFor(root, connection)}`, connection),
  )
}

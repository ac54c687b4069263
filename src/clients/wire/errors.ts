/** What can go wrong on a connection, as types; and what of it a user gets to read: one line, without the password. */
import { DriverError, messageOf, SurroundingsError } from '../../errors.ts'
import { errorName, isRetriable } from '../../protocol/errors.ts'
import type { ConnectionOptions } from '../driver.ts'
import { closedHint, redact, tlsHint } from '../security.ts'

type ConnectionProblem =
  /** Nobody listens, or the name is unknown. */
  | 'unreachable'
  | 'closed'
  /** No answer in time. The connection is closed then: answers come in order, so all later ones are late too. */
  | 'timeout'
  /** The bytes are not what the protocol says: a wrong correlation id, a frame of no size, a body that does not decode. */
  | 'protocol'
  | 'authentication'
  | 'tls'
  /** The broker and bench have no version of an API in common. */
  | 'unsupported'

/** A connection that could not be made, or that has ended with requests open. */
export class ConnectionError extends Error {
  readonly problem: ConnectionProblem
  /** `host:port` */
  readonly address: string

  constructor(problem: ConnectionProblem, address: string, message: string) {
    super(message)
    this.name = 'ConnectionError'
    this.problem = problem
    this.address = address
  }

  /** The next attempt to connect would end in the same way. */
  get isHopeless(): boolean {
    const { problem } = this
    return problem === 'authentication' || problem === 'tls' || problem === 'unsupported'
  }
}

/** An error code of the broker in an answer of the control plane. */
export class BrokerError extends Error {
  readonly kafkaCode: number

  constructor(kafkaCode: number, message: string | null = null) {
    super(message === null ? errorName(kafkaCode) : `${errorName(kafkaCode)}: ${message}`)
    this.name = 'BrokerError'
    this.kafkaCode = kafkaCode
  }
}

/** Throws a `BrokerError` unless the code is 0. */
export const assertNoError = (code: number, message: string | null = null): void => {
  if (code !== 0) throw new BrokerError(code, message)
}

export const toDriverError = (
  doing: string,
  error: unknown,
  connection: ConnectionOptions,
): DriverError => {
  const kafkaCode = error instanceof BrokerError ? error.kafkaCode : null
  const canRetry = error instanceof ConnectionError ? !error.isHopeless : kafkaCode !== null
  return new DriverError(redact(`cannot ${doing}: ${messageOf(error)}`, connection), {
    kafkaCode,
    isRetriable: canRetry && (kafkaCode === null || isRetriable(kafkaCode)),
  })
}

const adviceFor = (error: unknown, { security }: ConnectionOptions): string => {
  if (!(error instanceof ConnectionError)) return ''
  if (error.problem === 'tls') {
    return tlsHint
  }
  if (error.problem !== 'closed' && error.problem !== 'protocol') return ''
  return closedHint(security)
}

/** Why no broker could be reached, with all addresses that were tried. */
export const toConnectError = (
  error: unknown,
  connection: ConnectionOptions,
): SurroundingsError => {
  const addresses = connection.bootstrapServers.join(', ')
  const isRefused = error instanceof ConnectionError && error.problem === 'authentication'
  const doing = isRefused ? 'authenticate at' : 'connect to a broker at'
  const reason = `${messageOf(error)}${adviceFor(error, connection)}`
  return new SurroundingsError(redact(`cannot ${doing} ${addresses}: ${reason}`, connection))
}

/** Turns what @platformatic/kafka throws into errors of ours: one line, the address, the cause, never the password. */
import { DriverError, messageOf, SurroundingsError } from '../../errors.ts'
import type { ConnectionOptions } from '../driver.ts'
import { closedHint, redact, tlsHint } from '../security.ts'

/** An error of the library; of an aggregate and of a cause the same may be asked. */
interface LibraryError extends Error {
  code?: string
  apiId?: string
  apiCode?: number
  canRetry?: boolean
  /** The whole answer to a Produce in which a partition was refused. */
  response?: { responses?: { partitionResponses?: ProducePartition[] }[] }
}

interface ProducePartition {
  index: number
  errorCode: number
  baseOffset: bigint
}

export interface PartitionAnswer {
  code: number
  baseOffset: number
}

const unknownTopicOrPartition = 3
const saslAuthenticationFailed = 58

/** The error and all that it wraps, outermost first. */
const chainOf = (error: unknown): LibraryError[] => {
  if (!(error instanceof Error)) return [new Error(String(error))]
  const inner: unknown[] = error instanceof AggregateError ? error.errors : []
  const wrapped = error.cause === undefined ? inner : [...inner, error.cause]
  return [error, ...wrapped.filter((one) => one instanceof Error).flatMap(chainOf)]
}

/** What Kafka answered, or null when it was not the broker that refused. */
export const kafkaCodeOf = (error: unknown): number | null => {
  const chain = chainOf(error)
  // The library makes an error of its own of this one.
  if (chain.some((one) => one.message.startsWith('Unknown topic '))) return unknownTopicOrPartition
  return chain.find((one) => one.apiCode !== undefined)?.apiCode ?? null
}

/** What a Produce that was refused for some partitions was answered for each; empty when there was no answer. */
export const partitionAnswersOf = (error: unknown): Map<number, PartitionAnswer> => {
  const answers = new Map<number, PartitionAnswer>()
  for (const { response } of chainOf(error)) {
    for (const { partitionResponses } of response?.responses ?? []) {
      for (const { index, errorCode, baseOffset } of partitionResponses ?? []) {
        answers.set(index, { code: errorCode, baseOffset: Number(baseOffset) })
      }
    }
  }
  return answers
}

/** What happened: the broker's refusal, else the innermost of the first errors. */
export const describe = (error: unknown): string => {
  const chain = chainOf(error)
  const refused = chain.find((one) => one.apiId !== undefined)
  if (refused !== undefined) return `${refused.apiId}: ${messageOf(refused)}`
  let root = chain[0] ?? new Error('unknown')
  for (;;) {
    const inner: unknown = root instanceof AggregateError ? root.errors[0] : root.cause
    if (!(inner instanceof Error)) return messageOf(root)
    root = inner
  }
}

/** A connection that has timed out a request loses its place in the answers: it must not be used again. */
export const isTimedOutRequest = (error: unknown): boolean =>
  chainOf(error).some((one) => one.message === 'Request timed out')

export const isConnectionLoss = (error: unknown): boolean =>
  !isTimedOutRequest(error) && chainOf(error).some((one) => one.code === 'PLT_KFK_NETWORK')

/** True when the request may have been written: the library's other errors come before that. */
export const mayBeWritten = (error: unknown): boolean =>
  chainOf(error).some((one) =>
    ['Request timed out', 'Connection closed', 'Connection error'].includes(one.message),
  )

/** True when the broker does not let us in. */
export const isDenied = (error: unknown): boolean =>
  kafkaCodeOf(error) === saslAuthenticationFailed ||
  chainOf(error).some((one) => one.code === 'PLT_KFK_AUTHENTICATION')

/** True when the next attempt to connect would end in the same way: wrong password, wrong certificate. */
export const isHopeless = (error: unknown): boolean =>
  isTlsFailure(error) || kafkaCodeOf(error) === unknownTopicOrPartition || isDenied(error)

const isTlsFailure = (error: unknown): boolean =>
  chainOf(error).some(
    ({ code, message }) =>
      /^(EPROTO|ERR_SSL|ERR_TLS|CERT_|DEPTH_|SELF_|UNABLE_)/.test(code ?? '') ||
      message.startsWith('TLS handshake failed'),
  )

export const toDriverError = (
  doing: string,
  error: unknown,
  connection: ConnectionOptions,
): DriverError =>
  new DriverError(redact(`cannot ${doing}: ${describe(error)}`, connection), {
    kafkaCode: kafkaCodeOf(error),
    isRetriable: !chainOf(error).some((one) => one.canRetry === false),
  })

/** What the sink is told when a client gives up. */
export const crashOf = (error: unknown, connection: ConnectionOptions) => ({
  message: redact(describe(error), connection),
  isConnectionLost: isConnectionLoss(error),
})

const adviceFor = (error: unknown, { security }: ConnectionOptions): string => {
  if (isTlsFailure(error)) {
    return tlsHint
  }
  if (!chainOf(error).some((one) => one.message === 'Connection closed')) return ''
  return closedHint(security)
}

/** Why no broker could be reached, with all addresses that were tried. */
export const toConnectError = (
  error: unknown,
  connection: ConnectionOptions,
): SurroundingsError => {
  const doing = isDenied(error) ? 'authenticate at' : 'connect to a broker at'
  const addresses = connection.bootstrapServers.join(', ')
  const reason = `${describe(error)}${adviceFor(error, connection)}`
  return new SurroundingsError(redact(`cannot ${doing} ${addresses}: ${reason}`, connection))
}

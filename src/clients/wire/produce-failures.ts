/** What a failed attempt means: whether the records may be in the log, and whether to try again. */
import { errorCode, errorName } from '../../protocol/errors.ts'
import type { SendFailure } from '../driver.ts'
import { ConnectionError } from './errors.ts'

/** Refusals of a broker that is not, or not fully, the leader: certain, and another attempt may succeed. */
const leadershipCodes: ReadonlySet<number> = new Set([
  errorCode.LEADER_NOT_AVAILABLE,
  errorCode.NOT_LEADER_OR_FOLLOWER,
  errorCode.NOT_ENOUGH_REPLICAS,
  errorCode.FENCED_LEADER_EPOCH,
  errorCode.UNKNOWN_LEADER_EPOCH,
])
/** The records may be in the log, and the same batch may be sent again where the broker drops the second one. */
const appendedPerhapsCodes: ReadonlySet<number> = new Set([
  errorCode.REQUEST_TIMED_OUT,
  errorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
])
const uncertainCodes: ReadonlySet<number> = new Set([
  ...appendedPerhapsCodes,
  errorCode.UNKNOWN_SERVER_ERROR,
  errorCode.DUPLICATE_SEQUENCE_NUMBER,
])

export interface Verdict {
  readonly failure: SendFailure
  /** Of this attempt alone. */
  readonly mayHaveLanded: boolean
  readonly mayRetry: boolean
}

/** `isIdempotent`: the broker takes a batch once, however often it is sent. */
export const verdictOfCode = (
  code: number,
  message: string | null,
  isIdempotent: boolean,
): Verdict => ({
  failure: {
    isUnknown: false,
    isConnectionLost: false,
    kafkaCode: code,
    message: message === null ? errorName(code) : `${errorName(code)}: ${message}`,
  },
  mayHaveLanded: uncertainCodes.has(code),
  mayRetry: leadershipCodes.has(code) || (isIdempotent && appendedPerhapsCodes.has(code)),
})

/** `isWritten`: the broker may have seen the request. */
export const verdictOfLoss = (
  error: unknown,
  message: string,
  { isWritten, isIdempotent }: { isWritten: boolean; isIdempotent: boolean },
): Verdict => {
  const problem = error instanceof ConnectionError ? error.problem : null
  const isConnectionLost = problem === 'closed' || problem === 'unreachable'
  return {
    failure: { isUnknown: isWritten, isConnectionLost, kafkaCode: null, message },
    mayHaveLanded: isWritten,
    mayRetry: !isWritten || isIdempotent,
  }
}

import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { errorCode, errorName, isRetriable } from './errors.ts'

interface KafkajsError {
  type: string
  code: number
  retriable: boolean
}
const require = createRequire(import.meta.url)
const { errorCodes: kafkajsErrors } = require('kafkajs/src/protocol/error.js') as {
  errorCodes: KafkajsError[]
}

/** Kafka has renamed these since. */
const renamed: Readonly<Record<string, string>> = {
  UNKNOWN: 'UNKNOWN_SERVER_ERROR',
  NOT_LEADER_FOR_PARTITION: 'NOT_LEADER_OR_FOLLOWER',
  GROUP_LOAD_IN_PROGRESS: 'COORDINATOR_LOAD_IN_PROGRESS',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'COORDINATOR_NOT_AVAILABLE',
  NOT_COORDINATOR_FOR_GROUP: 'NOT_COORDINATOR',
}

/** kafkajs takes errors that came after its table was first written as final; Kafka's classes say otherwise. */
const retriableSince = new Set(
  'CONCURRENT_TRANSACTIONS FETCH_SESSION_ID_NOT_FOUND INVALID_FETCH_SESSION_EPOCH'.split(' '),
)

describe('error codes', () => {
  it.each(kafkajsErrors)('$type is $code', ({ type, code, retriable }) => {
    const name = renamed[type] ?? type
    expect(errorName(code)).toBe(name)
    if (!retriableSince.has(name)) expect(isRetriable(code)).toBe(retriable)
  })

  it('are -1 to 133 without a gap', () => {
    const codes = Object.values(errorCode).toSorted((a, b) => a - b)
    expect(codes).toEqual(Array.from({ length: 135 }, (_, index) => index - 1))
  })

  it('have a name even when Kafka has none', () => {
    expect(errorName(999)).toBe('ERROR_999')
    expect(isRetriable(999)).toBe(false)
  })
})

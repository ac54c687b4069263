import { expect, test } from 'vitest'
import type { ConnectionOptions } from '../driver.ts'
import {
  describe,
  isConnectionLoss,
  isHopeless,
  kafkaCodeOf,
  mayBeWritten,
  partitionAnswersOf,
  toConnectError,
} from './errors.ts'

const network = (message: string, cause?: Error): Error =>
  Object.assign(new Error(message, { cause }), { code: 'PLT_KFK_NETWORK' })
const refused = new Error('Connection to h:1 failed.', {
  cause: new Error('connect ECONNREFUSED 127.0.0.1:1'),
})
Object.assign(refused, { code: 'PLT_KFK_NETWORK' })
const notLeader = Object.assign(new Error('Not the leader.'), {
  apiId: 'NOT_LEADER_OR_FOLLOWER',
  apiCode: 6,
})
const connection: ConnectionOptions = {
  bootstrapServers: ['h:1', 'h:2'],
  clientId: 'bench',
  connectTimeoutMs: 1,
  requestTimeoutMs: 1,
  security: { tls: null, sasl: { mechanism: 'plain', username: 'u', password: 'sesame' } },
  properties: {},
}

test('the innermost error says what happened, and a refusal of the broker goes before it', () => {
  expect(describe(new AggregateError([refused], 'Cannot connect to any broker.'))).toBe(
    'connect ECONNREFUSED 127.0.0.1:1',
  )
  const wrapped = new AggregateError([network('Connection closed'), notLeader], 'failed')
  expect(describe(wrapped)).toBe('NOT_LEADER_OR_FOLLOWER: Not the leader.')
  expect(kafkaCodeOf(wrapped)).toBe(6)
  expect(describe('odd')).toBe('odd')
})

test('only what was sent may be written', () => {
  expect(mayBeWritten(refused)).toBe(false)
  expect(mayBeWritten(new AggregateError([network('Connection closed')], 'x'))).toBe(true)
  expect(mayBeWritten(network('Request timed out'))).toBe(true)
})

test('a request that timed out is no lost connection', () => {
  expect(isConnectionLoss(refused)).toBe(true)
  expect(isConnectionLoss(network('Request timed out'))).toBe(false)
  expect(isConnectionLoss(notLeader)).toBe(false)
})

test('a topic that is unknown has its code again, and trying again is hopeless', () => {
  const unknown = new Error('Unknown topic t.')
  expect(kafkaCodeOf(unknown)).toBe(3)
  expect(isHopeless(unknown)).toBe(true)
  expect(isHopeless(refused)).toBe(false)
})

test('a Produce that was refused in part is answered by partition', () => {
  const partitionResponses = [
    { index: 0, errorCode: 0, baseOffset: 7n },
    { index: 1, errorCode: 6, baseOffset: -1n },
  ]
  const response = { responses: [{ partitionResponses }] }
  const error = new AggregateError([Object.assign(notLeader, { response })], 'x')
  expect([...partitionAnswersOf(error)]).toEqual([
    [0, { code: 0, baseOffset: 7 }],
    [1, { code: 6, baseOffset: -1 }],
  ])
  expect(partitionAnswersOf(refused).size).toBe(0)
})

test('why no broker was reached names the addresses and not the password', () => {
  expect(toConnectError(new Error('bad sesame'), connection)).toMatchObject({
    exitCode: 3,
    message: 'cannot connect to a broker at h:1, h:2: bad ***',
  })
  const denied = Object.assign(new Error('denied'), { code: 'PLT_KFK_AUTHENTICATION' })
  expect(toConnectError(denied, connection).message).toBe('cannot authenticate at h:1, h:2: denied')
  const answered = Object.assign(new Error('no'), {
    apiId: 'SASL_AUTHENTICATION_FAILED',
    apiCode: 58,
  })
  expect(isHopeless(answered)).toBe(true)
  expect(toConnectError(answered, connection).message).toContain('cannot authenticate at h:1, h:2')
  const closed = { ...connection, security: { tls: null, sasl: null } }
  expect(toConnectError(network('Connection closed'), closed).message).toContain('needs --tls')
})

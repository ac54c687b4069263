import { expect, test } from 'vitest'
import { UsageError } from '../../errors.ts'
import { booleanOf, checkProperties, numberOf, textOf } from './properties.ts'

test('known properties with allowed values pass', () => {
  checkProperties({
    'client.id': 'me',
    retries: '0',
    'allow.auto.create.topics': 'true',
    'fetch.max.bytes': '1048576',
  })
})

test.each([
  ['linger.ms', '5', 'client property linger.ms: unknown to kafkajs; known are client.id'],
  ['constructor', '5', 'client property constructor: unknown to kafkajs'],
  [
    'retries',
    '-1',
    'client property retries=-1: kafkajs takes a whole number from 0 to 2147483647',
  ],
  ['retries', '1.5', 'client property retries=1.5: kafkajs takes a whole number'],
  ['request.timeout.ms', '0', 'kafkajs takes a whole number from 1'],
  ['allow.auto.create.topics', 'yes', 'kafkajs takes true or false'],
  ['client.id', '', 'kafkajs takes a text of at least one character'],
])('%s=%s is a usage error', (name, value, message) => {
  expect(() => checkProperties({ [name]: value })).toThrow(UsageError)
  expect(() => checkProperties({ [name]: value })).toThrow(message)
})

test('a given property wins over the fallback', () => {
  const properties = { retries: '3', 'client.id': 'me', 'allow.auto.create.topics': 'false' }
  expect(numberOf(properties, 'retries', 10)).toBe(3)
  expect(numberOf(properties, 'retry.backoff.ms', 100)).toBe(100)
  expect(textOf(properties, 'client.id', 'bench')).toBe('me')
  expect(booleanOf(properties, 'allow.auto.create.topics', true)).toBe(false)
})

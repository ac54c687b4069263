import { expect, test } from 'vitest'
import type { ConnectionOptions } from '../driver.ts'
import { baseOptions, commonVersion, missingApis } from './connection.ts'
import type { Library } from './library.ts'

const library = {
  fetchV12: {},
  fetchV13: {},
  metadataV9: {},
  metadataV11: {},
} as unknown as Library
const range = (name: string, minVersion: number, maxVersion: number) => ({
  name,
  minVersion,
  maxVersion,
})

test('the highest version that both have is used', () => {
  expect(commonVersion(library, 'Fetch', [range('Fetch', 4, 12)])).toBe(12)
  expect(commonVersion(library, 'Fetch', [range('Fetch', 4, 17)])).toBe(13)
  expect(commonVersion(library, 'Fetch', [range('Fetch', 0, 11)])).toBeNull()
  expect(commonVersion(library, 'Fetch', [])).toBeNull()
})

test('what a broker lacks is told with what it has', () => {
  const told = [range('Fetch', 0, 11), range('Metadata', 0, 11)]
  expect(missingApis(library, ['Fetch', 'Metadata'], told)).toEqual([
    'Fetch from version 12 on (the broker has 0 to 11)',
    'Metadata other than version 11, which it writes wrongly (the broker has 0 to 11)',
  ])
  expect(missingApis(library, ['Fetch'], [])).toEqual([
    'Fetch from version 12 on (the broker does not have it)',
  ])
  expect(missingApis(library, ['Metadata'], [range('Metadata', 0, 9)])).toEqual([])
})

const connection: ConnectionOptions = {
  bootstrapServers: ['127.0.0.1:1', '127.0.0.1:2'],
  clientId: 'bench',
  connectTimeoutMs: 1_001,
  requestTimeoutMs: 30_000,
  security: { tls: null, sasl: null },
  properties: { 'request.timeout.ms': '7', 'retry.backoff.ms': '10', 'retry.backoff.max.ms': '35' },
}

test('the retry delay doubles up to its limit, and -X wins', () => {
  const options = baseOptions(connection)
  expect(options).toMatchObject({ requestTimeout: 7, connectTimeout: 501, retries: 10 })
  expect([1, 2, 3, 4].map((attempt) => options.retryDelay({}, '', attempt))).toEqual([
    10, 20, 35, 35,
  ])
})

test('TLS names the server unless that is an address', () => {
  const tls = { caFile: null, certFile: null, keyFile: null }
  const sasl = { mechanism: 'scram-sha-256', username: 'u', password: 'p' } as const
  const secured = { ...connection, security: { tls, sasl } }
  expect(baseOptions(secured)).toMatchObject({ tls: {}, sasl: { mechanism: 'SCRAM-SHA-256' } })
  expect(baseOptions(secured).tlsServerName).toBeUndefined()
  expect(baseOptions({ ...secured, bootstrapServers: ['kafka:9093'] }).tlsServerName).toBe(true)
})

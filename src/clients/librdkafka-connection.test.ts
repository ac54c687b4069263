import { expect, test } from 'vitest'
import type { ConnectionOptions } from './driver.ts'
import { checkProperties, configOf, connect, split } from './librdkafka-connection.ts'
import type { Library, LibraryError } from './librdkafka-library.ts'

const connection: ConnectionOptions = {
  bootstrapServers: ['h:1', 'h:2'],
  clientId: 'bench',
  connectTimeoutMs: 5,
  requestTimeoutMs: 30_000,
  security: {
    tls: { caFile: null, certFile: null, keyFile: null },
    sasl: { mechanism: 'plain', username: 'u', password: 'sesame' },
  },
  properties: { 'linger.ms': '7', acks: '1' },
}

test('-X wins over what bench sets', () => {
  expect(configOf(connection, { 'linger.ms': 0, 'fetch.queue.backoff.ms': 2 })).toMatchObject({
    'bootstrap.servers': 'h:1,h:2',
    'security.protocol': 'sasl_ssl',
    'sasl.mechanisms': 'PLAIN',
    'linger.ms': '7',
    'fetch.queue.backoff.ms': 2,
  })
})

test('names of topics go into the second configuration, where an empty one would hide them', () => {
  expect(split({ acks: 0, 'linger.ms': 1, 'auto.offset.reset': 'earliest' })).toEqual([
    { 'linger.ms': 1 },
    { acks: 0, 'auto.offset.reset': 'earliest' },
  ])
})

test('a property that librdkafka refuses is refused in its words', () => {
  class Producer {
    constructor(config: object) {
      if ('no.such' in config) throw new Error('No such configuration property: "no.such"')
    }
  }
  const library = { Producer } as unknown as Library
  expect(() => checkProperties(library, { 'linger.ms': '1' })).not.toThrow()
  expect(() => checkProperties(library, { 'no.such': '1' })).toThrow(
    expect.objectContaining({
      exitCode: 2,
      message: 'client property: librdkafka: No such configuration property: "no.such"',
    }),
  )
})

test('a broker that is not reached is told with the addresses and what librdkafka said', async () => {
  const listeners: ((error: LibraryError) => void)[] = []
  const error = (code: number, message: string) => Object.assign(new Error(message), { code })
  const client = {
    on: (_event: string, listener: (error: LibraryError) => void) => void listeners.push(listener),
    connect: (_options: object, done: (error: LibraryError) => void) => {
      for (const listener of listeners) listener(error(-195, 'h:1: refused sesame'))
      for (const listener of listeners) listener(error(-187, 'all down'))
      done(error(-195, 'broker transport failure'))
    },
  }
  await expect(
    connect(client as unknown as Parameters<typeof connect>[0], connection),
  ).rejects.toMatchObject({
    exitCode: 3,
    message: 'cannot connect to a broker at h:1, h:2: h:1: refused ***',
  })
})

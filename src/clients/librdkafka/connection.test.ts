import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import type { ConnectionOptions } from '../driver.ts'
import { checkProperties, configOf, connect, split, watchLoss } from './connection.ts'
import type { Library, LibraryError } from './library.ts'

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
  function Producer(config: object): void {
    if ('no.such' in config) throw new Error('No such configuration property: "no.such"')
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
  const listeners: ((log: { fac: string; message: string }) => void)[] = []
  const client = {
    on: (event: string, listener: (log: { fac: string; message: string }) => void) => {
      if (event === 'event.log') listeners.push(listener)
    },
    connect: (_options: object, done: (error: LibraryError) => void) => {
      for (const listener of listeners) {
        listener({ fac: 'CONNECT', message: 'trying' })
        listener({ fac: 'FAIL', message: '[thrd:h:1/bootstrap]: h:1/bootstrap: refused sesame' })
        listener({ fac: 'FAIL', message: '[thrd:h:2/bootstrap]: refused too' })
      }
      done(Object.assign(new Error('broker transport failure'), { code: -195 }))
    },
  }
  await expect(
    connect(client as unknown as Parameters<typeof connect>[0], connection),
  ).rejects.toMatchObject({
    exitCode: 3,
    message: 'cannot connect to a broker at h:1, h:2: h:1/bootstrap: refused ***',
  })
})

test('all brokers gone for long, and none that answers then, is a loss; one that is back is not', () => {
  for (const isBack of [false, true]) {
    const clock = new ManualClock()
    let emit: (error: Error) => void = () => {}
    const client = {
      on: (_event: string, listener: (error: Error) => void) => {
        emit = listener
      },
      getMetadata: (_options: object, done: (error: Error | null) => void) =>
        done(isBack ? null : new Error('timed out')),
    }
    let losses = 0
    watchLoss(client as unknown as Parameters<typeof watchLoss>[0], clock, () => {
      losses += 1
    })
    emit(new Error('broker transport failure'))
    clock.advance(20_000)
    expect(losses).toBe(0)
    emit(new Error('all broker connections are down'))
    clock.advance(20_000)
    expect(losses).toBe(isBack ? 0 : 1)
  }
})

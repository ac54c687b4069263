/**
 * What every client does of its own accord when it connects, as tests: which failures are told, how, and how soon. Call
 * `testConnecting` in a test file of the client.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { generate } from 'selfsigned'
import { afterEach, expect, test } from 'vitest'
import type {
  ConnectionOptions,
  MetadataClient,
  SecurityOptions,
} from '../../src/clients/driver.ts'
import { type Clock, systemClock } from '../../src/clock.ts'
import { SurroundingsError, UsageError } from '../../src/errors.ts'
import { connectionTo } from './client-options.ts'
import { type StubOptions, startStubBroker } from './stub-broker.ts'

/** How a client is asked. */
export interface ConnectingWays {
  /** Resolves to what closes the connection. */
  open(connection: ConnectionOptions, clock: Clock): Promise<() => unknown>
  createMetadataClient(connection: ConnectionOptions, clock: Clock): Promise<MetadataClient>
  /** Part of what is said when the broker lacks SCRAM-SHA-512. */
  readonly lackedMechanism: string
}

const closing: (() => unknown)[] = []

const stub = async (options: StubOptions) => {
  const broker = await startStubBroker(options)
  closing.push(() => broker.close())
  return broker
}

const certificate = async () => {
  const made = await generate([{ name: 'commonName', value: 'bench test' }], {
    keySize: 2048,
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  })
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-tls-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  const caFile = path.join(folder, 'ca.pem')
  writeFileSync(caFile, made.cert)
  return { tls: { key: made.private, cert: made.cert }, caFile }
}

const tlsWith = (caFile: string | null): SecurityOptions => ({
  tls: { caFile, certFile: null, keyFile: null },
  sasl: null,
})

const password = 'correct horse battery staple'
const saslWith = (
  mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512',
  given = password,
): SecurityOptions => ({ tls: null, sasl: { mechanism, username: 'ann', password: given } })

export const testConnecting = (ways: ConnectingWays): void => {
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  const open = async (connection: ConnectionOptions): Promise<void> => {
    closing.push(await ways.open(connection, systemClock))
  }

  const errorOf = async (connection: ConnectionOptions): Promise<Error> => {
    try {
      await open(connection)
    } catch (error) {
      if (error instanceof Error) return error
    }
    throw new Error('it connected')
  }

  test('an address where nobody listens is named, with the reason', async () => {
    const error = await errorOf(connectionTo('127.0.0.1:1', { connectTimeoutMs: 300 }))
    expect(error).toBeInstanceOf(SurroundingsError)
    expect(error.message).toBe(
      'cannot connect to a broker at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
    )
  })

  test('a listener that never answers ends at the time limit', async () => {
    const server = createServer(() => {})
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    const { port } = server.address() as { port: number }
    const error = await errorOf(connectionTo(`127.0.0.1:${port}`, { connectTimeoutMs: 300 }))
    expect(error).toBeInstanceOf(SurroundingsError)
    expect(error.message).toContain(`127.0.0.1:${port}: no answer within`)
  })

  test('the second bootstrap server is tried when the first is down', async () => {
    const broker = await stub({})
    await open(connectionTo('', { bootstrapServers: ['127.0.0.1:1', broker.address] }))
  })

  test('every metadata request goes over the wire', async () => {
    const broker = await stub({})
    const client = await ways.createMetadataClient(connectionTo(broker.address), systemClock)
    closing.push(() => client.close())
    const before = broker.metadataRequests
    await Promise.all([client.request(), client.request(), client.request()])
    expect(broker.metadataRequests - before).toBe(3)
  })

  test('TLS with the right authority connects', async () => {
    const { tls, caFile } = await certificate()
    const broker = await stub({ tls })
    await open(connectionTo(broker.address, { security: tlsWith(caFile) }))
  })

  test('TLS with an unknown authority fails at once and says what to give', async () => {
    const { tls } = await certificate()
    const broker = await stub({ tls })
    const error = await errorOf(connectionTo(broker.address, { security: tlsWith(null) }))
    expect(error).toBeInstanceOf(SurroundingsError)
    expect(error.message).toContain(broker.address)
    expect(error.message).toContain('self-signed certificate')
    expect(error.message).toContain('--tls-ca')
  })

  test('a TLS file that is not there is a usage error that names the option and the file', async () => {
    const error = await errorOf(connectionTo('127.0.0.1:1', { security: tlsWith('/no/such.pem') }))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toMatch(/^--tls-ca \/no\/such\.pem: ENOENT/)
  })

  test('TLS to a plaintext listener fails with a hint', async () => {
    const broker = await stub({})
    const error = await errorOf(
      connectionTo(broker.address, { security: tlsWith(null), connectTimeoutMs: 500 }),
    )
    expect(error).toBeInstanceOf(SurroundingsError)
    expect(error.message).toContain(broker.address)
  })

  test('plaintext to a TLS listener fails with a hint', async () => {
    const { tls } = await certificate()
    const broker = await stub({ tls })
    const error = await errorOf(connectionTo(broker.address, { connectTimeoutMs: 500 }))
    expect(error).toBeInstanceOf(SurroundingsError)
    expect(error.message).toContain(
      `${broker.address}: Closed connection (a TLS listener needs --tls`,
    )
  })

  test.each(['plain', 'scram-sha-256'] as const)(
    '%s with the right password connects',
    async (mechanism) => {
      const broker = await stub({ credentials: { username: 'ann', password } })
      await open(connectionTo(broker.address, { security: saslWith(mechanism) }))
    },
  )

  test.each(['plain', 'scram-sha-256'] as const)(
    '%s with a wrong password fails at once and never tells it, not even if the broker does',
    async (mechanism) => {
      const broker = await stub({
        credentials: { username: 'ann', password },
        isIndiscreet: true,
      })
      const wrong = 'canary-7f3a'
      const error = await errorOf(
        connectionTo(broker.address, { security: saslWith(mechanism, wrong) }),
      )
      expect(error).toBeInstanceOf(SurroundingsError)
      expect(error.message).toContain(`cannot authenticate at ${broker.address}`)
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(wrong)
    },
  )

  test('a mechanism that the broker lacks is named', async () => {
    const broker = await stub({ credentials: { username: 'ann', password } })
    const error = await errorOf(
      connectionTo(broker.address, { security: saslWith('scram-sha-512') }),
    )
    expect(error.message).toContain(ways.lackedMechanism)
  })

  test('no credentials for a listener that wants them fails with a hint', async () => {
    const broker = await stub({ credentials: { username: 'ann', password } })
    const error = await errorOf(connectionTo(broker.address, { connectTimeoutMs: 500 }))
    expect(error.message).toContain('a SASL listener --sasl')
  })

  test('a last attempt that is cut short does not hide what went wrong before it', async () => {
    const broker = await stub({ credentials: { username: 'ann', password } })
    let nowNs = 0
    // The pause between the attempts takes nearly all the time, and what is left is over before any answer.
    const clock: Clock = {
      ...systemClock,
      nowNs: () => nowNs,
      setTimer(delayMs, run) {
        if (delayMs > 100) return systemClock.setTimer(delayMs, run)
        if (delayMs === 100) nowNs = 999.5e6
        queueMicrotask(run)
        return { cancel: () => {} }
      },
    }
    const connection = connectionTo(broker.address, { connectTimeoutMs: 1_000 })
    await expect(ways.open(connection, clock)).rejects.toThrow('a SASL listener --sasl')
  })
}

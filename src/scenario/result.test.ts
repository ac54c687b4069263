import { afterEach, expect, test } from 'vitest'
import { type Broker, createBroker } from '../broker/broker.ts'
import { parseSettings } from '../broker/settings.ts'
import type { Driver } from '../clients/driver.ts'
import { systemClock } from '../clock.ts'
import { DriverError, SurroundingsError } from '../errors.ts'
import { parseScenario } from './load.ts'
import { runScenario } from './result.ts'

const scenario = parseScenario(
  `title: x
guards: x
source: x
produce: { records: 1 }
members: { a: { client: scripted } }
timeline: [{ start: a }]
`,
  'x.yaml',
)

/** A client that throws whenever it is to produce, after `before`. */
const driverThatThrows = (before: () => Promise<void> = () => Promise.resolve()): Driver =>
  ({
    name: 'kafkajs',
    version: '1',
    async createProducer() {
      await before()
      throw new DriverError('Produce: an answer of version 99')
    },
  }) as unknown as Driver

let broker: Broker | null = null
afterEach(async () => {
  await broker?.close()
  broker = null
})

const startBroker = async (): Promise<string> => {
  broker = createBroker({
    ...{ host: '127.0.0.1', port: 0, dataDir: { store: 'memory', folder: null } },
    ...{ settings: parseSettings({}), clock: systemClock, log: () => {} },
  })
  const { host, port } = await broker.listen()
  return `${host}:${port}`
}

const play = (server: string | null, driver: Driver) =>
  runScenario({
    ...{ scenario, driver, clock: systemClock, runId: '0123456789ab', client: 'scripted' },
    ...{ bootstrapServers: server === null ? null : [server], defect: null, isBrief: false },
    ...{ stop: new AbortController().signal, onProgress: () => {} },
  })

const failedOf = async (server: string | null) => {
  const { status, reason, checks } = await play(server, driverThatThrows())
  return { status, reason, failed: checks.filter(({ ok }) => !ok).map(({ name }) => name) }
}

const itsOwnFault = {
  status: 'failed',
  reason: 'Produce: an answer of version 99',
  failed: ['story-told'],
}

test('what a broker answers ends this story only', async () => {
  expect(await failedOf(null)).toEqual(itsOwnFault)
  expect(await failedOf(await startBroker())).toEqual(itsOwnFault)
})

test('a broker that is gone ends more than this story', async () => {
  const server = await startBroker()
  const driver = driverThatThrows(async () => broker?.close())
  await expect(play(server, driver)).rejects.toThrow(SurroundingsError)
})

/** Where a scenario plays: a broker of its own or one that is there, a recording in front of it, and a fresh topic. */
import { createBroker } from '../broker/broker.ts'
import { withDefect } from '../broker/defects/index.ts'
import { kafkaParts } from '../broker/parts.ts'
import { parseSettings } from '../broker/settings.ts'
import type { Admin, ConnectionOptions } from '../clients/driver.ts'
import { openAdmin } from '../clients/kafkajs/admin.ts'
import { type Clock, sleep } from '../clock.ts'
import { messageOf, SurroundingsError } from '../errors.ts'
import type { Exchange } from '../recorder/exchange.ts'
import type { AnswerFault } from '../recorder/proxy.ts'
import { type Recorder, startRecorder } from '../recorder/recorder.ts'
import type { Scenario } from './load.ts'

export interface StageOptions {
  readonly scenario: Scenario
  readonly runId: string
  /** null: an embedded broker in memory, for this scenario alone. */
  readonly bootstrapServers: readonly string[] | null
  readonly defect: string | null
  readonly clock: Clock
  readonly faultOf: (exchange: Exchange) => AnswerFault | null
}

export interface Stage {
  readonly kind: 'embedded' | 'external'
  /** Past the recording, for what is not under test. */
  readonly connection: ConnectionOptions
  /** Where members connect. */
  readonly recorder: Recorder
  readonly admin: Admin
  readonly topic: string
  readonly groupId: string
  /** What could not be removed is told by a line each; nothing is tried where the broker is not reached any more. */
  close(isReached: boolean): Promise<string[]>
}

/** Sessions of scenarios are short; Kafka's own default lets none pass below 6 s. */
const settingsOfScenarios = { 'group.min.session.timeout.ms': '500' }
const connectTimeoutMs = 10_000
const requestTimeoutMs = 30_000
/** For a broker that was there a moment ago. */
const retryLimitMs = 3_000

/** In memory, and in this process. */
const startEmbedded = async ({
  scenario,
  defect,
  clock,
}: Pick<StageOptions, 'scenario' | 'defect' | 'clock'>) => {
  const broker = createBroker({
    host: '127.0.0.1',
    port: 0,
    dataDir: { store: 'memory', folder: null },
    settings: parseSettings({ ...settingsOfScenarios, ...scenario.broker }),
    clock,
    log: () => {},
    parts: defect === null ? kafkaParts : withDefect(kafkaParts, defect),
  })
  const { host, port } = await broker.listen()
  return { address: `${host}:${port}`, close: () => broker.close() }
}

/** A correct broker beside the one under test, with a topic of the same name. */
export const openReference = async (
  parts: Pick<StageOptions, 'scenario' | 'clock'>,
  topic: string,
) => {
  const broker = await startEmbedded({ ...parts, defect: null })
  const connection = connectionTo([broker.address])
  const admin = await openAdmin(connection, parts.clock)
  await admin.createTopic(topic, 1, 1)
  await admin.close()
  return { connection, topic, endOffset: 0, close: broker.close }
}

const connectionTo = (bootstrapServers: readonly string[]): ConnectionOptions => ({
  bootstrapServers,
  clientId: 'bench-scenario',
  connectTimeoutMs,
  requestTimeoutMs,
  security: { tls: null, sasl: null },
  properties: {},
})

const addressOf = (server: string): { host: string; port: number } => {
  const at = server.lastIndexOf(':')
  return { host: server.slice(0, at), port: Number(server.slice(at + 1)) }
}

/** Rejects with a `SurroundingsError` when the broker cannot be reached; nothing is left open then. */
export const openStage = async (options: StageOptions): Promise<Stage> => {
  const { runId, clock, faultOf } = options
  const closing: (() => Promise<unknown>)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of closing.splice(0).toReversed()) await close()
  }
  try {
    let servers = options.bootstrapServers
    if (servers === null) {
      const broker = await startEmbedded(options)
      closing.push(broker.close)
      servers = [broker.address]
    }
    const connection = connectionTo(servers)
    const admin = await openAdmin(connection, clock)
    closing.push(() => admin.close())
    const recorder = await startRecorder({
      upstream: addressOf(servers[0] ?? ''),
      listen: { host: '127.0.0.1', port: 0 },
      clock,
      faultOf,
    })
    closing.push(() => recorder.close())
    const [topic, groupId] = [`bench-${runId}`, `bench-${runId}`]
    return {
      kind: options.bootstrapServers === null ? 'embedded' : 'external',
      connection,
      recorder,
      admin,
      topic,
      groupId,
      async close(isReached) {
        const left: string[] = []
        // What only an in-memory broker holds goes with it.
        if (options.bootstrapServers !== null && isReached) {
          await admin.deleteGroup(groupId).catch((error: unknown) => {
            left.push(`group ${groupId} was not deleted: ${messageOf(error)}`)
          })
          await admin.deleteTopic(topic).catch((error: unknown) => {
            left.push(`topic ${topic} was not deleted: ${messageOf(error)}`)
          })
        }
        await closeAll()
        return left
      },
    }
  } catch (error) {
    await closeAll()
    throw new SurroundingsError(messageOf(error), { cause: error })
  }
}

const leaderLimitMs = 10_000
const leaderTickMs = 100

/** A broker may hear of a new topic's partitions some time after it was told to have been made. */
const awaitLeaders = async (admin: Admin, topic: string, clock: Clock): Promise<void> => {
  const startNs = clock.nowNs()
  for (;;) {
    try {
      await admin.watermarks(topic)
      return
    } catch (error) {
      if (clock.nowNs() - startNs > leaderLimitMs * 1e6) throw error
    }
    await sleep(clock, leaderTickMs)
  }
}

/** The fresh topic. Rejects with a `DriverError` when the broker will not have it. */
export const prepareTopic = async (
  { admin, topic }: Stage,
  partitions: number,
  clock: Clock,
): Promise<void> => {
  await admin.createTopic(topic, partitions, 1)
  await awaitLeaders(admin, topic, clock)
}

/** Rejects with a `SurroundingsError` when the broker, which has given `problem`, cannot be reached any more. */
export const refuseUnreachable = async (
  connection: ConnectionOptions,
  clock: Clock,
  problem: string,
): Promise<void> => {
  try {
    const admin = await openAdmin({ ...connection, connectTimeoutMs: retryLimitMs }, clock)
    await admin.close()
  } catch (error) {
    throw new SurroundingsError(`${problem}; ${messageOf(error)}`, { cause: error })
  }
}

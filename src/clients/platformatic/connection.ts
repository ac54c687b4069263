/** Connects clients of @platformatic/kafka within `connectTimeoutMs`, and refuses brokers that it cannot speak to. */
import { isIP } from 'node:net'
import { type Clock, sleep } from '../../clock.ts'
import { UsageError } from '../../errors.ts'
import type { ConnectionOptions } from '../driver.ts'
import { readTlsFiles } from '../security.ts'
import { isDenied, isHopeless, kafkaCodeOf, toConnectError, toDriverError } from './errors.ts'
import type { ApiRange, BaseClient, BaseOptions, Library } from './library.ts'
import { booleanOf, numberOf, textOf } from './properties.ts'

const connectBackoffMs = 100
const disconnectLimitMs = 1_000

/** The library in use and what names it in messages. */
export interface Surroundings {
  library: Library
  version: string
  clock: Clock
}

/** Retrying inside the library; small first steps, so that a rejoin is not delayed. Some 8 s in all. */
export const retryOptions = ({ properties }: ConnectionOptions) => ({
  retries: numberOf(properties, 'retries', 10),
  firstMs: numberOf(properties, 'retry.backoff.ms', 100),
  longestMs: numberOf(properties, 'retry.backoff.max.ms', 1_000),
})

const securityOptions = (
  { tls, sasl }: ConnectionOptions['security'],
  bootstrapServers: readonly string[],
): Partial<BaseOptions> => ({
  ...(tls === null ? {} : { tls: readTlsFiles(tls) }),
  // The library would send no server name, or also an address as such, which TLS forbids.
  ...(tls === null || bootstrapServers.some((server) => isIP(server.replace(/:\d+$/, '')) !== 0)
    ? {}
    : { tlsServerName: true }),
  ...(sasl === null ? {} : { sasl: { ...sasl, mechanism: sasl.mechanism.toUpperCase() } }),
})

/** Throws a `UsageError` when a TLS file cannot be read. */
export const baseOptions = (connection: ConnectionOptions): BaseOptions => {
  const { properties, bootstrapServers } = connection
  const { retries, firstMs, longestMs } = retryOptions(connection)
  const requestTimeout = numberOf(properties, 'request.timeout.ms', connection.requestTimeoutMs)
  const maxInflights = numberOf(properties, 'max.in.flight.requests.per.connection', 0)
  return {
    clientId: textOf(properties, 'client.id', connection.clientId),
    bootstrapBrokers: [...bootstrapServers],
    connectTimeout: numberOf(
      properties,
      'socket.connection.setup.timeout.ms',
      Math.ceil(connection.connectTimeoutMs / bootstrapServers.length),
    ),
    requestTimeout,
    timeout: requestTimeout,
    retries,
    retryDelay: (_client, _operation, attempt) => Math.min(firstMs * 2 ** (attempt - 1), longestMs),
    metadataMaxAge: numberOf(properties, 'metadata.max.age.ms', 300_000),
    autocreateTopics: booleanOf(properties, 'allow.auto.create.topics', false),
    ...(maxInflights === 0 ? {} : { maxInflights }),
    ...securityOptions(connection.security, bootstrapServers),
  }
}

/** The APIs that a client needs, so that an old broker is refused before the first of them fails. */
export const neededApis = {
  produce: ['Metadata', 'Produce'],
  idempotent: ['Metadata', 'Produce', 'InitProducerId'],
  read: ['Metadata', 'Fetch', 'ListOffsets'],
  consume: [
    'Metadata',
    'Fetch',
    'ListOffsets',
    'FindCoordinator',
    'JoinGroup',
    'SyncGroup',
    'Heartbeat',
    'LeaveGroup',
    'OffsetFetch',
    'OffsetCommit',
  ],
  metadata: ['Metadata'],
} as const

const versionsOf = (library: Library, api: string): number[] => {
  const prefix = `${api.charAt(0).toLowerCase()}${api.slice(1)}V`
  return Object.keys(library)
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .toSorted((a, b) => a - b)
}

/** The version of `api` that library and broker will use: the highest common one; null when there is none. */
export const commonVersion = (
  library: Library,
  api: string,
  told: readonly ApiRange[],
): number | null => {
  const range = told.find((one) => one.name === api)
  if (range === undefined) return null
  const common = versionsOf(library, api).filter(
    (version) => version >= range.minVersion && version <= range.maxVersion,
  )
  return common.at(-1) ?? null
}

/** The library writes a field into this version that it does not have. */
const brokenVersions: Readonly<Record<string, number>> = { Metadata: 11 }

/** What the library cannot speak of `needed` with a broker that told `told`; empty when it can speak all. */
export const missingApis = (
  library: Library,
  needed: readonly string[],
  told: readonly ApiRange[],
): string[] =>
  needed.flatMap((api) => {
    const common = commonVersion(library, api, told)
    const broken = brokenVersions[api]
    if (common !== null && common !== broken) return []
    const range = told.find((one) => one.name === api)
    const theirs =
      range === undefined ? 'does not have it' : `has ${range.minVersion} to ${range.maxVersion}`
    const wanted =
      common === null
        ? `from version ${versionsOf(library, api)[0]} on`
        : `other than version ${broken}, which it writes wrongly`
    return [`${api} ${wanted} (the broker ${theirs})`]
  })

/**
 * Connects until it works or `connectTimeoutMs` have passed, checks the broker's versions and that the topics exist.
 * Resolves to the versions the broker told. Rejects with a `UsageError` when the library cannot speak to this broker,
 * with a `SurroundingsError` that names the addresses, at once when trying again cannot help, or with a `DriverError`
 * for what the broker refused.
 */
export const probe = async (
  { library, version, clock }: Surroundings,
  connection: ConnectionOptions,
  { topics, needed }: { topics: readonly string[]; needed: readonly string[] },
): Promise<ApiRange[]> => {
  const deadlineNs = clock.nowNs() + connection.connectTimeoutMs * 1e6
  for (;;) {
    const client = new library.Base({ ...baseOptions(connection), retries: 0 })
    try {
      const leftMs = Math.max(1, (deadlineNs - clock.nowNs()) / 1e6)
      const told = await within(clock, leftMs, client.listApis())
      const missing = missingApis(library, needed, told)
      if (missing.length > 0) {
        throw new UsageError(
          `client platformatic cannot speak to the broker at ${connection.bootstrapServers.join(', ')}: @platformatic/kafka ${version} needs ${missing.join(', ')}; use another --client`,
        )
      }
      await within(clock, leftMs, client.metadata({ topics: [...topics] }))
      return told
    } catch (error) {
      if (error instanceof UsageError) throw error
      const isOver = clock.nowNs() + connectBackoffMs * 1e6 >= deadlineNs
      if (isHopeless(error) || isOver) {
        throw kafkaCodeOf(error) === null || isDenied(error) || isOver
          ? toConnectError(error, connection)
          : toDriverError(`get metadata of ${topics.join(', ')}`, error, connection)
      }
    } finally {
      await closeWithin(clock, client)
    }
    await sleep(clock, connectBackoffMs)
  }
}

const within = async <T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T> => {
  const isOver = new AbortController()
  const timeout = sleep(clock, limitMs, isOver.signal).then((): never => {
    throw new Error(`no answer within ${Math.round(limitMs)} ms`)
  })
  timeout.catch(() => {})
  try {
    return await Promise.race([work, timeout])
  } finally {
    isOver.abort()
  }
}

/** Closes the client, leaving its group, and cuts its connections when that takes longer. Never rejects. */
export const closeWithin = async (
  clock: Clock,
  client: BaseClient,
  limitMs = disconnectLimitMs,
): Promise<void> => {
  await within(clock, limitMs, client.close()).catch(() => {})
  await client.connections.close().catch(() => {})
}

/** Drops the connections of a client, so that the next request makes new ones. */
export const dropConnections = async (client: BaseClient): Promise<void> => {
  await Promise.allSettled([...client.connections].map(([, connection]) => connection.close()))
}

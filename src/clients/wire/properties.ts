/** Kafka's dotted client names (`-X name=value`) that the wire client has a setting for, and what it is set to. */
import type { ConnectionOptions, SecurityOptions } from '../driver.ts'
import { boolean, integer, propertiesOf, text } from '../properties.ts'
import { readTlsFiles } from '../security.ts'

export const { checkProperties, numberOf, booleanOf, textOf } = propertiesOf('wire', {
  'client.id': text,
  /** Rack of a consumer */
  'client.rack': text,
  'socket.connection.setup.timeout.ms': integer(1),
  /** Wins over --request-timeout-ms */
  'request.timeout.ms': integer(1),
  'metadata.max.age.ms': integer(1),
  /** false by default, since bench creates its topics itself */
  'allow.auto.create.topics': boolean,
  /** No limit by default; 5, and never more, for an idempotent producer */
  'max.in.flight.requests.per.connection': integer(1),
  /** What several runs may have together in one Produce request; a single run always goes */
  'max.request.size': integer(1),
  retries: integer(0),
  'retry.backoff.ms': integer(1),
  'retry.backoff.max.ms': integer(1),
  /** Wins over --session-timeout-ms */
  'session.timeout.ms': integer(1),
  'heartbeat.interval.ms': integer(1),
  /** Sent as the rebalance timeout, as Kafka's Java client does */
  'max.poll.interval.ms': integer(1),
  'fetch.max.bytes': integer(1),
  /** false by default: the bench header has a checksum of its own */
  'check.crcs': boolean,
  'auto.commit.interval.ms': integer(1),
  /** Static membership: such a member does not leave its group when it closes */
  'group.instance.id': text,
})

/** What every connection of one client has in common. */
export interface ConnectionSettings {
  readonly clientId: string
  /** For one attempt: TCP, TLS, ApiVersions and SASL together. */
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  /** The contents of the files; null without TLS. */
  readonly tls: ReturnType<typeof readTlsFiles> | null
  readonly sasl: SecurityOptions['sasl']
}

/** Reads the TLS files. Throws a `UsageError` when one cannot be read. */
export const connectionSettings = (connection: ConnectionOptions): ConnectionSettings => {
  const { properties, security, bootstrapServers } = connection
  return {
    clientId: textOf(properties, 'client.id', connection.clientId),
    connectTimeoutMs: numberOf(
      properties,
      'socket.connection.setup.timeout.ms',
      Math.ceil(connection.connectTimeoutMs / bootstrapServers.length),
    ),
    requestTimeoutMs: numberOf(properties, 'request.timeout.ms', connection.requestTimeoutMs),
    tls: security.tls === null ? null : readTlsFiles(security.tls),
    sasl: security.sasl,
  }
}

/** Some 8 s in all; small first steps, so that a rejoin is not delayed. */
export const retrySettings = ({ properties }: ConnectionOptions) => ({
  retries: numberOf(properties, 'retries', 10),
  firstMs: numberOf(properties, 'retry.backoff.ms', 100),
  longestMs: numberOf(properties, 'retry.backoff.max.ms', 1_000),
})

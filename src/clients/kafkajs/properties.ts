/** Kafka's dotted client names (`-X name=value`) that kafkajs has a setting for, and their allowed values. */
import { boolean, integer, propertiesOf, text } from '../properties.ts'

/** Beside each name the kafkajs setting it becomes. */
export const { checkProperties, numberOf, booleanOf, textOf } = propertiesOf('kafkajs', {
  /** clientId */
  'client.id': text,
  /** rackId of a consumer */
  'client.rack': text,
  /** connectionTimeout */
  'socket.connection.setup.timeout.ms': integer(1),
  /** requestTimeout; wins over --request-timeout-ms */
  'request.timeout.ms': integer(1),
  /** metadataMaxAge */
  'metadata.max.age.ms': integer(1),
  /** allowAutoTopicCreation; false by default, since bench creates its topics itself */
  'allow.auto.create.topics': boolean,
  /** maxInFlightRequests of one connection; no limit by default */
  'max.in.flight.requests.per.connection': integer(1),
  /** retry.retries */
  retries: integer(0),
  /** retry.initialRetryTime */
  'retry.backoff.ms': integer(1),
  /** retry.maxRetryTime */
  'retry.backoff.max.ms': integer(1),
  /** sessionTimeout; wins over --session-timeout-ms */
  'session.timeout.ms': integer(1),
  /** heartbeatInterval */
  'heartbeat.interval.ms': integer(1),
  /** rebalanceTimeout: Kafka's Java client sends its max.poll.interval.ms as such */
  'max.poll.interval.ms': integer(1),
  /** maxBytes of a Fetch */
  'fetch.max.bytes': integer(1),
})

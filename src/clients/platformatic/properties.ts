/** Kafka's dotted client names (`-X name=value`) that @platformatic/kafka has a setting for. */
import { boolean, integer, propertiesOf, text } from '../properties.ts'

/** Beside each name the setting it becomes. */
export const { checkProperties, numberOf, booleanOf, textOf } = propertiesOf('platformatic', {
  /** clientId */
  'client.id': text,
  /** connectTimeout */
  'socket.connection.setup.timeout.ms': integer(1),
  /** requestTimeout; wins over --request-timeout-ms */
  'request.timeout.ms': integer(1),
  /** metadataMaxAge */
  'metadata.max.age.ms': integer(1),
  /** autocreateTopics; false by default, since bench creates its topics itself */
  'allow.auto.create.topics': boolean,
  /** maxInflights of one connection; the idempotent producer has 1 whatever this says */
  'max.in.flight.requests.per.connection': integer(1),
  /** retries */
  retries: integer(0),
  /** retryDelay: the first one */
  'retry.backoff.ms': integer(1),
  /** retryDelay: the longest one */
  'retry.backoff.max.ms': integer(1),
  /** sessionTimeout; wins over --session-timeout-ms */
  'session.timeout.ms': integer(1),
  /** heartbeatInterval */
  'heartbeat.interval.ms': integer(1),
  /** rebalanceTimeout: Kafka's Java client sends its max.poll.interval.ms as such */
  'max.poll.interval.ms': integer(1),
  /** maxBytes of a Fetch */
  'fetch.max.bytes': integer(1),
  /** How often positions are committed while reading */
  'auto.commit.interval.ms': integer(1),
})

/** Kafka's dotted client names (`-X name=value`) that kafkajs has a setting for, and their allowed values. */
import { UsageError } from '../errors.ts'

type Property =
  | { type: 'integer'; min: number; max: number }
  | { type: 'boolean' }
  | { type: 'text' }

const integer = (min: number, max: number = 2 ** 31 - 1) => ({ type: 'integer', min, max }) as const
const boolean = { type: 'boolean' } as const
const text = { type: 'text' } as const

/** Beside each name the kafkajs setting it becomes. */
const propertyTable = {
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
} as const satisfies Record<string, Property>

type PropertyTable = typeof propertyTable
type NameOf<Type extends Property['type']> = {
  [Name in keyof PropertyTable]: PropertyTable[Name]['type'] extends Type ? Name : never
}[keyof PropertyTable]

export type Properties = Readonly<Record<string, string>>

const allowedValues = (property: Property): string => {
  if (property.type === 'integer') return `a whole number from ${property.min} to ${property.max}`
  return property.type === 'boolean' ? 'true or false' : 'a text of at least one character'
}

const isAllowed = (property: Property, value: string): boolean => {
  if (property.type === 'text') return value !== ''
  if (property.type === 'boolean') return value === 'true' || value === 'false'
  return /^\d+$/.test(value) && Number(value) >= property.min && Number(value) <= property.max
}

/** Throws a `UsageError` that names kafkajs, the property and what is known or allowed. */
export const checkProperties = (properties: Properties): void => {
  const table: Record<string, Property> = propertyTable
  for (const [name, value] of Object.entries(properties)) {
    const property = Object.hasOwn(table, name) ? table[name] : undefined
    if (property === undefined) {
      throw new UsageError(
        `client property ${name}: unknown to kafkajs; known are ${Object.keys(table).join(', ')}`,
      )
    }
    if (!isAllowed(property, value)) {
      throw new UsageError(
        `client property ${name}=${value}: kafkajs takes ${allowedValues(property)}`,
      )
    }
  }
}

export const numberOf = (
  properties: Properties,
  name: NameOf<'integer'>,
  fallback: number,
): number => (properties[name] === undefined ? fallback : Number(properties[name]))

export const booleanOf = (
  properties: Properties,
  name: NameOf<'boolean'>,
  fallback: boolean,
): boolean => (properties[name] === undefined ? fallback : properties[name] === 'true')

export const textOf = (properties: Properties, name: NameOf<'text'>, fallback: string): string =>
  properties[name] ?? fallback

/** One request with its answer, as a recording keeps it: plain values that survive JSON. */

/** What a recording holds of a message: no bytes, no bigints. */
export type Plain = null | boolean | number | string | Plain[] | PlainObject
export interface PlainObject {
  [name: string]: Plain
}

/**
 * `broken`: bytes that a client chokes on. `suspicious`: well-formed, and yet not what Kafka would answer.
 * `note`: what the recorder could not do, such as rewrite an address.
 */
type FindingLevel = 'broken' | 'suspicious' | 'note'

export interface Finding {
  readonly level: FindingLevel
  /** Stable name of the rule, e.g. `offsets-missing`. */
  readonly code: string
  /** API, version and side, e.g. `OffsetFetch v8 response`. */
  readonly message: string
  /** Field path; empty for the message as a whole. */
  readonly field: string
  /** Byte offset in the frame after its size; null where no byte is at fault. */
  readonly offset: number | null
  readonly text: string
}

export interface Exchange {
  /** Numbered from 1 in the order in which clients connected. */
  readonly connection: number
  /** The broker's address behind this connection, `HOST:PORT`. */
  readonly node: string
  readonly clientId: string | null
  /** Kafka's name, or `api 71` for one that is not known here. */
  readonly api: string
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
  /** Since the recording began. */
  readonly requestedAtUs: number
  /** Null when no answer is due (acks 0) or none came. */
  answeredAtUs: number | null
  /** Whole frame without its size. */
  readonly requestBytes: number
  responseBytes: number | null
  /** `{ opaque, sizeBytes }` for what cannot be decoded here. */
  readonly request: PlainObject
  response: PlainObject | null
  readonly findings: Finding[]
}

export const messageName = (
  exchange: Pick<Exchange, 'api' | 'version'>,
  side: 'request' | 'response',
): string => `${exchange.api} v${exchange.version} ${side}`

/** Every error code that an answer holds, at any depth; without 0, no error. */
export const errorCodesIn = (value: Plain): number[] => {
  if (Array.isArray(value)) return value.flatMap(errorCodesIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, field]) =>
    name === 'errorCode' && typeof field === 'number'
      ? field === 0
        ? []
        : [field]
      : errorCodesIn(field),
  )
}

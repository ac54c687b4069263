import { type Api, decodeRequest, decodeResponse, isFlexible, isServed } from '../protocol/api.ts'
import { decodeRequestHeader, decodeResponseHeader, readRequestHead } from '../protocol/header.ts'
import { apis } from '../protocol/messages/index.ts'
import type { AnyCodec } from '../protocol/schema.ts'
import { WireError } from '../protocol/wire.ts'
import { type Exchange, type Finding, messageName, type PlainObject } from './exchange.ts'
import { plainBytes, plainOf } from './plain-value.ts'

/** From frames to exchanges: both sides decoded by the tables, and what a client would choke on. */

const apisByKey = new Map<number, Api>(Object.values(apis).map((one: Api) => [one.key, one]))

/** Its bytes are a password or made from one, and never kept. */
export const saslAuthenticateKey = 36

/** The table for this version; null when there is none. */
export const tableOf = (apiKey: number, version: number): Api | null => {
  const one = apisByKey.get(apiKey)
  return one !== undefined && isServed(one, version) ? one : null
}

const opaque = (apiKey: number, body: Buffer): PlainObject =>
  apiKey === saslAuthenticateKey ? { opaque: '', sizeBytes: body.length } : plainBytes(body)

const chokeFinding = (message: string, error: WireError, fit: string): Finding => {
  const field = error.path
  const where = field === '' ? 'the end of the message' : field
  const at = error.offset === null ? '' : ` at byte ${error.offset}`
  const isTooFew = /^\d+ elements in \d+ bytes$/.test(error.reason)
  return {
    level: 'broken',
    code: 'undecodable',
    message,
    field,
    offset: error.offset,
    text: `${where}: ${error.reason}${at}${isTooFew ? ', so bytes are missing' : ''}${fit}`,
  }
}

/** The request side of an exchange. Throws a `WireError` for a frame without a request header. */
export const openExchange = (
  frame: Buffer,
  connection: { readonly number: number; readonly node: string },
  atUs: number,
): Exchange => {
  const { apiKey, apiVersion: version, correlationId } = readRequestHead(frame)
  const one = tableOf(apiKey, version)
  const header = decodeRequestHeader(frame, one !== null && isFlexible(one, version))
  const api = apisByKey.get(apiKey)?.name ?? `api ${apiKey}`
  const findings: Finding[] = []
  let request: PlainObject | null = null
  if (one !== null) {
    try {
      const decoded = decodeRequest(one, version, frame, header.bodyOffset) as object
      request = plainOf(decoded, one.request, version)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      findings.push(chokeFinding(messageName({ api, version }, 'request'), error, ''))
    }
  }
  return {
    connection: connection.number,
    node: connection.node,
    clientId: header.clientId,
    api,
    apiKey,
    version,
    correlationId,
    requestedAtUs: atUs,
    answeredAtUs: null,
    requestBytes: frame.length,
    responseBytes: null,
    request: request ?? opaque(apiKey, frame.subarray(header.bodyOffset)),
    response: null,
    findings,
  }
}

/** Whether Kafka answers at all: a Produce with acks 0 is not answered. */
export const isAnswered = ({ api, request }: Exchange): boolean =>
  api !== 'Produce' || request['acks'] !== 0

const errorUnsupportedVersion = 35

/** KIP-511: whatever version was asked, the refusal of ApiVersions is a version 0 body with error 35. */
const decodeRefusedApiVersions = (exchange: Exchange, frame: Buffer): PlainObject | null => {
  if (exchange.api !== 'ApiVersions' || frame.length < 6) return null
  if (frame.readInt16BE(4) !== errorUnsupportedVersion) return null
  return plainOf(decodeResponse(apis.ApiVersions, 0, frame, 4), apis.ApiVersions.response, 0)
}

/** Adds the answer to `exchange`, with a finding where its bytes are not what the version says. */
export const closeExchange = (exchange: Exchange, frame: Buffer, atUs: number): void => {
  const { apiKey, version } = exchange
  exchange.answeredAtUs = atUs
  exchange.responseBytes = frame.length
  const one = tableOf(apiKey, version)
  try {
    exchange.response = decodeRefusedApiVersions(exchange, frame) ?? decodeAnswer(exchange, frame)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const fit = one === null ? '' : fittingVersion(one, version, frame)
    exchange.findings.push(chokeFinding(messageName(exchange, 'response'), error, fit))
  }
  exchange.response ??= opaque(apiKey, frame.subarray(4))
}

/** Null without a table. */
const decodeAnswer = ({ apiKey, version }: Exchange, frame: Buffer): PlainObject | null => {
  const one = tableOf(apiKey, version)
  if (one === null) return null
  const { bodyOffset } = decodeResponseHeader(one, version, frame)
  const decoded = decodeResponse(one, version, frame, bodyOffset) as object
  return plainOf(decoded, one.response, version)
}

/** The paths of all fields of `codec` in `version`. */
const fieldPaths = (codec: AnyCodec, version: number, prefix = ''): string[] => {
  if (codec.element !== undefined) return fieldPaths(codec.element, version, `${prefix}[]`)
  return Object.entries(codec.fields ?? {}).flatMap(([name, field]) => {
    if (version < field.fromVersion || version > field.toVersion) return []
    const path = prefix === '' ? name : `${prefix}.${name}`
    return [path, ...fieldPaths(field.codec, version, path)]
  })
}

const decodesAs = (one: Api, version: number, frame: Buffer): boolean => {
  try {
    const { bodyOffset } = decodeResponseHeader(one, version, frame)
    decodeResponse(one, version, frame, bodyOffset)
    return true
  } catch (error) {
    if (error instanceof WireError) return false
    throw error
  }
}

/**
 * Why an answer may not decode: it was encoded as the nearest other version. Then the text names that version and the
 * fields by which the two differ; empty when no version fits.
 */
const fittingVersion = (one: Api, version: number, frame: Buffer): string => {
  const others = Array.from({ length: one.maxVersion - one.minVersion + 1 }, (_, i) => i)
    .map((i) => one.minVersion + i)
    .filter((other) => other !== version)
    .toSorted((a, b) => Math.abs(a - version) - Math.abs(b - version))
  const other = others.find((candidate) => decodesAs(one, candidate, frame))
  if (other === undefined) return ''
  const due = fieldPaths(one.response, version)
  const given = fieldPaths(one.response, other)
  const missing = due.filter((path) => !given.includes(path))
  const extra = given.filter((path) => !due.includes(path))
  const parts = [
    ...(missing.length > 0 ? [`without ${missing.join(', ')}`] : []),
    ...(extra.length > 0 ? [`with ${extra.join(', ')}`] : []),
    ...(isFlexible(one, version) === isFlexible(one, other)
      ? []
      : [`${isFlexible(one, other) ? 'with' : 'without'} compact lengths and tagged fields`]),
  ]
  return `; the bytes are those of version ${other}${parts.length > 0 ? `, ${parts.join(', ')}` : ''}`
}

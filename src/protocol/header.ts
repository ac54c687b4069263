import { type Api, isFlexible, writeRequest, writeResponse } from './api.ts'
import { errorCode } from './errors.ts'
import { apiVersions } from './messages/api-versions.ts'
import { type Given, string } from './schema.ts'
import { skipTaggedFields } from './struct.ts'
import { Reader, WireError, Writer } from './wire.ts'

/**
 * Request and response headers, and whole frames. Which header goes with which version: Kafka's `ApiMessageType`.
 * Client ids keep their int16 length in flexible headers too; ApiVersions answers always have the plain header (KIP-511).
 */

/** The eight bytes with which every request begins, whatever its API and version. */
export interface RequestHead {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
}

export interface RequestHeader extends RequestHead {
  readonly clientId: string | null
  /** Where the body begins in the frame. */
  readonly bodyOffset: number
}

export interface ResponseHeader {
  readonly correlationId: number
  /** Where the body begins in the frame. */
  readonly bodyOffset: number
}

/** Throws a `WireError` when the frame is shorter than eight bytes. */
export const readRequestHead = (frame: Buffer): RequestHead => {
  const reader = new Reader(frame)
  try {
    return { apiKey: reader.int16(), apiVersion: reader.int16(), correlationId: reader.int32() }
  } catch (error) {
    throw error instanceof WireError ? error.named('request header') : error
  }
}

/** The whole header of a request of a served version. */
export const decodeRequestHeader = (frame: Buffer, isFlexibleVersion: boolean): RequestHeader => {
  const head = readRequestHead(frame)
  const reader = new Reader(frame, 8)
  try {
    const clientId = clientIdWire.read(reader)
    if (isFlexibleVersion) skipTaggedFields(reader)
    return { ...head, clientId, bodyOffset: reader.offset }
  } catch (error) {
    throw error instanceof WireError ? error.under('clientId').named('request header') : error
  }
}

const clientIdWire = string.compileNullable({ version: 1, isFlexible: false })

/** The header of an answer to a request of this API and version. */
export const decodeResponseHeader = (one: Api, version: number, frame: Buffer): ResponseHeader => {
  const reader = new Reader(frame)
  try {
    const correlationId = reader.int32()
    if (hasFlexibleResponseHeader(one, version)) skipTaggedFields(reader)
    return { correlationId, bodyOffset: reader.offset }
  } catch (error) {
    throw error instanceof WireError ? error.named(`${one.name} response header`) : error
  }
}

const hasFlexibleResponseHeader = (one: Api, version: number): boolean =>
  isFlexible(one, version) && one.key !== apiVersions.key

/** Sets the size in front of what `writer`, which began with four spare bytes, holds. */
const finishFrame = (writer: Writer): Buffer[] => {
  const parts = writer.finish()
  parts[0]?.writeInt32BE(writer.sizeBytes - 4)
  return parts
}

/** Size, header and body. */
export const encodeRequestFrame = <A extends Api>(
  one: A,
  version: number,
  header: { readonly correlationId: number; readonly clientId: string | null },
  request: Given<A['request']>,
): Buffer[] => {
  const writer = new Writer()
  writer.int32(0)
  writer.int16(one.key)
  writer.int16(version)
  writer.int32(header.correlationId)
  clientIdWire.write(writer, header.clientId)
  if (isFlexible(one, version)) writer.unsignedVarint(0)
  writeRequest(writer, one, version, request)
  return finishFrame(writer)
}

/** Size, header and body; record data is there by reference and must not change until it has been sent. */
export const encodeResponseFrame = <A extends Api>(
  one: A,
  version: number,
  correlationId: number,
  response: Given<A['response']>,
): Buffer[] => {
  const writer = new Writer()
  writer.int32(0)
  writer.int32(correlationId)
  if (hasFlexibleResponseHeader(one, version)) writer.unsignedVarint(0)
  writeResponse(writer, one, version, response)
  return finishFrame(writer)
}

/**
 * The answer to an ApiVersions request of a version that is not served, whose bytes must not be parsed: error 35 in a
 * version 0 body that tells the range in which ApiVersions is served, so that the client can ask again (KIP-511; Kafka `ApiVersionsRequest`).
 */
export const encodeUnsupportedApiVersions = (
  { key, minVersion, maxVersion }: Pick<Api, 'key' | 'minVersion' | 'maxVersion'>,
  correlationId: number,
): Buffer[] => {
  return encodeResponseFrame(apiVersions, 0, correlationId, {
    errorCode: errorCode.UNSUPPORTED_VERSION,
    apiKeys: [{ apiKey: key, minVersion, maxVersion }],
  })
}

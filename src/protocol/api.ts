import { type Decoded, type Form, type Given, type NullableCodec, type Wire } from './schema.ts'
import { Reader, WireError, Writer } from './wire.ts'

/** One Kafka API: its key, its versions, and the tables of its request and response. */

type AnyMessage = NullableCodec<unknown, never>

/** What `api()` is given. */
interface ApiTable<Name extends string, Request extends AnyMessage, Response extends AnyMessage> {
  readonly key: number
  readonly name: Name
  /** The versions that the tables can code and the broker serves, both inclusive. */
  readonly minVersion: number
  readonly maxVersion: number
  /** Lowest version told in ApiVersions, where it differs from `minVersion`. */
  readonly advertisedMinVersion?: number
  /** First flexible version (KIP-482); null when there is none. */
  readonly flexibleFrom: number | null
  readonly request: Request
  readonly response: Response
}

export interface Api<
  Name extends string = string,
  Request extends AnyMessage = AnyMessage,
  Response extends AnyMessage = AnyMessage,
> extends ApiTable<Name, Request, Response> {
  readonly advertisedMinVersion: number
}

export const api = <
  const Name extends string,
  Request extends AnyMessage,
  Response extends AnyMessage,
>(
  table: ApiTable<Name, Request, Response>,
): Api<Name, Request, Response> => ({
  ...table,
  advertisedMinVersion: table.advertisedMinVersion ?? table.minVersion,
})

export const isServed = ({ minVersion, maxVersion }: Api, version: number): boolean =>
  version >= minVersion && version <= maxVersion

export const isFlexible = ({ flexibleFrom }: Api, version: number): boolean =>
  flexibleFrom !== null && version >= flexibleFrom

const compiled = new WeakMap<AnyMessage, Map<number, Wire<unknown, unknown>>>()

const wireOf = (one: Api, message: AnyMessage, version: number): Wire<unknown, unknown> => {
  let versions = compiled.get(message)
  if (versions === undefined) {
    versions = new Map()
    compiled.set(message, versions)
  }
  let wire = versions.get(version)
  if (wire === undefined) {
    if (!isServed(one, version)) throw new WireError(`${one.name} has no version ${version}`)
    const form: Form = { version, isFlexible: isFlexible(one, version) }
    wire = message.compile(form)
    versions.set(version, wire)
  }
  return wire
}

const named = (error: unknown, one: Api, version: number, kind: string): unknown =>
  error instanceof WireError ? error.named(`${one.name} v${version} ${kind}`) : error

/**
 * Reads a request body from `offset` on; bytes after it are ignored, as Kafka does. Bytes in the value are views of `body`.
 * Throws a `WireError` that names message, version, field path and byte offset.
 */
export const decodeRequest = <A extends Api>(
  one: A,
  version: number,
  body: Buffer,
  offset = 0,
): Decoded<A['request']> => {
  try {
    const wire = wireOf(one, one.request, version)
    return wire.read(new Reader(body, offset)) as Decoded<A['request']>
  } catch (error) {
    throw named(error, one, version, 'request')
  }
}

/** Reads a response body from `offset` on; bytes left over are a `WireError` like bytes missing. */
export const decodeResponse = <A extends Api>(
  one: A,
  version: number,
  body: Buffer,
  offset = 0,
): Decoded<A['response']> => {
  try {
    const reader = new Reader(body, offset)
    const value = wireOf(one, one.response, version).read(reader) as Decoded<A['response']>
    if (reader.remaining > 0) {
      throw new WireError(`${reader.remaining} bytes left over`, reader.offset)
    }
    return value
  } catch (error) {
    throw named(error, one, version, 'response')
  }
}

/** Appends a request body to `writer`. */
export const writeRequest = <A extends Api>(
  writer: Writer,
  one: A,
  version: number,
  request: Given<A['request']>,
): void => {
  try {
    wireOf(one, one.request, version).write(writer, request)
  } catch (error) {
    throw named(error, one, version, 'request')
  }
}

/** Appends a response body to `writer`. */
export const writeResponse = <A extends Api>(
  writer: Writer,
  one: A,
  version: number,
  response: Given<A['response']>,
): void => {
  try {
    wireOf(one, one.response, version).write(writer, response)
  } catch (error) {
    throw named(error, one, version, 'response')
  }
}

/** A request body; record data and large bytes are there by reference. */
export const encodeRequest = <A extends Api>(
  one: A,
  version: number,
  request: Given<A['request']>,
): Buffer[] => {
  const writer = new Writer()
  writeRequest(writer, one, version, request)
  return writer.finish()
}

/** A response body; record data and large bytes are there by reference. */
export const encodeResponse = <A extends Api>(
  one: A,
  version: number,
  response: Given<A['response']>,
): Buffer[] => {
  const writer = new Writer()
  writeResponse(writer, one, version, response)
  return writer.finish()
}

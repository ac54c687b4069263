import { isDeepStrictEqual } from 'node:util'
import { type Api, decodeResponse, encodeResponse } from '../protocol/api.ts'
import { decodeResponseHeader } from '../protocol/header.ts'
import { WireError } from '../protocol/wire.ts'
import { tableOf } from './frame-decoder.ts'

/** The addresses that a broker advertises: where they are in answers, and how they are replaced with no other byte changed. */

export interface Address {
  readonly host: string
  readonly port: number
}

export const addressText = ({ host, port }: Address): string => `${host}:${port}`

/** First version whose answer can hold addresses, by API key: Produce, Fetch, Metadata, FindCoordinator, DescribeCluster. */
const firstVersion = new Map([
  [0, 10],
  [1, 16],
  [3, 0],
  [10, 0],
  [60, 0],
])

export const carriesAddresses = (apiKey: number, version: number): boolean =>
  version >= (firstVersion.get(apiKey) ?? Number.POSITIVE_INFINITY)

interface AddressHolder {
  host: string
  port: number
}

/** The parts of an answer that name a broker; an empty host, as in errors, is none. */
const holdersIn = (response: Record<string, unknown>): AddressHolder[] =>
  [response, ...['brokers', 'coordinators', 'nodeEndpoints'].map((name) => response[name])]
    .flatMap((found) => (found ?? []) as AddressHolder | AddressHolder[])
    .filter(({ host, port }) => typeof host === 'string' && host !== '' && port > 0)

interface Located {
  readonly one: Api
  readonly version: number
  readonly bodyOffset: number
  readonly response: Record<string, unknown>
}

const locate = (apiKey: number, version: number, frame: Buffer): Located | null => {
  const one = tableOf(apiKey, version)
  if (one === null) return null
  try {
    const { bodyOffset } = decodeResponseHeader(one, version, frame)
    const response = decodeResponse(one, version, frame, bodyOffset) as Record<string, unknown>
    return { one, version, bodyOffset, response }
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}

/** Null for what our encoder refuses, such as a null that the version does not allow. */
const encoded = ({ one, version, response }: Located): Buffer | null => {
  try {
    return Buffer.concat(encodeResponse(one, version, response as never))
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}

/** Host and port as they lie in the bytes, in the plain and the compact form of a string. */
const wireForms = ({ host, port }: Address): Buffer[] => {
  const text = Buffer.from(host)
  const rest = Buffer.alloc(4)
  rest.writeInt32BE(port)
  const plainLength = Buffer.alloc(2)
  plainLength.writeInt16BE(text.length)
  const compact = text.length + 1
  const compactLength =
    compact < 0x80 ? Buffer.from([compact]) : Buffer.from([(compact & 0x7f) | 0x80, compact >> 7])
  return [plainLength, compactLength].map((length) => Buffer.concat([length, text, rest]))
}

/** Replaces the bytes of each address in turn; for answers that our encoder would write otherwise. */
const splice = (body: Buffer, from: readonly Address[], to: readonly Address[]): Buffer | null => {
  const parts: Buffer[] = []
  let start = 0
  for (const [index, address] of from.entries()) {
    const target = to[index]
    const found = wireForms(address)
      .map((bytes, form) => ({ at: body.indexOf(bytes, start), sizeBytes: bytes.length, form }))
      .filter(({ at }) => at >= 0)
      .toSorted((a, b) => a.at - b.at)[0]
    if (found === undefined || target === undefined) return null
    parts.push(body.subarray(start, found.at), wireForms(target)[found.form] ?? Buffer.alloc(0))
    start = found.at + found.sizeBytes
  }
  return Buffer.concat([...parts, body.subarray(start)])
}

const replaced = (
  frame: Buffer,
  located: Located,
  holders: readonly AddressHolder[],
  to: readonly Address[],
): Buffer | null => {
  const { one, version, bodyOffset, response } = located
  const body = frame.subarray(bodyOffset)
  const isEncodedAlike = encoded(located)?.equals(body) === true
  const from = holders.map(({ host, port }) => ({ host, port }))
  for (const [index, holder] of holders.entries()) Object.assign(holder, to[index])
  const head = frame.subarray(0, bodyOffset)
  const whole = isEncodedAlike ? encoded(located) : null
  if (whole !== null) return Buffer.concat([head, whole])
  const spliced = splice(body, from, to)
  if (spliced === null) return null
  const again = Buffer.concat([head, spliced])
  try {
    const isRight = isDeepStrictEqual(decodeResponse(one, version, again, bodyOffset), response)
    return isRight ? again : null
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}

export interface AddressesFound {
  /** Every address in the answer, in the order of its bytes. */
  readonly addresses: readonly Address[]
  /**
   * The frame with the addresses replaced by those in `to`, in turn; null when that cannot be done without touching
   * other bytes. To be called once.
   */
  replace(to: readonly Address[]): Buffer | null
}

/** Null when the answer cannot be decoded. */
export const findAddresses = (
  apiKey: number,
  version: number,
  frame: Buffer,
): AddressesFound | null => {
  const located = locate(apiKey, version, frame)
  if (located === null) return null
  const holders = holdersIn(located.response)
  return {
    addresses: holders.map(({ host, port }) => ({ host, port })),
    replace: (to) => replaced(frame, located, holders, to),
  }
}

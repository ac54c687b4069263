import { describe, expect, it } from 'vitest'
import { decodeRequest, decodeResponse } from './api.ts'
import {
  decodeRequestHeader,
  decodeResponseHeader,
  encodeRequestFrame,
  encodeResponseFrame,
  encodeUnsupportedApiVersions,
  readRequestHead,
} from './header.ts'
import { apis } from './messages/index.ts'

/** Hexadecimal with spaces where a reader wants them. */
const packed = (text: string): string => text.replaceAll(' ', '')

const hexOf = (parts: readonly Buffer[]): string => Buffer.concat(parts).toString('hex')
const header = { correlationId: 7, clientId: 'c' }

describe('requests', () => {
  it('have the plain header before the first flexible version', () => {
    const frame = encodeRequestFrame(apis.Heartbeat, 0, header, {
      groupId: 'g',
      generationId: 1,
      memberId: 'm',
    })
    expect(hexOf(frame)).toBe(packed('00000015 000c 0000 00000007 000163 000167 00000001 00016d'))
  })

  it('have tagged fields after it from then on, and a client id of int16 length all the same', () => {
    const frame = encodeRequestFrame(apis.Heartbeat, 4, header, {
      groupId: 'g',
      generationId: 1,
      memberId: 'm',
    })
    const body = packed('0267 00000001 026d 00 00')
    expect(hexOf(frame)).toBe(packed('00000016 000c 0004 00000007 000163 00') + body)
    const bytes = Buffer.concat(frame).subarray(4)
    const read = decodeRequestHeader(bytes, true)
    expect(read).toEqual({ apiKey: 12, apiVersion: 4, ...header, bodyOffset: 12 })
    expect(decodeRequest(apis.Heartbeat, 4, bytes, read.bodyOffset)).toMatchObject({
      groupId: 'g',
      generationId: 1,
      memberId: 'm',
    })
  })

  it('may have bytes after the body, which are ignored', () => {
    expect(decodeRequest(apis.SaslHandshake, 0, Buffer.from('000161ffff', 'hex'))).toEqual({
      mechanism: 'a',
    })
  })

  it('may have no client id', () => {
    const bytes = Buffer.from(packed('000300010000000 7ffff'), 'hex')
    expect(decodeRequestHeader(bytes, false)).toEqual({
      apiKey: 3,
      apiVersion: 1,
      correlationId: 7,
      clientId: null,
      bodyOffset: 10,
    })
  })

  it('skip tagged fields of the header', () => {
    const bytes = Buffer.from(packed('0003000900000007 0000 010002aabb 05'), 'hex')
    expect(decodeRequestHeader(bytes, true).bodyOffset).toBe(15)
  })

  it.each([
    ['too short', '00030001000000', false, 'request header: 1 byte missing at byte 4'],
    [
      'with a client id beyond the frame',
      '000300010000000775300078',
      false,
      'request header: clientId',
    ],
    ['with tags beyond the frame', '000300090000000700000100ff00', true, 'request header: '],
  ])('are refused %s', (_name, hex, isFlexible, message) => {
    expect(() => decodeRequestHeader(Buffer.from(hex, 'hex'), isFlexible)).toThrow(message)
  })

  it('begin with eight bytes that can be read whatever follows', () => {
    expect(readRequestHead(Buffer.from(packed('270f00630000000 7ff'), 'hex'))).toEqual({
      apiKey: 9999,
      apiVersion: 99,
      correlationId: 7,
    })
  })
})

describe('responses', () => {
  it('have tagged fields in the header from the first flexible version on', () => {
    const plain = encodeResponseFrame(apis.Heartbeat, 1, 7, { errorCode: 27 })
    expect(hexOf(plain)).toBe(packed('0000000a 00000007 00000000 001b'))
    const flexible = encodeResponseFrame(apis.Heartbeat, 4, 7, { errorCode: 27 })
    expect(hexOf(flexible)).toBe(packed('0000000c 00000007 00 00000000 001b 00'))
    const bytes = Buffer.concat(flexible).subarray(4)
    const read = decodeResponseHeader(apis.Heartbeat, 4, bytes)
    expect(read).toEqual({ correlationId: 7, bodyOffset: 5 })
    expect(decodeResponse(apis.Heartbeat, 4, bytes, read.bodyOffset)).toEqual({
      throttleTimeMs: 0,
      errorCode: 27,
    })
  })

  it('have the plain header for ApiVersions in every version', () => {
    const frame = encodeResponseFrame(apis.ApiVersions, 3, 7, { errorCode: 42, apiKeys: [] })
    // As Apache Kafka 4.3 answers an empty software name.
    expect(hexOf(frame)).toBe(packed('0000000c 00000007 002a010000000000'))
    expect(decodeResponseHeader(apis.ApiVersions, 3, Buffer.concat(frame).subarray(4))).toEqual({
      correlationId: 7,
      bodyOffset: 4,
    })
  })

  it('tell an unsupported ApiVersions what is served, as Apache Kafka 4.3 does', () => {
    expect(hexOf(encodeUnsupportedApiVersions(apis.ApiVersions, 7))).toBe(
      packed('00000010 00000007002300000001001200000004'),
    )
  })

  it('hold record data by reference', () => {
    const records: Buffer[] = [Buffer.alloc(100, 1), Buffer.alloc(200_000, 2)]
    const partition = {
      partitionIndex: 0,
      errorCode: 0,
      highWatermark: 9,
      abortedTransactions: null,
    }
    const frame = encodeResponseFrame(apis.Fetch, 12, 7, {
      errorCode: 0,
      responses: [{ topic: 't', partitions: [{ ...partition, records }] }],
    })
    expect(records.every((part) => frame.includes(part))).toBe(true)
    expect(Buffer.concat(frame).readInt32BE()).toBe(Buffer.concat(frame).length - 4)
    const bytes = Buffer.concat(frame).subarray(4)
    const { bodyOffset } = decodeResponseHeader(apis.Fetch, 12, bytes)
    const decoded = decodeResponse(apis.Fetch, 12, bytes, bodyOffset)
    const read = decoded.responses[0]?.partitions[0]?.records
    expect(read?.equals(Buffer.concat(records))).toBe(true)
    expect(read?.buffer).toBe(bytes.buffer)
  })
})

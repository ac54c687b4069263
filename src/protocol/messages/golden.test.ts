import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Api, decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../api.ts'
import { type ApiName, apis } from './index.ts'

/** Hexadecimal with spaces where a reader wants them. */
const packed = (text: string): string => text.replaceAll(' ', '')

interface Golden {
  api: ApiName
  version: number
  what: string
  hex: string
  expected: object
}

/** Response bodies that Apache Kafka 4.3 gave. */
const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/protocol/kafka-4.3.json', import.meta.url), 'utf8'),
) as Golden[]

describe('answers of Apache Kafka 4.3', () => {
  it.each(golden)('$api v$version $what', ({ api, version, hex, expected }) => {
    const one: Api = apis[api]
    const response = decodeResponse(one, version, Buffer.from(hex, 'hex'))
    expect(response).toMatchObject(expected)
    const again = Buffer.concat(encodeResponse(one, version, response as never))
    expect(again.toString('hex')).toBe(hex)
  })
})

describe('JoinGroup response', () => {
  const response = {
    errorCode: 0,
    generationId: 2,
    protocolName: 'range',
    leader: 'a',
    memberId: 'a',
    members: [
      { memberId: 'a', groupInstanceId: null, metadata: Buffer.from([1]) },
      { memberId: 'b', groupInstanceId: 'i', metadata: Buffer.from([2]) },
    ],
  }
  const encoded = (version: number): string =>
    Buffer.concat(encodeResponse(apis.JoinGroup, version, response)).toString('hex')
  const start = packed('00000000 0000 00000002 000572616e6765 000161 000161')

  it('has an instance id for each member from version 5 on, also when it is null', () => {
    const members = packed('00000002 000161 ffff 0000000101 000162 000169 0000000102')
    expect(encoded(5)).toBe(start + members)
  })

  it('has none in version 4', () => {
    expect(encoded(4)).toBe(start + packed('00000002 000161 0000000101 000162 0000000102'))
  })

  it('is compact in version 9, with the protocol type and whether to skip the assignment', () => {
    const members = packed('03 0261 00 0201 00 0262 0269 0202 00')
    expect(encoded(9)).toBe(
      packed('00000000 0000 00000002 00 0672616e6765 0261 00 0261') + members + '00',
    )
  })

  it('tells a version 4 body from a version 5 body', () => {
    expect(() => decodeResponse(apis.JoinGroup, 5, Buffer.from(encoded(4), 'hex'))).toThrow(
      /^JoinGroup v5 response: members\[0\]/,
    )
    expect(() => decodeResponse(apis.JoinGroup, 4, Buffer.from(encoded(5), 'hex'))).toThrow(
      /^JoinGroup v4 response: /,
    )
  })
})

it('names the bytes that are left over', () => {
  expect(() => decodeResponse(apis.Heartbeat, 0, Buffer.from('000007', 'hex'))).toThrow(
    'Heartbeat v0 response: 1 bytes left over at byte 2',
  )
})

interface PlatformaticRequest {
  api: ApiName
  version: number
  hex: string
  /** The values that the client was asked to send. */
  said: (string | number | boolean)[]
}

const readPlatformatic = (): PlatformaticRequest[] => {
  const path = new URL('../../../test/golden/protocol/platformatic-1.35.json', import.meta.url)
  return JSON.parse(readFileSync(path, 'utf8')) as PlatformaticRequest[]
}

const leaves = (value: unknown): unknown[] => {
  if (Buffer.isBuffer(value)) return [value.toString()]
  return typeof value === 'object' && value !== null
    ? Object.values(value).flatMap(leaves)
    : [value]
}

describe('flexible requests of @platformatic/kafka 1.35', () => {
  it.each(readPlatformatic())('$api v$version', ({ api, version, hex, said }) => {
    const one: Api = apis[api]
    const request = decodeRequest(one, version, Buffer.from(hex, 'hex'))
    expect(leaves(request)).toEqual(expect.arrayContaining(said))
    const again = Buffer.concat(encodeRequest(one, version, request as never))
    expect(again.toString('hex')).toBe(hex)
  })
})

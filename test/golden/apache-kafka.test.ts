import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Api, decodeResponse, encodeResponse } from '../../src/protocol/api.ts'
import { type ApiName, apis } from '../../src/protocol/messages/index.ts'

/** Our tables against bytes that Apache Kafka sent; `npm run conformance -- apache-kafka --update-golden` takes them anew. */

interface Golden {
  api: ApiName
  source: string
  responses: { version: number; what: string; hex: string }[]
}

const folder = new URL('apache-kafka/', import.meta.url)
const responses = readdirSync(folder).flatMap((name) => {
  const golden = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Golden
  return golden.responses.map(({ version, what, hex }) => ({ api: golden.api, version, what, hex }))
})

it('there is one of every version of every API', () => {
  const wanted = Object.values<Api>(apis).flatMap(({ name, minVersion, maxVersion }) =>
    Array.from({ length: maxVersion - minVersion + 1 }, (_, i) => `${name} v${minVersion + i}`),
  )
  const there = responses.map(({ api, version }) => `${api} v${version}`)
  expect(there.toSorted()).toEqual(wanted.toSorted())
})

describe.each(responses)('$api v$version, $what', ({ api, version, hex }) => {
  const one: Api = apis[api]
  const body = Buffer.from(hex, 'hex')

  it('is read to its last byte and written the same', () => {
    const response = decodeResponse(one, version, body)
    expect(Buffer.concat(encodeResponse(one, version, response as never)).toString('hex')).toBe(hex)
  })

  it('is refused with a byte missing or one too many', () => {
    const name = `${api} v${version} response`
    expect(() => decodeResponse(one, version, body.subarray(0, -1))).toThrow(name)
    const longer = Buffer.concat([body, Buffer.alloc(1)])
    expect(() => decodeResponse(one, version, longer)).toThrow(`${name}: 1 bytes left over`)
  })
})

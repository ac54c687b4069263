import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryMessage, versionsOf } from '../../../test/support/arbitrary-message.ts'
import { type Api, decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../api.ts'
import { apis } from './index.ts'

describe.each(Object.values(apis) as Api[])('$name', (one) => {
  it.each(versionsOf(one))('v%d comes back from its bytes, request and response', (version) => {
    fc.assert(
      fc.property(arbitraryMessage(one.request, version), (request) => {
        const body = Buffer.concat(encodeRequest(one, version, request as never))
        expect(decodeRequest(one, version, body)).toEqual(request)
      }),
      { numRuns: 20 },
    )
    fc.assert(
      fc.property(arbitraryMessage(one.response, version), (response) => {
        const body = Buffer.concat(encodeResponse(one, version, response as never))
        expect(decodeResponse(one, version, body)).toEqual(response)
      }),
      { numRuns: 20 },
    )
  })
})

it('keeps every API under its own key', () => {
  const keys = Object.values(apis).map(({ key }) => key)
  expect(new Set(keys).size).toBe(keys.length)
  for (const [name, one] of Object.entries(apis)) expect(one.name).toBe(name)
})

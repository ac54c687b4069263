import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryMessage, versionsOf } from '../../test/support/arbitrary-message.ts'
import { type Api, decodeRequest, decodeResponse, encodeRequest, encodeResponse } from './api.ts'
import { decodeAssignment, decodeSubscription, encodeSubscription } from './consumer-protocol.ts'
import { decodeRequestHeader } from './header.ts'
import { type ApiName, apis } from './messages/index.ts'
import { WireError } from './wire.ts'

interface Sample {
  name: string
  decode(body: Buffer): unknown
  body: Buffer
}

const seed = 20_260_101

const samplesOf = (one: Api, version: number): Sample[] => {
  const requests = fc.sample(arbitraryMessage(one.request, version), { seed, numRuns: 2 })
  const responses = fc.sample(arbitraryMessage(one.response, version), { seed, numRuns: 2 })
  return [
    ...requests.map((request) => ({
      name: `${one.name} v${version} request`,
      decode: (body: Buffer) => decodeRequest(one, version, body),
      body: Buffer.concat(encodeRequest(one, version, request as never)),
    })),
    ...responses.map((response) => ({
      name: `${one.name} v${version} response`,
      decode: (body: Buffer) => decodeResponse(one, version, body),
      body: Buffer.concat(encodeResponse(one, version, response as never)),
    })),
  ]
}

const kafkaSamples = (): Sample[] => {
  const path = new URL('../../test/golden/protocol/kafka-4.3.json', import.meta.url)
  const golden = JSON.parse(readFileSync(path, 'utf8')) as {
    api: ApiName
    version: number
    hex: string
  }[]
  return golden.map(({ api, version, hex }) => ({
    name: `${api} v${version} response of Kafka`,
    decode: (body: Buffer) => decodeResponse<Api>(apis[api], version, body),
    body: Buffer.from(hex, 'hex'),
  }))
}

const subscription = encodeSubscription(3, {
  topics: ['t', 'u'],
  ownedPartitions: [{ topic: 't', partitions: [0, 1] }],
  rackId: 'r',
})

const samples: Sample[] = [
  ...(Object.values(apis) as Api[]).flatMap((one) =>
    versionsOf(one).flatMap((version) => samplesOf(one, version)),
  ),
  ...kafkaSamples(),
  { name: 'subscription', decode: decodeSubscription, body: subscription },
  {
    name: 'assignment',
    decode: decodeAssignment,
    body: Buffer.from('0000000000010001740000000100000003ffffffff', 'hex'),
  },
  {
    name: 'request header',
    decode: (body) => decodeRequestHeader(body, true),
    body: Buffer.from('0003000900000007000163010002aabb', 'hex'),
  },
]

/** Elements of all arrays in a value. */
const elementCount = (value: unknown): number => {
  if (Array.isArray(value)) {
    return value.reduce((sum: number, one) => sum + elementCount(one), value.length)
  }
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return 0
  return Object.values(value).reduce((sum: number, one) => sum + elementCount(one), 0)
}

/** Decodes what may be anything: a value no larger than its bytes allow, or a `WireError`. */
const attempt = (sample: Sample, body: Buffer): 'value' | 'refused' => {
  try {
    // Every element takes at least a byte, so nothing can be made that was not sent.
    const count = elementCount(sample.decode(body))
    if (count > body.length) throw new Error(`${count} elements from ${body.length} bytes`)
    return 'value'
  } catch (error) {
    if (error instanceof WireError) return 'refused'
    throw new Error(`${sample.name} of ${body.toString('hex')}`, { cause: error })
  }
}

const copyWith = (body: Buffer, change: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(body)
  change(copy)
  return copy
}

/** A small generator of 32-bit numbers with a seed (mulberry32), so that a failure comes back. */
const numbersFrom = (first: number): (() => number) => {
  let state = first
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

describe('bytes that are not what they should be', () => {
  it('come back whole when nothing is changed', () => {
    for (const sample of samples) expect(attempt(sample, sample.body), sample.name).toBe('value')
  })

  it('are refused when the end is missing, wherever it is cut', () => {
    for (const sample of samples) {
      for (let length = 0; length < sample.body.length; length++) {
        const outcome = attempt(sample, sample.body.subarray(0, length))
        if (outcome !== 'refused') throw new Error(`${sample.name} cut to ${length} bytes`)
      }
    }
  })

  it('are read or refused when any length says something extreme', () => {
    const extremes = ['7fffffff', '80000000', 'ffffffff0f', '7fff']
    let refused = 0
    for (const sample of samples) {
      for (let offset = 0; offset < sample.body.length; offset++) {
        for (const extreme of extremes) {
          const body = copyWith(sample.body, (copy) => copy.write(extreme, offset, 'hex'))
          if (attempt(sample, body) === 'refused') refused++
        }
      }
    }
    expect(refused).toBeGreaterThan(10_000)
  })

  it('are read or refused after 100,000 random changes', () => {
    const next = numbersFrom(seed)
    const outcomes = { value: 0, refused: 0 }
    for (let mutant = 0; mutant < 100_000; mutant++) {
      const sample = samples[next() % samples.length]
      if (sample === undefined || sample.body.length === 0) continue
      const body = copyWith(sample.body, (copy) => {
        for (let changes = 1 + (next() % 4); changes > 0; changes--) {
          const offset = next() % copy.length
          copy[offset] = next() % 3 === 0 ? (copy[offset] ?? 0) ^ (1 << (next() % 8)) : next()
        }
      })
      outcomes[attempt(sample, body)]++
    }
    expect(outcomes.value).toBeGreaterThan(10_000)
    expect(outcomes.refused).toBeGreaterThan(10_000)
  })

  it('are read or refused when they are noise', () => {
    const next = numbersFrom(seed + 1)
    for (const sample of samples) {
      const noise = Buffer.from(Array.from({ length: 1 + (next() % 64) }, () => next() & 0xff))
      attempt(sample, noise)
    }
  })
})

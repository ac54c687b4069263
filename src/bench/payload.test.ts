import { deflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { RecordRun } from '../clients/driver.ts'
import { createPayloadPlan, type PayloadOptions } from './payload.ts'
import {
  createHeader,
  headerSizeBytes,
  parseDetached,
  parseHeader,
  runNumberOf,
} from './record-header.ts'

const runId = '0123456789ab'
const identity = { runId, producer: 1, epochOffsetUs: 1_000_000 }
const defaults: PayloadOptions = {
  messageSizeBytes: 1024,
  payloadPattern: 'random',
  payloadFile: null,
  compressibility: null,
  seed: 3,
}
const planOf = (options: Partial<PayloadOptions>) =>
  createPayloadPlan({ ...defaults, ...options }, identity)

const bytesOf = (seed: number, payloadPattern: PayloadOptions['payloadPattern']) =>
  Buffer.concat(planOf({ seed, payloadPattern }).bodies).toString('latin1')
const poolSizeOf = (messageSizeBytes: number) =>
  planOf({ messageSizeBytes, payloadPattern: 'zeros' }).bodies.reduce(
    (sum, body) => sum + body.length,
    0,
  )
const firstBody = (options: Partial<PayloadOptions>) => planOf(options).bodies[0] as Buffer

const runOf = (
  plan: ReturnType<typeof planOf>,
  firstSequence: number,
  count: number,
): RecordRun => ({
  partition: 0,
  count,
  firstSequence,
  intendedAtNs: Float64Array.from({ length: count }, (_, index) => 5_000 + index * 1_000),
  sentAtNs: 5_000,
  payload: plan,
  keys: null,
})

test('what was compiled for the values of one phase holds for those of the next', () => {
  const methodsOf = ({ template }: ReturnType<typeof planOf>) =>
    ['patch', 'patchAll'].map((name) => Reflect.get(template ?? {}, name))
  const methods = methodsOf(planOf({}))
  expect(methods).toEqual([expect.any(Function), expect.any(Function)])
  expect(methodsOf(planOf({}))).toEqual(methods)
})

test.each([0, 1, 35, 36, 37, 256, 1024, 100_000])('a value of %i bytes says who it is', (size) => {
  const plan = planOf({ messageSizeBytes: size })
  const run = runOf(plan, 4095, 3)
  for (let index = 0; index < 3; index += 1) {
    const { value, header } = plan.render(run, index)
    const out = createHeader()
    expect(value.length).toBe(size)
    expect(header?.name ?? null).toBe(size < headerSizeBytes ? 'bench' : null)
    const verdict =
      header === null
        ? parseHeader(value, 0, size, out)
        : parseDetached(header.value, value, 0, size, out)
    expect(verdict).toBe('ok')
    expect(out).toEqual({
      run: runNumberOf(runId),
      producer: 1,
      sequence: 4095 + index,
      intendedAtEpochUs: 1_000_005 + index,
    })
  }
})

test('the same seed gives the same bytes, another seed others', () => {
  expect(bytesOf(3, 'random') === bytesOf(3, 'random')).toBe(true)
  expect(bytesOf(3, 'random') === bytesOf(4, 'random')).toBe(false)
  expect(bytesOf(3, 'text') === bytesOf(3, 'text')).toBe(true)
  expect(bytesOf(2 ** 40 + 3, 'random') === bytesOf(3, 'random')).toBe(false)
})

test('the pool is bounded, and holds one body at least', () => {
  for (const size of [0, 40, 1024, 1_000_000]) expect(poolSizeOf(size)).toBeLessThanOrEqual(2 ** 24)
  expect(poolSizeOf(20_000_000)).toBe(20_000_000 - headerSizeBytes)
})

test('the patterns differ as their names say', () => {
  expect(firstBody({ payloadPattern: 'zeros' }).every((byte) => byte === 0)).toBe(true)
  expect(firstBody({ payloadPattern: 'text' }).toString()).toMatch(/^[a-z ]+$/)
  expect(deflateRawSync(firstBody({})).length).toBeGreaterThan(980)
  const file = {
    payloadPattern: 'file',
    payloadFile: { path: 'f', content: Buffer.from('abc') },
  } as const
  expect(firstBody(file).toString('latin1', 0, 7)).toBe('abcabca')
  expect(
    firstBody({ payloadPattern: 'file', payloadFile: { path: 'f', content: Buffer.alloc(0) } })
      .length,
  ).toBe(988)
})

test.each([0, 0.25, 0.5, 1])(
  'compressibility %d is the share of bytes that compress away',
  (share) => {
    const body = planOf({ messageSizeBytes: 10_036, compressibility: share }).bodies[0] as Buffer
    const left = deflateRawSync(body).length / body.length
    expect(Math.abs(left - (1 - share))).toBeLessThan(0.02)
  },
)

test.each([36, 37, 256])(
  'the template makes values of %i bytes that are as good as rendered ones',
  (size) => {
    const plan = planOf({ messageSizeBytes: size })
    const run = runOf(plan, 4094, 4)
    const { template } = plan
    if (!template) throw new Error('no template')
    const bytes = Buffer.alloc(size + 2, 0xee)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    for (const body of [0, 1, 5_000]) {
      template.fill(bytes, 1, body)
      expect(
        bytes.subarray(1 + template.windowStart, 1 + template.windowEnd).every((b) => b === 0),
      ).toBe(true)
      const before = Buffer.from(bytes)
      for (let index = 0; index < 4; index += 1) {
        template.patch(view, 1, body, run, index)
        const out = createHeader()
        expect(parseHeader(bytes, 1, size, out)).toBe('ok')
        expect(out).toEqual({
          run: runNumberOf(runId),
          producer: 1,
          sequence: 4094 + index,
          intendedAtEpochUs: 1_000_005 + index,
        })
        // Nothing but the window has changed.
        bytes.copy(
          before,
          1 + template.windowStart,
          1 + template.windowStart,
          1 + template.windowEnd,
        )
        expect(bytes.equals(before)).toBe(true)
      }
    }
  },
)

test('values too small for a header have no template', () => {
  expect(planOf({ messageSizeBytes: 35 }).template).toBeNull()
})

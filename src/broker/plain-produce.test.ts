import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeRequest, encodeRequest } from '../protocol/api.ts'
import { encodeResponseFrame } from '../protocol/header.ts'
import { type ProduceRequest, type ProduceResponse, produce } from '../protocol/messages/produce.ts'
import { AnswerBuffer } from './answer-buffer.ts'
import { PlainProduce } from './plain-produce.ts'

const version = fc.integer({ min: 3, max: 12 })
const name = fc.constantFrom('t', 'topic-b', 'größe', 'x'.repeat(126), 'y'.repeat(200))
const records = fc.uint8Array({ minLength: 0, maxLength: 300 }).map((bytes) => Buffer.from(bytes))
const request: fc.Arbitrary<ProduceRequest> = fc.record({
  transactionalId: fc.constantFrom(null, null, null, 'tx'),
  acks: fc.constantFrom(-1, 0, 1, 7),
  timeoutMs: fc.nat(100_000),
  topicData: fc.array(
    fc.record({
      name,
      partitionData: fc.array(
        fc.record({ index: fc.integer({ min: -1, max: 9 }), records: fc.option(records) }),
        { maxLength: 4 },
      ),
    }),
    { maxLength: 3 },
  ),
})

test('reads what the tables read, or leaves it to them', () => {
  const plain = new PlainProduce()
  let readCount = 0
  fc.assert(
    fc.property(request, version, fc.nat(20), (value, v, before) => {
      const body = Buffer.concat(encodeRequest(produce, v, value))
      const bytes = Buffer.concat([Buffer.alloc(before, 0xff), body, Buffer.from('after')])
      const found = plain.read(bytes, before, before + body.length, v)
      const isPlain =
        value.transactionalId === null &&
        value.topicData.every((topic) => topic.partitionData.every((one) => one.records !== null))
      expect(found).toEqual(isPlain ? decodeRequest(produce, v, body) : null)
      if (isPlain) readCount++
    }),
    { numRuns: 1_000 },
  )
  expect(readCount).toBeGreaterThan(50)
})

test('what is cut short or changed is read as the tables read it, or left to them', () => {
  const plain = new PlainProduce()
  fc.assert(
    fc.property(request, version, fc.nat(), fc.nat(255), fc.nat(), (value, v, at, byte, cut) => {
      const body = Buffer.concat(encodeRequest(produce, v, value))
      body[at % body.length] = byte
      const end = cut % 3 === 0 ? cut % body.length : body.length
      const found = plain.read(body, 0, end, v)
      if (found !== null) expect(found).toEqual(decodeRequest(produce, v, body.subarray(0, end)))
    }),
    { numRuns: 2_000 },
  )
})

const plainPartition = fc.record(
  {
    index: fc.nat(5),
    errorCode: fc.constant(0),
    baseOffset: fc.integer({ min: -1, max: 2 ** 50 }),
    logAppendTimeMs: fc.constantFrom(-1, 1_700_000_000_123),
    logStartOffset: fc.constantFrom(-1, 0, 2 ** 40 + 1),
  },
  { requiredKeys: ['index', 'errorCode', 'baseOffset'] },
)

const response = fc.record({
  responses: fc.array(
    fc.record({
      name: fc.constantFrom('t', 't', 't', 'other'),
      partitionResponses: fc.array(
        fc.oneof(
          { weight: 9, arbitrary: plainPartition },
          { weight: 1, arbitrary: fc.constant({ index: 1, errorCode: 3, baseOffset: -1 }) },
          {
            weight: 1,
            arbitrary: fc.constant({ index: 1, errorCode: 0, baseOffset: 7, errorMessage: 'm' }),
          },
        ),
        { maxLength: 4 },
      ),
    }),
    { minLength: 1, maxLength: 2 },
  ),
}) as fc.Arbitrary<ProduceResponse>

test('writes what the tables write, or leaves it to them', () => {
  const plain = new PlainProduce()
  const body = encodeRequest(produce, 3, {
    acks: 1,
    timeoutMs: 1,
    topicData: [{ name: 't', partitionData: [] }],
  })
  const named = Buffer.concat(body)
  plain.read(named, 0, named.length, 3)
  let writtenCount = 0
  fc.assert(
    fc.property(response, version, fc.nat(2 ** 31 - 1), (value, v, correlationId) => {
      const out = new AnswerBuffer()
      if (!plain.write(out, v, correlationId, value)) {
        expect(out.waitingBytes).toBe(0)
        return
      }
      writtenCount++
      const expected = Buffer.concat(encodeResponseFrame(produce, v, correlationId, value))
      const sizeBytes = out.waitingBytes
      const end = out.take(0)
      expect(out.bytes.subarray(end - sizeBytes, end)).toEqual(expected)
    }),
    { numRuns: 1_000 },
  )
  expect(writtenCount).toBeGreaterThan(50)
})

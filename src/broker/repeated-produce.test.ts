import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchOf } from '../../test/support/batches.ts'
import { callOf, dataContext } from '../../test/support/broker-context.ts'
import { decodeRequest } from '../protocol/api.ts'
import { crc32c } from '../protocol/crc32c.ts'
import {
  decodeRequestHeader,
  encodeRequestFrame,
  encodeResponseFrame,
  readRequestHead,
} from '../protocol/header.ts'
import { type ProduceRequest, type ProduceResponse, produce } from '../protocol/messages/produce.ts'
import { AnswerBuffer } from './answer-buffer.ts'
import type { BrokerContext } from './context.ts'
import { handleProduce } from './handlers/produce.ts'
import { RepeatedProduce } from './repeated-produce.ts'
import { memoryStore } from './store/memory.ts'
import { StorageError } from './store/store.ts'

const epochMs = 1_700_000_000_000

/** A frame without its size, as a connection finds it. */
const frameOf = (
  records: Buffer | null,
  {
    name = 't',
    index = 0,
    version = 8,
    acks = -1,
    correlationId = 7,
    clientId = 'c',
  }: {
    name?: string
    index?: number
    version?: number
    acks?: number
    correlationId?: number
    clientId?: string
  } = {},
): Buffer => {
  const topicData = [{ name, partitionData: [{ index, records }] }]
  const request: ProduceRequest = { transactionalId: null, acks, timeoutMs: 1_000, topicData }
  return Buffer.concat(
    encodeRequestFrame(produce, version, { correlationId, clientId }, request),
  ).subarray(4)
}

/** The answer of the tables and the handler. */
const byHandler = (frame: Buffer, broker: BrokerContext) => {
  const { apiVersion: version, correlationId } = readRequestHead(frame)
  const { bodyOffset } = decodeRequestHeader(frame, version >= 9)
  const request = decodeRequest(produce, version, frame, bodyOffset)
  const response = handleProduce(request, callOf(version), broker) as ProduceResponse
  const answer = Buffer.concat(encodeResponseFrame(produce, version, correlationId, response))
  return { answer, request, version }
}

const contextWith = (settings: Record<string, string> = {}) => {
  const given = dataContext({ settings, brokers: 2 })
  const { topics } = given.broker
  topics.create('t', 3)
  topics.create('stamped', 3, { 'message.timestamp.type': 'LogAppendTime' })
  topics.create('elsewhere', 3, {}, [[2], [2], [2]])
  return given
}

/** Of requests that begin as the last two frames did; null when it was left to the handler. */
const repeating = (broker: BrokerContext) => {
  const repeated = new RepeatedProduce()
  const learn = (frame: Buffer): Buffer => {
    const { answer, request, version } = byHandler(Buffer.from(frame), broker)
    const sizeBytes = request.topicData[0]?.partitionData[0]?.records?.length ?? 0
    repeated.learn(frame.subarray(0, frame.length - sizeBytes - 8), version, request)
    return answer
  }
  const answer = (frame: Buffer): Buffer | null => {
    const out = new AnswerBuffer()
    const bytes = Buffer.concat([Buffer.from('before'), frame, Buffer.from('after')])
    if (!repeated.answer(bytes, 6, 6 + frame.length, out, broker)) {
      expect(out.waitingBytes).toBe(0)
      return null
    }
    const sizeBytes = out.waitingBytes
    const end = out.take(0)
    return Buffer.from(out.bytes.subarray(end - sizeBytes, end))
  }
  return { learn, answer }
}

const changed = (change: (batch: Buffer) => void, batch = batchOf(3)): Buffer => {
  change(batch)
  batch.writeUInt32BE(crc32c(batch, 21), 17)
  return batch
}
const idempotent = (baseSequence: number) =>
  batchOf(2, { producerId: 1, producerEpoch: 0, baseSequence })

const batches: readonly [string, () => Buffer][] = [
  ['a batch of one', () => batchOf(1)],
  ['a batch of seven', () => batchOf(7, { valueBytes: 100 })],
  ['the first of a producer', () => idempotent(0)],
  ['its second', () => idempotent(2)],
  ['one out of order', () => idempotent(9)],
  ['an older epoch', () => batchOf(1, { producerId: 1, producerEpoch: -1, baseSequence: 0 })],
  ['a bad CRC', () => batchOf(3).fill(1, 70, 71)],
  ['a batch length of -1', () => changed((batch) => batch.writeInt32BE(-1, 8))],
  ['magic 9', () => changed((batch) => batch.writeInt8(9, 16))],
  ['magic 1', () => changed((batch) => batch.writeInt8(1, 16))],
  ['two batches', () => Buffer.concat([batchOf(1), batchOf(1)])],
  ['no bytes', () => Buffer.alloc(0)],
  ['a few bytes', () => Buffer.from('records')],
  ['a cut batch', () => batchOf(3).subarray(0, 80)],
  ['a record count of 2 of 3', () => changed((batch) => batch.writeInt32BE(2, 57))],
  ['a base offset', () => changed((batch) => batch.writeInt32BE(1, 4))],
  ['a control batch', () => batchOf(1, { attributes: 0x20 })],
  ['a producer id without sequence', () => batchOf(1, { producerId: 1, producerEpoch: 0 })],
  ['codec 7', () => batchOf(1, { attributes: 7 })],
  ['zstd', () => batchOf(1, { attributes: 4 })],
  ['transactional', () => batchOf(1, { attributes: 0x10 })],
  ['a day ahead', () => batchOf(1, { timestampMs: epochMs + 86_400_000 })],
  ['over max.message.bytes', () => batchOf(1, { valueBytes: 1_048_588 })],
]

describe('both ways answer the same and keep the same', () => {
  const names = ['t', 'stamped', 'elsewhere', 'unknown', '']
  const step = fc.record({
    batch: fc.constantFrom(...batches.map(([, make]) => make)),
    index: fc.constantFrom(0, 0, 0, 1, 2, 3, -1),
    correlationId: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  })

  test.each(batches)('%s', (_name, make) => {
    for (const name of names) {
      const [handled, repeated] = [contextWith(), contextWith()]
      const { learn, answer } = repeating(repeated.broker)
      for (let i = 0; i < 2; i++) {
        byHandler(frameOf(batchOf(1), { name }), handled.broker)
        learn(frameOf(batchOf(1), { name }))
      }
      for (const correlationId of [8, 9]) {
        const frame = frameOf(make(), { name, correlationId })
        const expected = byHandler(Buffer.from(frame), handled.broker).answer
        expect(answer(frame)).toEqual(expected)
      }
    }
  })

  test('any row of requests', () => {
    let answeredCount = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.integer({ min: 3, max: 8 }),
        fc.constantFrom(-1, 1),
        fc.array(step, { maxLength: 20 }),
        (name, version, acks, steps) => {
          const [handled, repeated] = [contextWith(), contextWith()]
          const { learn, answer } = repeating(repeated.broker)
          steps.forEach(({ batch, index, correlationId }, i) => {
            const frame = frameOf(batch(), { name, version, acks, index, correlationId })
            const expected = byHandler(Buffer.from(frame), handled.broker).answer
            const found = i < 2 ? learn(frame) : answer(frame)
            expect(found).toEqual(expected)
            if (i >= 2) answeredCount++
          })
          for (const topic of ['t', 'stamped']) {
            for (const index of [0, 1, 2]) {
              const logs = [handled, repeated].map(({ broker }) =>
                broker.topics.partition(topic, index)?.read(0, 2 ** 20, true),
              )
              expect(logs[0]).toEqual(logs[1])
            }
          }
        },
      ),
      { numRuns: 200 },
    )
    expect(answeredCount).toBeGreaterThan(500)
  })
})

test('a batch that could not be stored is refused as such', () => {
  const store = memoryStore({ kind: 'memory', maxBytes: 2 ** 20, segmentBytes: 2 ** 16 })
  const { broker, lines } = dataContext({ store })
  broker.topics.create('t', 1)
  const { learn, answer } = repeating(broker)
  learn(frameOf(batchOf(1)))
  learn(frameOf(batchOf(1)))
  const large = () => frameOf(batchOf(1, { valueBytes: 600_000 }))
  answer(large())
  const response = answer(large()) as Buffer
  expect(response.readInt16BE(14 + 1 + 4 + 4)).toBe(56)
  expect(response.includes('the memory store is full')).toBe(true)
  expect(lines.join()).toContain(new StorageError('the memory store is full').message)
})

describe('left to the handler', () => {
  const learned = (given: Parameters<typeof frameOf>[1] = {}, times = 2) => {
    const { broker } = contextWith()
    const both = repeating(broker)
    for (let i = 0; i < times; i++) both.learn(frameOf(batchOf(1), given))
    const endOffset = () => broker.topics.partition('t', 0)?.logEndOffset
    return { ...both, endOffset }
  }

  test.each<[string, Buffer]>([
    ['another topic', frameOf(batchOf(1), { name: 'u' })],
    ['another topic of another length', frameOf(batchOf(1), { name: 'stamped' })],
    ['another version', frameOf(batchOf(1), { version: 7 })],
    ['a flexible version', frameOf(batchOf(1), { version: 9 })],
    ['other acks', frameOf(batchOf(1), { acks: 1 })],
    ['no acks', frameOf(batchOf(1), { acks: 0 })],
    ['another client id', frameOf(batchOf(1), { clientId: 'd' })],
    ['null records', frameOf(null)],
    ['bytes behind', Buffer.concat([frameOf(batchOf(1)), Buffer.from('x')])],
    ['a cut frame', frameOf(batchOf(1)).subarray(0, -1)],
    ['a frame without a partition', frameOf(batchOf(1)).subarray(0, 28)],
    ['a frame that is hardly one', frameOf(batchOf(1)).subarray(0, 4)],
  ])('%s', (_name, frame) => {
    const { answer, endOffset } = learned()
    expect(answer(frame)).toBeNull()
    expect(endOffset()).toBe(2)
    expect(answer(frameOf(batchOf(1)))).not.toBeNull()
    expect(endOffset()).toBe(3)
  })

  test.each<[string, Parameters<typeof frameOf>[1], number]>([
    ['a topic that was named once', {}, 1],
    ['a flexible version', { version: 9 }, 2],
    ['acks that are none', { acks: 7 }, 2],
  ])('%s is not learned', (_name, given, times) => {
    const { answer } = learned(given, times)
    expect(answer(frameOf(batchOf(1), given))).toBeNull()
  })
})

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { createPayloadPlan } from '../../bench/payload.ts'
import { createHeader, parseHeader } from '../../bench/record-header.ts'
import { decodeRequest } from '../../protocol/api.ts'
import { decodeRequestHeader } from '../../protocol/header.ts'
import { produce } from '../../protocol/messages/produce.ts'
import { decodeBatch, hasValidCrc } from '../../protocol/record-batch.ts'
import type { RecordRun } from '../driver.ts'
import { Batches } from './batches.ts'
import { Lane, type Link, Outbox, Parcel } from './outbox.ts'
import { lastVersion, ProduceAnswer, ProducePrefix } from './produce-frame.ts'
import { ProduceRequest } from './produce-request.ts'
import { nobody } from './producer-identity.ts'
import { SendRing } from './send-ring.ts'

const payload = createPayloadPlan(
  {
    messageSizeBytes: 100,
    payloadPattern: 'random',
    payloadFile: null,
    compressibility: null,
    seed: 7,
  },
  { runId: '0123456789ab', producer: 0, epochOffsetUs: 0 },
)

const owner = { onAnswer() {}, onWritten() {}, onLost() {} }

/** Writes requests as a producer does, whatever their answers are. */
const requests = () => {
  let correlationId = 0
  const ring = new SendRing()
  const connection = {
    takeCorrelationId: () => correlationId++,
    requestTimeoutMs: 5,
  } as unknown as Link['connection']
  const prefix = new ProducePrefix(lastVersion, 'me', { topic: 'here', acks: -1, timeoutMs: 5 })
  const link: Link = { connection, prefix, ring, answer: new ProduceAnswer(lastVersion, 'here') }
  const lane = new Lane(1)
  const batches = new Batches(0, new ManualClock())
  const nextSequences = [0, 0, 0]
  const parcelOf = (count: number, partition: number): Parcel => {
    const firstSequence = nextSequences[partition] as number
    nextSequences[partition] = firstSequence + count
    const run: RecordRun = {
      ...{ partition, count, firstSequence, sentAtNs: 0, payload, keys: null },
      intendedAtNs: new Float64Array(count).fill(firstSequence * 1e3),
    }
    return new Parcel(run, new Outbox(partition))
  }
  const write = (parcels: Parcel[]): ProduceRequest => {
    const request = new ProduceRequest(owner, lane, link)
    request.parcels.push(...parcels)
    request.write(batches, nobody, correlationId)
    return request
  }
  return { ring, parcelOf, write }
}

/** Throws when the bytes of `request` are not what they should be. */
const check = ({ bytes, start, end, correlationId, parcels }: ProduceRequest): void => {
  expect(bytes.readInt32BE(start)).toBe(end - start - 4)
  const frame = bytes.subarray(start + 4, end)
  const header = decodeRequestHeader(frame, false)
  expect(header).toMatchObject({ apiVersion: lastVersion, correlationId, clientId: 'me' })
  const { acks, topicData } = decodeRequest(produce, lastVersion, frame, header.bodyOffset)
  expect(acks).toBe(-1)
  expect(topicData.map(({ name }) => name)).toEqual(['here'])
  const partitions = topicData[0]?.partitionData ?? []
  expect(partitions.map(({ index }) => index)).toEqual(parcels.map(({ run }) => run.partition))
  partitions.forEach(({ records }, index) => {
    const { count, firstSequence } = (parcels[index] as Parcel).run
    const batch = records as Buffer
    expect(hasValidCrc(batch)).toBe(true)
    const out = createHeader()
    const sequences = [...decodeBatch(batch)].map(({ value }) => {
      expect(parseHeader(value as Buffer, 0, 100, out)).toBe('ok')
      expect(out.intendedAtEpochUs).toBe(firstSequence)
      return out.sequence
    })
    expect(sequences).toEqual(Array.from({ length: count }, (_, record) => firstSequence + record))
  })
}

test('every request is whole from its first byte to its answer, whichever lay there before', () => {
  const counts = fc.constantFrom([1], [1], [7], [7], [7], [90], [300], [2, 3], [7, 7, 7])
  fc.assert(
    fc.property(
      fc.array(fc.record({ counts, times: fc.integer({ min: 1, max: 10 }) }), { maxLength: 8 }),
      fc.integer({ min: 0, max: 6 }),
      (steps, mostInFlight) => {
        const { ring, parcelOf, write } = requests()
        const inFlight: ProduceRequest[] = []
        const answer = (): void => {
          const oldest = inFlight.shift()
          if (oldest === undefined) return
          check(oldest)
          ring.release(oldest)
        }
        for (const step of steps) {
          for (let time = 0; time < step.times; time++) {
            inFlight.push(write(step.counts.map((count, index) => parcelOf(count, index))))
            if (inFlight.length > mostInFlight) answer()
          }
        }
        while (inFlight.length > 0) answer()
      },
    ),
    { numRuns: 30 },
  )
})

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { namedPayload, runOf } from '../../../test/support/client-options.ts'
import { createPayloadPlan } from '../../bench/payload.ts'
import { encodeBatch, headerBytes } from '../../protocol/record-batch.ts'
import type { PayloadPlan, RecordRun } from '../driver.ts'
import { RecordEncoder } from './record-encoder.ts'

/** The same records by the codec of src/protocol. */
const expected = (run: RecordRun): string =>
  encodeBatch(
    Array.from({ length: run.count }, (_, index) => {
      const { value, header } = run.payload.render(run, index)
      const headers = header === null ? [] : [[header.name, header.value] as const]
      return { key: run.keys?.[index] ?? null, value, headers, timestampMs: 0 }
    }),
  ).toString('hex', headerBytes)

const benchPayload = (messageSizeBytes: number): PayloadPlan =>
  createPayloadPlan(
    { messageSizeBytes, payloadPattern: 'text', payloadFile: null, compressibility: null, seed: 5 },
    { runId: '0123456789ab', producer: 1, epochOffsetUs: 1e15 },
  )

const payloads: Record<string, PayloadPlan> = {
  named: namedPayload(),
  'header alone': namedPayload(true),
  detached: benchPayload(20),
  small: benchPayload(36),
  large: benchPayload(40_000),
}

test('records are encoded as src/protocol encodes them, with and without keys, however many came before', () => {
  const encoder = new RecordEncoder()
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(payloads)),
      fc.constantFrom(1, 2, 63, 64, 65, 130),
      fc.option(fc.uint8Array({ maxLength: 200 })),
      fc.nat(2 ** 30),
      (name, count, key, firstSequence) => {
        const run = runOf(0, count, {
          payload: payloads[name] as PayloadPlan,
          firstSequence,
          keys: key === null ? null : Array.from({ length: count }, () => Buffer.from(key)),
        })
        expect(encoder.encode(run).toString('hex')).toBe(expected(run))
      },
    ),
    { numRuns: 60 },
  )
})

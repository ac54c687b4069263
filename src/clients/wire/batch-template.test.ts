import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { createPayloadPlan } from '../../bench/payload.ts'
import { createHeader, parseHeader } from '../../bench/record-header.ts'
import { decodeBatch, hasValidCrc, headerBytes, sizeOf } from '../../protocol/record-batch.ts'
import type { RecordRun } from '../driver.ts'
import { Batches } from './batches.ts'

const planOf = (messageSizeBytes: number) =>
  createPayloadPlan(
    {
      messageSizeBytes,
      payloadPattern: 'random',
      payloadFile: null,
      compressibility: null,
      seed: 7,
    },
    { runId: '0123456789ab', producer: 3, epochOffsetUs: 1.7e15 },
  )

const runOf = (
  payload: ReturnType<typeof planOf>,
  count: number,
  firstSequence: number,
  atNs: (index: number) => number,
): RecordRun => ({
  partition: 0,
  count,
  firstSequence,
  intendedAtNs: Float64Array.from({ length: count }, (_, index) => atNs(index)),
  sentAtNs: 0,
  payload,
  keys: null,
})

const nobody = { producer: { id: -1, epoch: -1 }, sequence: -1 }

const write = (batches: Batches, run: RecordRun, identity = nobody): Buffer => {
  const template = batches.templateFor(run)
  if (template === null) throw new Error('no template')
  const bytes = Buffer.alloc(5 + template.sizeOf(run.count), 0xee)
  const memory = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) }
  template.layOut(memory, 5, run.count)
  // What is patched may be any batch of as many records.
  template.patch(memory, 5, earlier(run), identity, 7)
  template.patch(memory, 5, run, identity, batches.timestampMs(0))
  return bytes.subarray(5)
}

const earlier = (run: RecordRun): RecordRun => ({
  ...run,
  firstSequence: 2 ** 33 - 3,
  intendedAtNs: run.intendedAtNs.map((_, index) => 5e12 + index * 1e9),
})

const plans = new Map([36, 37, 100, 256].map((size) => [size, planOf(size)]))

test('a patched batch is a valid one, says what was asked for, and its CRC is right, however often it is patched', () => {
  const clock = new ManualClock()
  const batches = new Batches(0, clock)
  fc.assert(
    fc.property(
      fc.constantFrom(...plans.keys()),
      fc.constantFrom(1, 2, 63, 64, 65, 130, 700),
      fc.maxSafeNat().map((number) => number % 2 ** 45),
      fc.nat(2 ** 31 - 1),
      fc.boolean(),
      (size, count, sequence, atNs, isPaced) => {
        const run = runOf(planOf36(size), count, sequence, (i) => atNs + (isPaced ? 20_000 * i : 0))
        const batch = write(batches, run, {
          producer: { id: sequence, epoch: 2 },
          sequence: atNs,
        })
        expect(sizeOf(batch)).toBe(batch.length)
        expect(hasValidCrc(batch)).toBe(true)
        const out = createHeader()
        let index = 0
        for (const { key, value, headers, offset, timestampMs } of decodeBatch(batch)) {
          expect([key, headers, offset]).toEqual([null, [], index])
          expect(timestampMs).toBe(clock.epochMs())
          expect(parseHeader(value as Buffer, 0, size, out)).toBe('ok')
          expect(out).toEqual({
            run: 0x0123456789ab,
            producer: 3,
            sequence: sequence + index,
            intendedAtEpochUs: Math.round((run.intendedAtNs[index] as number) / 1e3 + 1.7e15),
          })
          index += 1
        }
        expect(index).toBe(count)
      },
    ),
    { numRuns: 60 },
  )
})

const planOf36 = (size: number) => plans.get(size) as ReturnType<typeof planOf>

test('the header says what encodeBatch would say', () => {
  const batches = new Batches(0, new ManualClock())
  const identity = { producer: { id: 2 ** 40 + 5, epoch: 3 }, sequence: 2 ** 31 - 1 }
  const run = runOf(planOf(64), 3, 9, () => 0)
  const batch = write(batches, run, identity)
  const encoded = batches.encode(run, identity, batches.timestampMs(0))
  // The bodies may be others, and with them the CRC.
  expect(batch.toString('hex', 0, 17)).toBe(encoded.toString('hex', 0, 17))
  expect(batch.toString('hex', 21, headerBytes)).toBe(encoded.toString('hex', 21, headerBytes))
})

test('what has keys, a codec, a detached header or too much size is not made from a template', () => {
  const clock = new ManualClock()
  const run = runOf(planOf(64), 2, 0, () => 0)
  const keys = [Buffer.from('a'), Buffer.from('b')]
  expect(new Batches(0, clock).templateFor(run)).not.toBeNull()
  expect(new Batches(0, clock).templateFor({ ...run, keys })).toBeNull()
  expect(new Batches(1, clock).templateFor(run)).toBeNull()
  expect(new Batches(0, clock).templateFor(runOf(planOf(35), 2, 0, () => 0))).toBeNull()
  expect(new Batches(0, clock).templateFor(runOf(planOf(64), 100_000, 0, () => 0))).toBeNull()
})

test('records that are encoded one by one keep keys and detached headers', () => {
  const batches = new Batches(0, new ManualClock())
  const run = { ...runOf(planOf(5), 2, 7, () => 0), keys: [Buffer.from('a'), Buffer.from('b')] }
  const batch = batches.encode(run, nobody, 0)
  expect(hasValidCrc(batch)).toBe(true)
  const records = [...decodeBatch(batch)]
  expect(records.map(({ key }) => String(key))).toEqual(['a', 'b'])
  expect(records.map(({ value }) => value?.length)).toEqual([5, 5])
  expect(records.map(({ headers }) => headers.map(([name]) => name))).toEqual([
    ['bench'],
    ['bench'],
  ])
})

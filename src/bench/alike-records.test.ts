import { expect, test } from 'vitest'
import { extentOf, RecordCursor } from '../clients/wire/record-cursor.ts'
import { encodeBatch } from '../protocol/record-batch.ts'
import { passAlike } from './alike-records.ts'
import { ConsumeLedger } from './consume-ledger.ts'
import { allocateReceived } from './known-bodies.ts'
import { createPayloadPlan } from './payload.ts'
import { createHeader, parseRecord } from './record-header.ts'

const valueBytes = 100
const batchRecords = 8
const batchCount = 3
const partition = 0
/** The first bytes of a partition's log are batch headers, which are not looked at here. */
const batchHeaderBytes = 61

const plan = createPayloadPlan(
  {
    messageSizeBytes: valueBytes,
    payloadPattern: 'random',
    payloadFile: null,
    compressibility: null,
    seed: 1,
  },
  { runId: '0123456789ab', producer: 3, epochOffsetUs: 0 },
)

/** Values of the sequences from `firstSequence` on, each with the body of its place in the batch. */
const valuesFrom = (firstSequence: number, intendedAtUs: (index: number) => number): Buffer[] =>
  Array.from({ length: batchRecords }, (_, index) => {
    const value = Buffer.alloc(valueBytes)
    const { template } = plan
    const intendedAtNs = Float64Array.from(
      { length: batchRecords },
      (_n, at) => intendedAtUs(at) * 1e3,
    )
    const run = { firstSequence, intendedAtNs, count: batchRecords, sentAtNs: 0 }
    template?.fill(value, 0, index)
    const view = new DataView(value.buffer, value.byteOffset, value.length)
    template?.patch(view, 0, index, { ...run, partition, payload: plan, keys: null }, index)
    return value
  })

interface Wish {
  readonly firstSequence?: number
  readonly intendedAtUs?: (index: number) => number
}

const logOf = ({ firstSequence = 0, intendedAtUs = () => 7 }: Wish = {}): Buffer =>
  Buffer.concat(
    Array.from({ length: batchCount }, (_, batch) => {
      const baseOffset = batch * batchRecords
      const values = valuesFrom(firstSequence + baseOffset, intendedAtUs)
      const records = values.map((value) => ({ key: null, value, timestampMs: 0 }))
      return encodeBatch(records, { baseOffset })
    }),
  )

const received = allocateReceived(17.5 * 2 ** 20)

/** What the ledger says of `log`, and how many of its records were checked together. */
const read = (log: Buffer, { isTogether = true, toOffset = batchCount * batchRecords } = {}) => {
  received.set(log)
  const records = received.subarray(0, log.length)
  const ledger = new ConsumeLedger(1, null)
  const run = ledger.onBatch(0, partition, 0, toOffset)
  const header = createHeader()
  let together = 0
  let error: unknown = null
  try {
    const fetched = { partition, records, fromOffset: 0, receivedAtNs: 0, aborted: [] }
    const cursor = new RecordCursor(fetched, extentOf(records, 0), false)
    while (cursor.next() && cursor.offset < toOffset) {
      const verdict = parseRecord(cursor, header)
      run.observe(cursor.offset, verdict, header)
      if (isTogether && verdict === 'ok') together += passAlike(cursor, run, toOffset)
    }
  } catch (thrown) {
    error = thrown
  }
  const range = { fromOffset: 0, toOffset }
  return { together, told: { report: ledger.report(partition, range), error } }
}

/** Each body is copied when it is seen for the second time. */
const learn = (): void => {
  for (let times = 0; times < 2; times += 1) read(logOf(), { isTogether: false })
}

test('records that are alike are checked together, all but the first of each batch', () => {
  learn()
  const { together, told } = read(logOf())
  expect(together).toBe(batchCount * (batchRecords - 1))
  expect(told).toEqual(read(logOf(), { isTogether: false }).told)
  expect(told.report).toMatchObject({
    consumed: batchCount * batchRecords,
    corrupt: 0,
    outOfOrder: 0,
  })
})

test('whatever byte is changed, the ledger says what it says of records parsed one by one', () => {
  learn()
  const log = logOf()
  const recordBytes = (log.length / batchCount - batchHeaderBytes) / batchRecords
  expect(Number.isInteger(recordBytes)).toBe(true)
  for (let at = 0; at < log.length; at += 1) {
    if (at % (log.length / batchCount) < batchHeaderBytes) continue
    for (const bit of [0x01, 0x80]) {
      const changed = Buffer.from(log)
      changed[at] = (changed[at] as number) ^ bit
      const { told } = read(changed)
      expect(told, `byte ${at}`).toEqual(read(changed, { isTogether: false }).told)
    }
  }
})

test('a sequence that is left out, given twice or out of order is told, though all else is right', () => {
  learn()
  const log = logOf()
  const batchBytes = log.length / batchCount
  const recordBytes = (batchBytes - batchHeaderBytes) / batchRecords
  const valueAt = (index: number): number => batchHeaderBytes + index * recordBytes + 8
  for (const [index, sequence] of [
    [4, 5],
    [4, 3],
    [4, 900],
    [7, 8],
  ] as const) {
    const changed = Buffer.from(log)
    const value = valuesFrom(sequence - index, () => 7)[index] as Buffer
    value.copy(changed, valueAt(index))
    const { told } = read(changed)
    expect(told).toEqual(read(changed, { isTogether: false }).told)
    expect(told).not.toEqual(read(log).told)
  }
})

test('a sequence beyond its lowest byte, and beyond 32 bits, goes on', () => {
  learn()
  for (const firstSequence of [250, 2 ** 32 - 4, 2 ** 31 - 4, 2 ** 40]) {
    const { together, told } = read(logOf({ firstSequence }))
    expect(told.report).toMatchObject({ consumed: 24, corrupt: 0, outOfOrder: 0, missing: 0 })
    expect(together).toBeGreaterThan(batchRecords)
  }
})

test('records that were due at different times are parsed one by one', () => {
  learn()
  const { together, told } = read(logOf({ intendedAtUs: (index) => index }))
  expect(together).toBe(0)
  expect(told.report).toMatchObject({ consumed: 24, corrupt: 0 })
})

test('nothing beyond the wanted offset is taken', () => {
  learn()
  expect(read(logOf(), { toOffset: 11 }).told.report.consumed).toBe(11)
})

test('a key far larger than all bodies is no reason to look beyond what was received', () => {
  learn()
  const value = valuesFrom(0, () => 7)[0] as Buffer
  const key = Buffer.alloc(17 * 2 ** 20)
  const { told } = read(encodeBatch([{ key, value, timestampMs: 0 }]))
  expect(told).toMatchObject({ report: { consumed: 1, corrupt: 0 }, error: null })
})

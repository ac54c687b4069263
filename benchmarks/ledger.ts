import { passAlike } from '../src/bench/alike-records.ts'
import { ConsumeLedger } from '../src/bench/consume-ledger.ts'
import { allocateReceived } from '../src/bench/known-bodies.ts'
import { createPayloadPlan } from '../src/bench/payload.ts'
import { ProduceLedger } from '../src/bench/produce-ledger.ts'
import { createHeader, parseHeader, parseRecord } from '../src/bench/record-header.ts'
import type { RecordRun } from '../src/clients/driver.ts'
import { extentOf, RecordCursor } from '../src/clients/wire/record-cursor.ts'
import { encodeBatch } from '../src/protocol/record-batch.ts'
import { LatencyHistogram } from '../src/results/histogram.ts'
import { median } from './figures.ts'

/**
 * `npm run bench:ledger`: what bench itself costs per record, in ns: making it, timing it, reading its header, and
 * accounting for it on either side. Records of 256 bytes in runs of 500 on three partitions.
 */

const runId = '0123456789ab'
const runRecords = 500
const partitionCount = 3
const records = 3_000_000
const rounds = 5

/** For other programs: one object of figures by name. */
const isJson = process.argv.includes('--json')
const nsPerRecord: Record<string, number> = {}

const cpuUs = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Processor time, the median of `rounds`; the first, in which the code is compiled, does not count. */
const measure = (name: string, work: () => void): void => {
  const costs: number[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const beganUs = cpuUs()
    work()
    if (round > 0) costs.push(((cpuUs() - beganUs) * 1e3) / records)
  }
  const ns = median(costs)
  nsPerRecord[name] = ns
  if (!isJson) console.log(`${name.padEnd(44)} ${ns.toFixed(1).padStart(7)} ns/record`)
}

const plan = createPayloadPlan(
  {
    messageSizeBytes: 256,
    payloadPattern: 'random',
    payloadFile: null,
    compressibility: null,
    seed: 1,
  },
  { runId, producer: 0, epochOffsetUs: 0 },
)
const run: RecordRun = {
  partition: 0,
  count: runRecords,
  firstSequence: 0,
  intendedAtNs: new Float64Array(runRecords),
  sentAtNs: 0,
  payload: plan,
  keys: null,
}

measure('render: header, checksum and body', () => {
  for (let at = 0; at < records; at += 1) plan.render(run, at % runRecords)
})

measure('histogram: one latency', () => {
  const histogram = new LatencyHistogram()
  for (let at = 0; at < records; at += 1) histogram.record(at % 10_000)
})

measure('produce ledger: sequences given and acked', () => {
  const ledger = new ProduceLedger(runId, 0, partitionCount)
  for (let at = 0; at < records; at += runRecords) {
    const partition = (at / runRecords) % partitionCount
    const first = ledger.take(partition, runRecords)
    ledger.onAck(partition, first, runRecords, first)
  }
  if (ledger.counts().acked !== records) throw new Error('the produce ledger lost records')
})

/** One Fetch of a partition, where the wire client receives it: batches of 100. */
const fetchRecords = 10_000
const batchRecords = 100
const batches = Buffer.concat(
  Array.from({ length: fetchRecords / batchRecords }, (_, batch) => {
    const baseOffset = batch * batchRecords
    const part = { ...run, count: batchRecords, firstSequence: baseOffset }
    const rendered = Array.from({ length: batchRecords }, (_r, index) => plan.render(part, index))
    const values = rendered.map(({ value }) => ({ key: null, value, timestampMs: 0 }))
    return encodeBatch(values, { baseOffset })
  }),
)
const fetched = allocateReceived(batches.length)
fetched.set(batches)
const extent = extentOf(fetched, 0)

const openCursor = (checksCrc = false): RecordCursor =>
  new RecordCursor(
    { partition: 0, records: fetched, fromOffset: 0, receivedAtNs: 0, aborted: [] },
    extent,
    checksCrc,
  )

measure('wire: records walked', () => {
  let seen = 0
  for (let at = 0; at < records; at += fetchRecords) {
    const cursor = openCursor()
    while (cursor.next()) seen += cursor.valueLength
  }
  if (seen !== records * 256) throw new Error('the cursor lost records')
})

for (const checksCrc of [false, true]) {
  measure(`wire: walked, parsed, in the ledger${checksCrc ? ', CRC checked' : ''}`, () => {
    const header = createHeader()
    for (let at = 0; at < records; at += fetchRecords) {
      const ledger = new ConsumeLedger(1, null)
      const cursor = openCursor(checksCrc)
      const read = ledger.onBatch(0, 0, 0, fetchRecords)
      while (cursor.next()) {
        const verdict = parseRecord(cursor, header)
        read.observe(cursor.offset, verdict, header)
        if (verdict === 'ok') passAlike(cursor, read, fetchRecords)
      }
      if (ledger.consumed !== fetchRecords) throw new Error('the consume ledger lost records')
    }
  })
}

const { value } = plan.render(run, 0)
const received = allocateReceived(value.length)
received.set(value)

measure('header: parsed and checked', () => {
  const header = createHeader()
  for (let at = 0; at < records; at += 1) {
    if (parseHeader(received, 0, received.length, header) !== 'ok')
      throw new Error('not a bench header')
  }
})

measure('consume ledger: one observation', () => {
  const ledger = new ConsumeLedger(partitionCount, null)
  const header = createHeader()
  for (let at = 0; at < records; at += runRecords) {
    const index = at / runRecords
    const from = Math.floor(index / partitionCount) * runRecords
    const read = ledger.onBatch(0, index % partitionCount, from, from + runRecords)
    for (let offset = from; offset < from + runRecords; offset += 1) {
      header.sequence = offset
      read.observe(offset, 'ok', header)
    }
  }
  if (ledger.consumed !== records) throw new Error('the consume ledger lost records')
})

if (isJson) console.log(JSON.stringify(nsPerRecord))

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConsumeLedger } from './consume-ledger.ts'
import { balanceLog, ProduceLedger } from './produce-ledger.ts'
import { Ranges } from './ranges.ts'
import { createHeader, runNumberOf } from './record-header.ts'

const runId = 'aaaaaaaaaaaa'

/** A log of one partition read back: producer number and sequence by offset; null is a foreign record. */
const scan = (log: ([producer: number, sequence: number] | null)[]): ConsumeLedger => {
  const ledger = new ConsumeLedger(1, runId)
  const run = ledger.onBatch(0, 0, 0, log.length)
  const header = { ...createHeader(), run: runNumberOf(runId) }
  for (const [offset, record] of log.entries()) {
    header.producer = record?.[0] ?? 0
    header.sequence = record?.[1] ?? 0
    run.observe(offset, record === null ? 'none' : 'ok', header)
  }
  return ledger
}

const produced = (): ProduceLedger => {
  const ledger = new ProduceLedger(runId, 0, 1)
  ledger.take(0, 10)
  ledger.onAck(0, 0, 4, 0)
  ledger.onFailure(0, 4, 2, false)
  ledger.onFailure(0, 6, 2, true)
  ledger.onAck(0, 8, 2, 4)
  return ledger
}

const ackedLog: [number, number][] = [0, 1, 2, 3, 8, 9].map((sequence) => [0, sequence])

const balance = (log: Parameters<typeof scan>[0], ledgers = [produced()], toOffset = log.length) =>
  balanceLog(ledgers, scan(log), 0, { fromOffset: 0, toOffset })

const nothing = {
  ackedMissing: 0,
  ackedTwice: 0,
  unknownLanded: 0,
  failedLanded: 0,
  neverSent: 0,
  foreign: 0,
  retryDuplicates: 0,
  unread: 0,
}

test('every send ends as acked, failed or unknown', () => {
  const ledger = produced()
  expect(ledger.counts()).toEqual({
    sent: 10,
    acked: 6,
    failed: 2,
    unknown: 2,
    written: 0,
    offsetsAckedTwice: 0,
  })
})

test('sequences are dense from 0 in each partition', () => {
  const ledger = new ProduceLedger(runId, 0, 2)
  expect([ledger.take(0, 3), ledger.take(1, 2), ledger.take(0, 1), ledger.take(1, 1)]).toEqual([
    0, 0, 3, 2,
  ])
  expect(ledger.counts(0).sent).toBe(4)
  expect(ledger.counts().sent).toBe(7)
})

test('with acks=0 nothing is acked', () => {
  const ledger = new ProduceLedger(runId, 0, 1)
  ledger.onAck(0, ledger.take(0, 5), 5, -1)
  expect(ledger.counts()).toMatchObject({ acked: 0, written: 5 })
})

test('an offset acked for two records is a broker fault', () => {
  const ledger = new ProduceLedger(runId, 0, 1)
  ledger.onAck(0, ledger.take(0, 5), 5, 0)
  ledger.onAck(0, ledger.take(0, 5), 5, 3)
  expect(ledger.counts().offsetsAckedTwice).toBe(2)
  expect(ledger.counts(0).offsetsAckedTwice).toBe(2)
})

test('acked records alone hold', () => {
  expect(balance(ackedLog)).toMatchObject({ ...nothing, ackedLanded: 6, holds: true })
})

test('foreign, unknown-landed and retried unknown records are told apart and harm nothing', () => {
  const log = [...ackedLog, null, [0, 6], [0, 7], [0, 6], [9, 0], null] satisfies Parameters<
    typeof scan
  >[0]
  expect(balance(log)).toMatchObject({
    ...nothing,
    unknownLanded: 2,
    retryDuplicates: 1,
    foreign: 3,
    holds: true,
  })
})

test('an acked record that is not there breaks the balance', () => {
  expect(balance(ackedLog.slice(1))).toMatchObject({ ackedMissing: 1, holds: false })
})

test('an acked record that is there twice breaks it', () => {
  expect(balance([...ackedLog, [0, 3]])).toMatchObject({
    ackedTwice: 1,
    retryDuplicates: 1,
    holds: false,
  })
})

test('a range that was not read to its end proves nothing', () => {
  expect(balance(ackedLog, [produced()], 8)).toMatchObject({ unread: 2, holds: false })
})

test('failed and never sent records that are there are named', () => {
  expect(balance([...ackedLog, [0, 5], [0, 10]])).toMatchObject({ failedLanded: 1, neverSent: 1 })
})

test('the warm-up has its own ledger and is no stranger', () => {
  const warmup = new ProduceLedger(runId, 1, 1)
  warmup.onAck(0, warmup.take(0, 2), 2, 0)
  const log: [number, number][] = [[1, 0], [1, 1], ...ackedLog]
  expect(balance(log, [produced(), warmup])).toMatchObject({
    ...nothing,
    ackedLanded: 8,
    holds: true,
  })
  expect(balance(log)).toMatchObject({ foreign: 2, holds: true })
})

test('a ledger made of the plain data of another is the same, whatever became of the records', () => {
  const send = fc.record({
    partition: fc.nat(2),
    count: fc.integer({ min: 1, max: 9 }),
    end: fc.constantFrom('acked', 'acked twice', 'written', 'failed', 'unknown', 'open'),
  })
  fc.assert(
    fc.property(fc.array(send, { maxLength: 60 }), (sends) => {
      const ledger = new ProduceLedger(runId, 4, 3)
      for (const { partition, count, end } of sends) {
        const first = ledger.take(partition, count)
        if (end === 'acked') ledger.onAck(partition, first, count, first)
        else if (end === 'acked twice') ledger.onAck(partition, first, count, 0)
        else if (end === 'written') ledger.onAck(partition, first, count, -1)
        else if (end !== 'open') ledger.onFailure(partition, first, count, end === 'unknown')
      }
      const made = ProduceLedger.of(runId, structuredClone(ledger.snapshot()))
      expect([made.producer, made.run]).toEqual([4, ledger.run])
      const everyOther = new Ranges()
      for (let sequence = 0; sequence < 600; sequence += 2) everyOther.add(sequence)
      for (const partition of [0, 1, 2]) {
        expect(made.counts(partition)).toEqual(ledger.counts(partition))
        expect(made.compare(partition, everyOther, everyOther)).toEqual(
          ledger.compare(partition, everyOther, everyOther),
        )
      }
    }),
  )
})

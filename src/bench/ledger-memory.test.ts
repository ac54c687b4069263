import { expect, test } from 'vitest'
import { ConsumeLedger } from './consume-ledger.ts'
import { createHeader, runNumberOf } from './record-header.ts'

const runId = 'aaaaaaaaaaaa'
const records = 100_000_000
const partitions = 3
const batchRecords = 500
const moveAfterBatches = 200
const rereadRecords = 50

test('100 million records, moving between members, take no more memory than a thousand', {
  timeout: 240_000,
}, () => {
  const ledger = new ConsumeLedger(partitions, null)
  const header = { ...createHeader(), run: runNumberOf(runId) }
  const positions = [0, 0, 0]
  const heapBefore = process.memoryUsage().heapUsed
  let delivered = 0
  let moves = 0
  for (let batch = 0; delivered < records; batch += 1) {
    const partition = batch % partitions
    if (batch % (moveAfterBatches * partitions) === 0 && batch > 0) {
      moves += 1
      for (let member = 0; member < partitions; member += 1) ledger.onRevoked(member)
      for (let member = 0; member < partitions; member += 1) {
        ledger.onAssigned(member, [(member + moves) % partitions])
      }
      positions.forEach((position, index) => {
        positions[index] = position - rereadRecords
      })
    }
    const member = (partition - (moves % partitions) + partitions) % partitions
    const from = positions[partition] as number
    const to = from + batchRecords
    positions[partition] = to
    const run = ledger.onBatch(member, partition, from, to)
    for (let offset = from; offset < to; offset += 1) {
      header.sequence = offset
      run.observe(offset, 'ok', header)
    }
    delivered += batchRecords
  }
  const grownBytes = process.memoryUsage().heapUsed - heapBefore
  expect(grownBytes).toBeLessThan(200 * 2 ** 20)
  expect(moves).toBeGreaterThan(300)
  let duplicates = 0
  for (let partition = 0; partition < partitions; partition += 1) {
    const toOffset = positions[partition] as number
    const report = ledger.report(partition, { fromOffset: 0, toOffset })
    expect(report).toMatchObject({ consumed: toOffset, missing: 0, redelivered: 0, gaps: [] })
    duplicates += report.duplicates
  }
  expect(duplicates).toBe(moves * rereadRecords * partitions)
  expect(ledger.consumed + duplicates).toBe(delivered)
  expect(ledger.recordsOf(0) + ledger.recordsOf(1) + ledger.recordsOf(2)).toBe(delivered)
})

/** What a member read, as runs of consecutive offsets and sequences: a batch of thousands is mostly one of them. */
import { type BenchHeader, createHeader, parseRecord } from '../bench/record-header.ts'
import type { BatchCursor } from '../clients/driver.ts'
import type { MemberRecordRun } from './member-protocol.ts'

const noHeader = -1
const corrupt = -2

/** Walks the batch to its end. */
export const recordRunsOf = (batch: BatchCursor): MemberRecordRun[] => {
  const runs: MemberRecordRun[] = []
  const header = createHeader()
  let last: MemberRecordRun | null = null
  while (batch.next()) {
    const next = recordRunOf(batch, header)
    if (last !== null && continues(last, next)) {
      last[1] += 1
    } else {
      runs.push(next)
      last = next
    }
  }
  return runs
}

const recordRunOf = (batch: BatchCursor, header: BenchHeader): MemberRecordRun => {
  const verdict = parseRecord(batch, header)
  if (verdict !== 'ok') return [batch.offset, 1, verdict === 'none' ? noHeader : corrupt, 0, 0]
  return [batch.offset, 1, header.run, header.producer, header.sequence]
}

const continues = (
  [firstOffset, count, run, producer, firstSequence]: MemberRecordRun,
  [offset, , nextRun, nextProducer, sequence]: MemberRecordRun,
): boolean =>
  offset === firstOffset + count &&
  nextRun === run &&
  nextProducer === producer &&
  (run < 0 || sequence === firstSequence + count)

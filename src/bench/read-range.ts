/** Reads fixed offset ranges of a topic once, without a group, into a ledger. */
import type { BatchCursor, ConsumerSink } from '../clients/driver.ts'
import { sleep } from '../clock.ts'
import { passAlike } from './alike-records.ts'
import type { ConsumeLedger } from './consume-ledger.ts'
import { allocateReceived } from './known-bodies.ts'
import { createHeader, parseRecord } from './record-header.ts'
import type { RunContext } from './run-context.ts'
import { endsWithin } from './time-limit.ts'

export interface OffsetRange {
  readonly partition: number
  /** Inclusive. */
  readonly fromOffset: number
  /** Exclusive. */
  readonly toOffset: number
}

const stallLimitMs = 10_000
const tickMs = 20
const closeLimitMs = 5_000

/** Resolves when every range is read, or when nothing came for 10 s; the ledger tells which. Never rejects. */
export const readRanges = async (
  context: RunContext,
  ranges: readonly OffsetRange[],
  ledger: ConsumeLedger,
): Promise<void> => {
  const { driver, connection, clock, options, topic, lost } = context
  const wanted = ranges.filter(({ fromOffset, toOffset }) => fromOffset < toOffset)
  if (wanted.length === 0 || lost.aborted) return
  const ends = new Map(wanted.map(({ partition, toOffset }) => [partition, toOffset]))
  const header = createHeader()
  let lastBatchNs = clock.nowNs()
  let isOver = false
  const onBatch = (batch: BatchCursor): void => {
    const { partition, fromOffset } = batch
    const end = ends.get(partition) ?? 0
    if (isOver || fromOffset >= end) return
    lastBatchNs = clock.nowNs()
    const run = ledger.onBatch(0, partition, fromOffset, Math.min(batch.toOffset, end))
    while (batch.next() && batch.offset < end) {
      const verdict = parseRecord(batch, header)
      run.observe(batch.offset, verdict, header)
      if (verdict === 'ok') passAlike(batch, run, end)
    }
  }
  const sink: ConsumerSink = {
    onBatch,
    onGroupEvent: () => {},
    onFetch: () => {},
    onCrash: () => {
      isOver = true
    },
  }
  const { isolation, fetchMinBytes, fetchMaxWaitMs, maxPartitionFetchBytes } = options
  const partitions = wanted.map(({ partition, fromOffset }) => ({ partition, fromOffset }))
  const wish = { topic: topic.name, partitions, isolation, fetchMinBytes, fetchMaxWaitMs }
  try {
    const readerOptions = { ...wish, maxPartitionFetchBytes, allocate: allocateReceived }
    const reader = await (driver.createForeignReader === undefined
      ? driver.createReader(connection, readerOptions, sink)
      : driver.createForeignReader(connection, readerOptions, sink))
    await reader.start()
    const isRead = (): boolean =>
      wanted.every(({ partition, toOffset }) => (ledger.position(partition) ?? 0) >= toOffset)
    const isDone = (): boolean =>
      isOver || isRead() || lost.aborted || clock.nowNs() - lastBatchNs >= stallLimitMs * 1e6
    while (!isDone()) await sleep(clock, tickMs, lost)
    isOver = true
    await endsWithin(clock, closeLimitMs, reader.close())
  } catch {
    // What was not read shows in the ledger.
  }
}

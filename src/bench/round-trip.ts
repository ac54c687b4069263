/** `--mode round-trip`: a producer and a reader together; every acked record of this run must come back. */
import type { BatchCursor, Consumer, ConsumerSink } from '../clients/driver.ts'
import { sleep } from '../clock.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import type { Check } from '../results/result.ts'
import { ConsumeLedger } from './consume-ledger.ts'
import { allocateReceived } from './known-bodies.ts'
import { pacingOf } from './pacing.ts'
import { epochOffsetOf, measuredTotals, runLoads, verifyOrLose, warmupTotals } from './produce.ts'
import { loadChecks, lossOfLoad, refusalOfLoad } from './produce-verdict.ts'
import { isMeasuredProducer } from './producing.ts'
import { createHeader, parseRecord, runNumberOf } from './record-header.ts'
import { type RunContext, type RunFigures, zeroCheck } from './run-context.ts'
import { endsWithin } from './time-limit.ts'
import { openProducing } from './workers.ts'

const closeLimitMs = 5_000
const receiveLimitMs = 10_000
const tickMs = 10

/** The reading side: counts what comes back of this run, and ignores what others wrote. */
class EchoReader {
  readonly ledger: ConsumeLedger
  readonly endToEnd = new LatencyHistogram()
  lastBatchNs = 0
  crash: string | null = null
  readonly #context: RunContext
  readonly #epochOffsetUs: number
  readonly #header = createHeader()
  readonly #run: number
  #reader: Consumer | null = null

  constructor(context: RunContext, epochOffsetUs: number) {
    this.#context = context
    this.#epochOffsetUs = epochOffsetUs
    this.#run = runNumberOf(context.runId)
    this.ledger = new ConsumeLedger(context.topic.partitionCount, context.runId)
  }

  /** Resolves when fetching has begun at the given ends. */
  async start(ends: readonly { partition: number; high: number }[]): Promise<void> {
    const { driver, connection, options, topic } = this.#context
    const { isolation, fetchMinBytes, fetchMaxWaitMs, maxPartitionFetchBytes } = options
    const partitions = ends.map(({ partition, high }) => ({ partition, fromOffset: high }))
    const wish = { topic: topic.name, partitions, isolation, fetchMinBytes, fetchMaxWaitMs }
    const sink: ConsumerSink = {
      onBatch: (batch) => this.#onBatch(batch),
      onGroupEvent: () => {},
      onFetch: () => {},
      onCrash: ({ message }) => {
        this.crash = message
      },
    }
    this.#reader = await driver.createReader(
      connection,
      { ...wish, maxPartitionFetchBytes, allocate: allocateReceived },
      sink,
    )
    await this.#reader.start()
  }

  /** Measured records of this run that came back, each counted once. */
  received(): number {
    const { partitionCount } = this.#context.topic
    let received = 0
    for (let partition = 0; partition < partitionCount; partition += 1) {
      for (const { producer, seen } of this.ledger.sequencesOf(partition)) {
        if (isMeasuredProducer(producer)) received += seen.size
      }
    }
    return received
  }

  /** Waits until `expected` records are back, but not when nothing has come for 10 s. */
  async waitFor(expected: number): Promise<void> {
    const { clock, lost } = this.#context
    this.lastBatchNs = Math.max(this.lastBatchNs, clock.nowNs())
    while (this.received() < expected && this.crash === null && !lost.aborted) {
      if (clock.nowNs() - this.lastBatchNs >= receiveLimitMs * 1e6) return
      await sleep(clock, tickMs, lost)
    }
  }

  async close(): Promise<void> {
    if (this.#reader === null) return
    await endsWithin(this.#context.clock, closeLimitMs, this.#reader.close())
  }

  #onBatch(batch: BatchCursor): void {
    const header = this.#header
    this.lastBatchNs = batch.receivedAtNs
    const receivedAtUs = batch.receivedAtNs / 1e3 + this.#epochOffsetUs
    const run = this.ledger.onBatch(0, batch.partition, batch.fromOffset, batch.toOffset)
    while (batch.next()) {
      const verdict = parseRecord(batch, header)
      const isFresh = run.observe(batch.offset, verdict, header)
      const isOwn = verdict === 'ok' && header.run === this.#run
      if (!isFresh || !isOwn || !isMeasuredProducer(header.producer)) continue
      this.endToEnd.record(receivedAtUs - header.intendedAtEpochUs)
    }
  }
}

const readerChecks = (
  reader: EchoReader,
  findings: { corrupt: number; outOfOrder: number; redelivered: number },
  acked: number,
): Check[] => {
  const received = reader.received()
  return [
    {
      name: 'sent-equals-received',
      ok: received === acked && reader.crash === null,
      expected: acked,
      actual: reader.crash === null ? received : `${received}, then: ${reader.crash}`,
    },
    zeroCheck('no-corrupt', findings.corrupt),
    zeroCheck('in-order', findings.outOfOrder),
    zeroCheck('no-redelivery', findings.redelivered),
  ]
}

export const runRoundTrip = async (context: RunContext): Promise<RunFigures> => {
  const { admin, options, topic, stop } = context
  const { messageCount, messageSizeBytes, warmupDurationMs } = options
  const epochOffsetUs = epochOffsetOf(context)
  const phases = warmupDurationMs > 0 ? (['warm-up', 'measure'] as const) : (['measure'] as const)
  const producing = await openProducing(context, phases, epochOffsetUs)
  const before = await admin.watermarks(topic.name)
  const reader = new EchoReader(context, epochOffsetUs)
  await reader.start(before)
  const { warmup, measured } = await runLoads(context, producing)
  await producing.close()
  const lostInLoad = lossOfLoad(measured.load, measured.end, context.lost)
  if (lostInLoad === null) await reader.waitFor(measured.load.acked)
  await reader.close()
  const verified = await verifyOrLose(context, before, producing.produced, lostInLoad)
  const { partitions } = verified.verification
  const findings = { corrupt: 0, outOfOrder: 0, redelivered: 0 }
  for (const partition of partitions) {
    const range = { fromOffset: partition.fromOffset, toOffset: partition.highAfter }
    const report = reader.ledger.report(partition.partition, range)
    partition.consumed = report.consumedInRange
    partition.duplicates = report.redelivered
    partition.outOfOrder = report.outOfOrder
    partition.foreign = report.foreign
    partition.corrupt = report.corrupt
    findings.corrupt += report.corrupt
    findings.outOfOrder += report.outOfOrder
    findings.redelivered += report.redelivered
  }
  const loads = warmup === null ? [measured.load] : [measured.load, warmup.load]
  return {
    totals: { ...measuredTotals(measured, messageSizeBytes), received: reader.received() },
    warmup: warmupTotals(warmup, messageSizeBytes),
    latencyUs: {
      response: measured.response.toLatency(),
      service: measured.service.toLatency(),
      endToEnd: reader.endToEnd.toLatency(),
    },
    ...pacingOf(options, measured.load),
    timeline: measured.timeline,
    partitions,
    consumers: [],
    checks: [
      ...verified.verification.checks,
      ...readerChecks(reader, findings, measured.load.acked),
      ...loadChecks(loads, { what: 'record', messageCount, isInterrupted: stop.aborted }),
    ],
    warnings: [...producing.failures.warnings('record'), ...verified.verification.warnings],
    lost: verified.lost ?? refusalOfLoad(measured.load),
  }
}

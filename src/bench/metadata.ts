/** `--mode metadata`: so many Metadata requests in flight, one operation per answer. Nothing is verified. */
import type { PayloadPlan, Producer, RecordRun } from '../clients/driver.ts'
import { DriverError, messageOf } from '../errors.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import { createPlacement } from './keys.ts'
import { Load, type LoadListener } from './load.ts'
import { Meter } from './meter.ts'
import { createPacer, unpaced } from './pacer.ts'
import { Failures, loadChecks, lossOfLoad } from './produce-verdict.ts'
import { noWarmup, type RunContext, type RunFigures, withRates } from './run-context.ts'
import { endsWithin } from './time-limit.ts'

const closeLimitMs = 5_000

const nothingToRender: PayloadPlan = {
  render: () => {
    throw new Error('a Metadata request carries no record')
  },
}

/** The load's loop with a request in the place of each record. */
export const runMetadata = async (context: RunContext): Promise<RunFigures> => {
  const { options, driver, clock, connection, onProgress, stop, lost } = context
  const { durationMs, reportIntervalMs, rateRecordsPerSec } = options
  const client = await driver.createMetadataClient(connection)
  const response = new LatencyHistogram()
  const service = new LatencyHistogram()
  const failures = new Failures()
  onProgress({ type: 'phase', phase: 'measure', detail: '' })
  const meter = new Meter(clock, onProgress, {
    phase: 'measure',
    durationMs,
    reportIntervalMs,
    lag: null,
  })
  const listener: LoadListener = {
    takeSequences: () => 0,
    onAcked: (run, _baseOffset, atNs) => {
      const responseUs = (atNs - (run.intendedAtNs[0] as number)) / 1e3
      response.record(responseUs)
      service.record((atNs - run.sentAtNs) / 1e3)
      meter.addRecords(1, 0)
      meter.addLatency(responseUs, 1)
    },
    onFailed: (run, failure) => {
      failures.add(failure, run.count)
      meter.addFailed(run.count)
    },
  }
  const ask = async (run: RecordRun): Promise<void> => {
    load.requests += 1
    try {
      await client.request()
      load.onAck(run, -1, clock.nowNs())
    } catch (error) {
      const isConnectionLost = !(error instanceof DriverError) || error.kafkaCode === null
      const failure = { isUnknown: false, isConnectionLost, message: messageOf(error) }
      load.onFailure(run, failure, clock.nowNs())
    }
  }
  const producer: Producer = {
    send: (runs) => runs.forEach((run) => void ask(run)),
    close: () => client.close(),
  }
  const load = new Load(
    {
      partitionCount: 1,
      concurrency: options.concurrency,
      batchRecords: 1,
      messageSizeBytes: 0,
      batchSizeBytes: 0,
      lingerMs: 0,
      messageCount: options.messageCount,
      durationMs,
      messageTimeoutMs: options.messageTimeoutMs,
    },
    {
      clock,
      producer,
      placement: createPlacement({ keyPattern: 'none', seed: 0, partitionCount: 1 }),
      payload: nothingToRender,
      pacer: rateRecordsPerSec === null ? unpaced : createPacer(rateRecordsPerSec),
      stop,
      lost,
      listener,
    },
  )
  const end = await load.run()
  meter.end()
  await endsWithin(clock, closeLimitMs, client.close())
  load.giveUp()
  return {
    totals: withRates({
      records: load.acked,
      failed: load.failed,
      unknown: load.unknown,
      unsent: load.unsent,
      bytes: 0,
      elapsedMs: load.elapsedMs,
      requests: load.requests,
    }),
    warmup: noWarmup,
    latencyUs: {
      response: response.toLatency(),
      service: service.toLatency(),
      endToEnd: null,
    },
    timeline: meter.timeline,
    partitions: [],
    consumers: [],
    checks: loadChecks([load], {
      what: 'request',
      messageCount: options.messageCount,
      isInterrupted: stop.aborted,
    }),
    warnings: failures.warnings('request'),
    lost: lossOfLoad(load, end, lost),
  }
}

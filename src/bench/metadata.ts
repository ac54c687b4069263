/** `--mode metadata`: so many Metadata requests in flight, one operation per answer. Nothing is verified. */
import type { MetadataClient, PayloadPlan, Producer, RecordRun } from '../clients/driver.ts'
import type { Clock } from '../clock.ts'
import { DriverError, messageOf } from '../errors.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import type { Totals } from '../results/result.ts'
import { createPlacement } from './keys.ts'
import { Load, type LoadListener } from './load.ts'
import { Meter } from './meter.ts'
import { createPacer, unpaced } from './pacer.ts'
import { pacerOf, pacingOf } from './pacing.ts'
import { Failures, loadChecks, lossOfLoad } from './produce-verdict.ts'
import { noWarmup, type RunContext, type RunFigures, withRates } from './run-context.ts'
import { endsWithin } from './time-limit.ts'
import { openWaker, type Waker } from './waker.ts'

const closeLimitMs = 5_000

const nothingToRender: PayloadPlan = {
  render: () => {
    throw new Error('a Metadata request carries no record')
  },
}

/** A producer that asks for metadata in the place of each record. */
const askInstead = (client: MetadataClient, clock: Clock, loadOf: () => Load): Producer => {
  const ask = async (run: RecordRun): Promise<void> => {
    const load = loadOf()
    load.requests += 1
    try {
      await client.request()
      load.onAck(run, -1, clock.nowNs())
    } catch (error) {
      const isConnectionLost = !(error instanceof DriverError) || error.kafkaCode === null
      const kafkaCode = error instanceof DriverError ? error.kafkaCode : null
      const failure = { isUnknown: false, isConnectionLost, kafkaCode, message: messageOf(error) }
      load.onFailure(run, failure, clock.nowNs())
    }
  }
  return {
    send: (runs) => runs.forEach((run) => void ask(run)),
    close: () => client.close(),
  }
}

const createLoad = (
  { options, clock, stop, lost }: RunContext,
  parts: { client: MetadataClient; waker: Waker },
  listener: LoadListener,
): Load => {
  const { rateRecordsPerSec } = options
  const plan = { ...options, partitionCount: 1, batchRecords: 1, lingerMs: 0 }
  const load: Load = new Load(plan, {
    clock,
    producer: askInstead(parts.client, clock, () => load),
    placement: createPlacement({ keyPattern: 'none', seed: 0, partitionCount: 1 }),
    payload: nothingToRender,
    pacer: rateRecordsPerSec === null ? unpaced : createPacer(rateRecordsPerSec),
    waker: parts.waker,
    stop,
    lost,
    listener,
  })
  return load
}

const totalsOf = (load: Load): Totals => {
  const { acked: records, failed, unknown, unsent, elapsedMs, requests } = load
  return withRates({ records, failed, unknown, unsent, bytes: 0, elapsedMs, requests })
}

/** The producing loop with a request in the place of each record. */
export const runMetadata = async (context: RunContext): Promise<RunFigures> => {
  const { options, driver, clock, connection, onProgress, stop, lost } = context
  const { durationMs, reportIntervalMs, messageCount } = options
  const client = await driver.createMetadataClient(connection)
  const waker = await openWaker(pacerOf(options) ?? 'timer', clock)
  const response = new LatencyHistogram()
  const service = new LatencyHistogram()
  const failures = new Failures()
  const phase = 'measure'
  onProgress({ type: 'phase', phase, detail: '' })
  const meter = new Meter(clock, onProgress, { phase, durationMs, reportIntervalMs, group: null })
  const load = createLoad(
    context,
    { client, waker },
    {
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
    },
  )
  const end = await load.run()
  meter.end()
  await endsWithin(clock, closeLimitMs, client.close())
  await waker.close()
  load.giveUp()
  return {
    totals: totalsOf(load),
    warmup: noWarmup,
    latencyUs: { response: response.toLatency(), service: service.toLatency(), endToEnd: null },
    timeline: meter.timeline,
    ...pacingOf(options, load),
    partitions: [],
    consumers: [],
    checks: loadChecks([load], { what: 'request', messageCount, isInterrupted: stop.aborted }),
    warnings: failures.warnings('request'),
    lost: lossOfLoad(load, end, lost),
  }
}

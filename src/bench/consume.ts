/** `--mode consume`: fill a fresh topic if none was given, read it as a group, and account for every record. */
import type { PartitionWatermarks } from '../clients/driver.ts'
import { messageOf, SurroundingsError } from '../errors.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import { judgeConsume } from './consume-verdict.ts'
import { GroupReading } from './group-reading.ts'
import { readGroupStart } from './group-start.ts'
import { Meter } from './meter.ts'
import { epochOffsetOf } from './produce.ts'
import { Producing } from './producing.ts'
import {
  lossOf,
  noWarmup,
  type RunContext,
  type RunFigures,
  sumOf,
  withRates,
} from './run-context.ts'

const defaultFillRecords = 100_000

/** Nothing that was not acked may be missed later, so a fill that lost records ends the run. */
const fill = async (context: RunContext): Promise<void> => {
  const { options, topic } = context
  const messageCount = options.messageCount ?? defaultFillRecords
  const producing = await Producing.open(context, ['fill'], epochOffsetOf(context))
  const { load } = await producing.run('fill', { durationMs: null, messageCount })
  await producing.close()
  const loss = lossOf(context.lost)
  if (loss !== null) throw new SurroundingsError(loss)
  if (load.acked === messageCount || context.stop.aborted) return
  const [reason] = producing.failures.warnings('record')
  throw new SurroundingsError(
    `topic ${topic.name}: filled with ${load.acked} of ${messageCount} records: ${reason?.text ?? 'no acks'}`,
  )
}

/** `elapsedMs` runs from the start of the first member to the last record, so it holds the first join. */
export const runConsume = async (context: RunContext): Promise<RunFigures> => {
  const { admin, clock, options, topic, onProgress } = context
  if (topic.isFresh) await fill(context)
  const group = await readGroupStart(context)
  onProgress({ type: 'phase', phase: 'measure', detail: context.groupId })
  const service = new LatencyHistogram()
  const endToEnd = new LatencyHistogram()
  let bytes = 0
  const reading: GroupReading = new GroupReading(context, group, {
    onBatch: (tally) => {
      bytes += tally.bytes
      meter.addRecords(tally.records, tally.bytes)
    },
    onEndToEnd: (us, records) => {
      endToEnd.recordCount(us, records)
      meter.addLatency(us, records)
    },
    onFetch: (serviceNs) => service.record(serviceNs / 1e3),
  })
  const meter = new Meter(clock, onProgress, {
    phase: 'measure',
    durationMs: options.durationMs,
    reportIntervalMs: options.reportIntervalMs,
    group: () => ({
      lag: sumOf(reading.lagTo(group.targets).values(), (lag) => lag),
      members: reading.members.map((member) => member.state()),
    }),
  })
  const end = await reading.run().catch(async (error: unknown) => {
    meter.end()
    await reading.leave(() => Promise.resolve())
    throw error
  })
  const atNs = clock.nowNs()
  meter.end()
  onProgress({ type: 'phase', phase: 'verify', detail: '' })
  let after: readonly PartitionWatermarks[] = group.before
  let lost = end === 'lost' ? (lossOf(context.lost) ?? 'broker lost: no answer') : null
  await reading.leave(async () => {
    try {
      await reading.poll()
      after = await admin.watermarks(topic.name)
    } catch (error) {
      lost = messageOf(error)
    }
  })
  const verdict = judgeConsume(options, group, reading, { end, atNs, after })
  const lastNs = reading.lastRecordNs ?? reading.startNs
  return {
    totals: withRates({
      records: reading.ledger.consumed,
      failed: 0,
      unknown: 0,
      unsent: 0,
      bytes,
      elapsedMs: (lastNs - reading.startNs) / 1e6,
      requests: reading.requests,
    }),
    warmup: noWarmup,
    latencyUs: {
      response: null,
      service: service.toLatency(),
      endToEnd: endToEnd.toLatency(),
    },
    timeline: meter.timeline,
    consumers: reading.members.map((member) => member.result(reading.startNs)),
    ...verdict,
    lost,
  }
}

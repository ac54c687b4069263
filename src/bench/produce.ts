/** `--mode produce`: warm up, measure, drain, and hold the acks against the log. */
import type { PartitionWatermarks } from '../clients/driver.ts'
import { messageOf } from '../errors.ts'
import type { WarmupTotals } from '../results/result.ts'
import { pacingOf } from './pacing.ts'
import { loadChecks, lossOfLoad, refusalOfLoad } from './produce-verdict.ts'
import { checkName, partitionResult, type Verification, verifyProduced } from './produce-verify.ts'
import type { Produced } from './producing.ts'
import { noWarmup, type RunContext, type RunFigures, sumOf, withRates } from './run-context.ts'
import { openProducing, type Producers } from './workers.ts'

/** Epoch µs − monotonic µs. */
export const epochOffsetOf = ({ clock }: RunContext): number =>
  clock.epochMs() * 1_000 - clock.nowNs() / 1_000

export const warmupTotals = (warmup: Produced | null, messageSizeBytes: number): WarmupTotals => {
  if (warmup === null) return noWarmup
  const { acked: records, failed, unknown, elapsedMs } = warmup.load
  return { records, failed, unknown, bytes: records * messageSizeBytes, elapsedMs }
}

export const measuredTotals = (measured: Produced, messageSizeBytes: number) => {
  const { acked: records, failed, unknown, unsent, elapsedMs, requests } = measured.load
  const bytes = records * messageSizeBytes
  return withRates({ records, failed, unknown, unsent, bytes, elapsedMs, requests })
}

/** The warm-up (null without one) and the measured load, one after the other. */
export const runLoads = async (
  context: RunContext,
  producing: Producers,
): Promise<{ warmup: Produced | null; measured: Produced }> => {
  const { durationMs, messageCount, warmupDurationMs } = context.options
  const warmup =
    warmupDurationMs > 0
      ? await producing.run('warm-up', { durationMs: warmupDurationMs, messageCount: null })
      : null
  const measured = await producing.run('measure', { durationMs, messageCount })
  return { warmup, measured }
}

/** What is known when nobody answers any more. */
const unverified = (
  before: readonly PartitionWatermarks[],
  produced: readonly Produced[],
): Verification => {
  const partitions = before.map((one) =>
    partitionResult(
      one,
      one,
      sumOf(
        produced.flatMap(({ ledgers }) => ledgers),
        (ledger) => ledger.counts(one.partition).acked,
      ),
    ),
  )
  const acked = partitions.reduce((sum, one) => sum + one.acked, 0)
  const check = { name: checkName, ok: false, expected: acked, actual: 'not read' }
  return { partitions, checks: [check], warnings: [] }
}

/** `verifyProduced`, or what is known without it when the broker is lost by then. */
export const verifyOrLose = async (
  context: RunContext,
  before: readonly PartitionWatermarks[],
  produced: readonly Produced[],
  lost: string | null,
): Promise<{ verification: Verification; lost: string | null }> => {
  if (lost !== null) return { verification: unverified(before, produced), lost }
  context.onProgress({ type: 'phase', phase: 'verify', detail: '' })
  try {
    const ledgers = produced.flatMap((one) => one.ledgers)
    return { verification: await verifyProduced(context, before, ledgers), lost: null }
  } catch (error) {
    return { verification: unverified(before, produced), lost: messageOf(error) }
  }
}

export const runProduce = async (context: RunContext): Promise<RunFigures> => {
  const { admin, options, topic, stop } = context
  const { messageCount, messageSizeBytes, warmupDurationMs } = options
  const before = await admin.watermarks(topic.name)
  const phases = warmupDurationMs > 0 ? (['warm-up', 'measure'] as const) : (['measure'] as const)
  const producing = await openProducing(context, phases, epochOffsetOf(context))
  const { warmup, measured } = await runLoads(context, producing)
  await producing.close()
  const lostInLoad = lossOfLoad(measured.load, measured.end, context.lost)
  const { verification, lost } = await verifyOrLose(context, before, producing.produced, lostInLoad)
  const loads = warmup === null ? [measured.load] : [measured.load, warmup.load]
  const counts = loadChecks(loads, { what: 'record', messageCount, isInterrupted: stop.aborted })
  return {
    totals: measuredTotals(measured, messageSizeBytes),
    warmup: warmupTotals(warmup, messageSizeBytes),
    latencyUs: {
      response: measured.response.toLatency(),
      service: measured.service.toLatency(),
      endToEnd: null,
    },
    ...pacingOf(options, measured.load),
    timeline: measured.timeline,
    partitions: verification.partitions,
    consumers: [],
    checks: [...verification.checks, ...counts],
    warnings: [...producing.failures.warnings('record'), ...verification.warnings],
    lost: lost ?? refusalOfLoad(measured.load),
  }
}

import { messageOf, UsageError } from '../errors.ts'
import { LatencyHistogram } from '../results/histogram.ts'
import type { RunResult } from '../results/result.ts'
import { primaryLatency } from './latency.ts'

/** The percentile distribution in the text form that HdrHistogram's plotters read. */

/**
 * Values in ms, of the latency that thresholds mean; of service time where that was not measured. Throws a `UsageError`
 * when no latency was measured or its histogram is damaged.
 */
export const formatHgrm = (result: RunResult): string => {
  const latency = primaryLatency(result) ?? result.latencyUs.service
  if (latency === null || latency.count === 0) {
    throw new UsageError(`--format hgrm: run ${result.runId} has no latency samples`)
  }
  try {
    return LatencyHistogram.decode(latency.hdr).percentileDistribution()
  } catch (error) {
    throw new UsageError(
      `--format hgrm: the histogram of run ${result.runId} is damaged (${messageOf(error)})`,
      { cause: error },
    )
  }
}

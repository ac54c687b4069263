import { standingOf } from '../results/calibration.ts'
import { busyLimit, foreignCoresLimit, percentOf, stealLimit } from '../results/machine-limits.ts'
import type { Ceiling, RunResult, Warning } from '../results/result.ts'

/** When the generator or the machine, not the broker, may have made the figures: each with what to do about it. */

const stallLimitMs = 50

/** In a closed loop a busy generator is what was asked for; with a rate it makes the latencies its own. */
const isPaced = ({ config }: RunResult): boolean => typeof config['rateRecordsPerSec'] === 'number'

const ceilingWarnings = (ceiling: Ceiling): Warning[] => {
  const standing = standingOf(ceiling)
  if (standing === 'below') return []
  const share = `the client ran at ${percentOf(ceiling.share)} of its ceiling on this machine`
  return standing === 'near'
    ? [
        {
          code: 'near-ceiling',
          text: `${share}: the generator, not the broker, was the limit`,
          advice: 'Before judging the broker, send larger batches, or take --client wire.',
        },
      ]
    : [
        {
          code: 'ceiling-outdated',
          text: `${share}: that was measured too low`,
          advice: 'Run bench calibrate again while nothing else runs.',
        },
      ]
}

/** Empty when nothing was measured or nothing is wrong. */
export const resourceWarnings = (result: RunResult): Warning[] => {
  if (result.resources === undefined) return []
  const { generator, machine, ceiling } = result.resources
  const { foreignCores, steal } = machine
  const warnings: Warning[] = []
  const isPolling = result.pacing?.pacer === 'spin'
  if (isPaced(result) && !isPolling && generator.eventLoopUtilization > busyLimit) {
    warnings.push({
      code: 'generator-busy',
      text: `the generator was ${percentOf(generator.eventLoopUtilization)} busy: it may have been the limit, not the broker`,
      advice: 'Lower --rate, send larger batches, or take --client wire.',
    })
  }
  if (isPaced(result) && generator.eventLoopDelayMaxMs > stallLimitMs) {
    warnings.push({
      code: 'generator-stalled',
      text: `the generator stalled for up to ${generator.eventLoopDelayMaxMs.toFixed(0)} ms (garbage collection ${generator.gcMaxMs.toFixed(0)} ms): the highest latencies hold its share`,
      advice: 'Lower --rate or --concurrency, or close other programs.',
    })
  }
  if (ceiling !== undefined) warnings.push(...ceilingWarnings(ceiling))
  if (foreignCores !== null && foreignCores > foreignCoresLimit) {
    warnings.push({
      code: 'foreign-load',
      text: `other programs used ${foreignCores.toFixed(1)} cores during the measurement`,
      advice: 'Close them and run again before comparing these figures with others.',
    })
  }
  if (steal !== null && steal > stealLimit) {
    warnings.push({
      code: 'steal',
      text: `the hypervisor gave ${percentOf(steal)} of the time to others`,
      advice: 'Compare CPU per record in place of rates, or take a machine of your own.',
    })
  }
  return warnings
}

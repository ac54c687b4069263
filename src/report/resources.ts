import type { Ceiling, RunResult } from '../results/result.ts'
import type { Line } from './box.ts'
import { formatHundredths, formatMegabytes, formatPercent, formatRate } from './format.ts'
import type { Rows } from './rows.ts'

/** What the run cost: of all figures the quietest, and the first to look at when two versions are compared. */

/** CPU seconds per million records. */
export const perMillion = (cpuMs: number, records: number): string =>
  records > 0 ? formatHundredths((cpuMs * 1_000) / records) : 'n/a'

const ceilingText = ({ recordsPerSec, share }: Ceiling): string =>
  `client at ${(share * 100).toFixed(0)} % of its ceiling on this machine, ${formatRate(recordsPerSec)} msg/s`

/** Empty for results that hold no measurement. */
export const resourceLines = (result: RunResult, rows: Rows): Line[] => {
  const { resources, totals } = result
  if (resources === undefined) return []
  const { generator, broker, ceiling } = resources
  const unit = 's per million msg'
  const memory = [
    `client ${formatMegabytes(generator.maxMemoryBytes)} MB`,
    ...(broker === null ? [] : [`broker ${formatMegabytes(broker.maxMemoryBytes)} MB`]),
  ]
  const busy = formatPercent(generator.eventLoopUtilization, 1)
  const stall = formatHundredths(generator.eventLoopDelayMaxMs)
  return [
    rows.figure('Client CPU', perMillion(generator.cpuMs, totals.records), unit),
    ...(broker === null
      ? []
      : [rows.figure('Broker CPU', perMillion(broker.cpuMs, totals.records), unit)]),
    ...rows.text('Client loop', `${busy} busy, stalled at most ${stall} ms`),
    ...rows.text('Memory', `at most ${memory.join(', ')}`),
    ...(ceiling === undefined ? [] : rows.text('Client ceiling', ceilingText(ceiling))),
  ]
}

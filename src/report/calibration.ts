import type { CalibratedWork } from '../results/calibration.ts'
import { drawBox, innerWidth, line } from './box.ts'
import { formatHundredths, formatRate } from './format.ts'
import { drawTable } from './table.ts'

/** The ceilings of a machine, a row for each client. */

const headings = ['client', 'produce msg/s', 'CPU s/M', 'consume msg/s', 'CPU s/M']

const cellsOf = (work: CalibratedWork | undefined): string[] =>
  work === undefined
    ? ['n/a', 'n/a']
    : [formatRate(work.recordsPerSec), formatHundredths(work.clientCpuSec)]

/** Ends in a line feed. */
export const formatCalibration = (
  works: readonly CalibratedWork[],
  options: { width?: number; color?: boolean } = {},
): string => {
  const width = Math.max(40, Math.min(options.width ?? 80, 120))
  const clients = [...new Set(works.map(({ client }) => client))]
  const rows = clients.map((client) => {
    const of = (mode: CalibratedWork['mode']): CalibratedWork | undefined =>
      works.find((work) => work.client === client && work.mode === mode)
    return { cells: [client, ...cellsOf(of('produce')), ...cellsOf(of('consume'))], style: null }
  })
  const columns = headings.map((heading, index) => ({
    heading,
    align: index === 0 ? ('left' as const) : ('right' as const),
  }))
  const sections = [
    [line('Ceilings of the clients on this machine', 'bold')],
    drawTable(columns, rows, innerWidth(width)),
  ]
  return drawBox(sections, width, options.color ?? false)
}

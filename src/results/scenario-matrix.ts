/** Which scenario catches which defect: plain data, made by a run of all against all. */

export interface ScenarioMatrix {
  /** The command line that makes it again. */
  readonly command: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly elapsedMs: number
  /** So many plays at a time, on so many cores. */
  readonly atOnce: number
  readonly cores: number
  readonly scenarios: readonly string[]
  /** The first row is the correct broker's: its defect is null. */
  readonly rows: readonly MatrixRow[]
}

export interface MatrixRow {
  readonly defect: string | null
  /** By scenario, in the order of `scenarios`. */
  readonly cells: readonly MatrixCell[]
}

export interface MatrixCell {
  /** `same`: not played, since what the defect spoils is not set, so that the broker is the correct one. */
  readonly status: 'passed' | 'failed' | 'skipped' | 'interrupted' | 'same'
  /** What had failed when the play ended, which is as soon as one had failed for good. */
  readonly failedChecks: readonly string[]
}

const isCaught = ({ cells }: MatrixRow): boolean => cells.some(({ status }) => status === 'failed')

/** Defects that no scenario saw; empty when the scenarios do what they are for. */
export const uncaughtDefects = ({ rows }: ScenarioMatrix): string[] =>
  rows.flatMap((row) => (row.defect !== null && !isCaught(row) ? [row.defect] : []))

/** Scenarios that blame the correct broker. */
export const falseAlarms = ({ scenarios, rows }: ScenarioMatrix): string[] => {
  const clean = rows.find(({ defect }) => defect === null)
  return scenarios.filter((_, index) => clean?.cells[index]?.status === 'failed')
}

import { tableHead, tableRow } from './document.ts'

/** Goals beside what was measured: met, or by how much not. */

export interface Goal {
  readonly what: string
  readonly measured: number
  readonly bound: number
  readonly sense: 'at least' | 'at most'
  /** Such as `×` or `µs`. */
  readonly unit: string
  /** The exact command, or where it stands. */
  readonly command: string
  /** What is at its own limit there, so that the goal does not count. */
  readonly limit?: string
}

const digitsOf = (value: number): number =>
  Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
const format = (value: number, unit: string): string =>
  Number.isNaN(value) ? '–' : `${value.toFixed(digitsOf(value))} ${unit}`

/** `met`, what was the limit, or `missed by 12 %` of the bound. */
const verdictOf = ({ measured, bound, sense, limit }: Goal): string => {
  if (Number.isNaN(measured)) return 'not measured'
  const short = sense === 'at least' ? bound - measured : measured - bound
  if (short <= 0) return 'met'
  return limit ?? `**missed by ${((short / bound) * 100).toFixed(0)} %**`
}

export const goalTable = (goals: readonly Goal[]): string =>
  [
    tableHead(['what', 'goal', 'measured', 'verdict', 'command']),
    ...goals.map((goal) => {
      const { what, measured, bound, sense, unit, command } = goal
      const sign = sense === 'at least' ? '≥' : '≤'
      const cells = [what, `${sign} ${format(bound, unit)}`, format(measured, unit)]
      return tableRow([...cells, verdictOf(goal), command])
    }),
  ].join('\n')

import {
  falseAlarms,
  type MatrixCell,
  type MatrixRow,
  type ScenarioMatrix,
  uncaughtDefects,
} from '../results/scenario-matrix.ts'
import { padEnd, padStart } from './box.ts'

/** Defect × scenario as a grid of characters, and what caught each defect. */

const signs: Readonly<Record<MatrixCell['status'], string>> = {
  passed: '.',
  failed: 'X',
  skipped: '-',
  interrupted: '?',
  same: '=',
}

const correct = '(correct broker)'

const nameOf = ({ defect }: MatrixRow): string => defect ?? correct

/** Column numbers stand upright above the columns. */
const gridLines = ({ scenarios, rows }: ScenarioMatrix): string[] => {
  const width = Math.max(...rows.map((row) => nameOf(row).length))
  const digits = String(scenarios.length).length
  const numbers = scenarios.map((_, index) => padStart(String(index + 1), digits))
  const heads = Array.from({ length: digits }, (_, digit) => {
    const cells = numbers.map((number) => number[digit]).join('')
    return `${padEnd('', width)}  ${cells}`.trimEnd()
  })
  const body = rows.map((row) => {
    const cells = row.cells.map(({ status }) => signs[status]).join('')
    return `${padEnd(nameOf(row), width)}  ${cells}`
  })
  return [...heads, ...body]
}

const legend =
  'X a check failed, . all held, - skipped, = the defect spoils what is not set: the correct broker'

const verdictLines = (matrix: ScenarioMatrix): string[] => {
  const uncaught = uncaughtDefects(matrix)
  const blamed = falseAlarms(matrix)
  const defects = matrix.rows.filter(({ defect }) => defect !== null).length
  return [
    uncaught.length === 0
      ? `each of ${defects} defects is caught by at least one scenario`
      : `not caught: ${uncaught.join(', ')}`,
    blamed.length === 0
      ? 'the correct broker is blamed by none'
      : `the correct broker is blamed by ${blamed.join(', ')}`,
  ]
}

const gridAndNames = (matrix: ScenarioMatrix): string[] => {
  const digits = String(matrix.scenarios.length).length
  const names = matrix.scenarios.map(
    (name, index) => `${padStart(String(index + 1), digits)} ${name}`,
  )
  return [...gridLines(matrix), legend, '', ...names]
}

const durationText = (ms: number): string => {
  const seconds = Math.round(ms / 1_000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

const workText = ({ rows, elapsedMs, atOnce, cores }: ScenarioMatrix): string => {
  const plays = rows.flatMap(({ cells }) => cells.filter(({ status }) => status !== 'same')).length
  return `${plays} plays in ${durationText(elapsedMs)}, ${atOnce} at a time on ${cores} cores`
}

/** For a terminal. Ends in a line feed. */
export const formatMatrix = (matrix: ScenarioMatrix): string =>
  `${[...gridAndNames(matrix), '', ...verdictLines(matrix), workText(matrix)].join('\n')}\n`

const caughtBy = ({ scenarios }: ScenarioMatrix, { cells }: MatrixRow): string =>
  cells
    .flatMap(({ status, failedChecks }, index) =>
      status === 'failed' ? [`${scenarios[index]} (${failedChecks.join(', ')})`] : [],
    )
    .join('; ')

/** What stands in docs/DEFECT-MATRIX.md. Ends in a line feed. */
export const formatMatrixMarkdown = (matrix: ScenarioMatrix): string => {
  const rows = matrix.rows.filter(({ defect }) => defect !== null)
  return `${[
    '# Defect × scenario',
    '',
    `Made on ${matrix.startedAt.slice(0, 10)} by \`${matrix.command}\`: ${matrix.scenarios.length} scenarios,`,
    `each against the correct embedded broker and against ${rows.length} [defects](DEFECTS.md) of it.`,
    `${workText(matrix)}.`,
    '',
    'A play ends as soon as a check has failed that will not hold any more; the checks named below are those that had',
    'failed by then. `bench scenario run NAME --prove` plays on to the end and asks for the one check that the scenario names.',
    'Where the pace of a broker is measured, that is done alone, after the other plays, for the correct broker and for the defect',
    'that the scenario names. A defect that spoils a setting is played where that is set; elsewhere its broker is the correct one.',
    '',
    ...verdictLines(matrix).map((line) => `- ${line}`),
    '',
    '```text',
    ...gridAndNames(matrix),
    '```',
    '',
    '| defect | caught by (failed checks) |',
    '| --- | --- |',
    ...rows.map((row) => `| \`${nameOf(row)}\` | ${caughtBy(matrix, row) || 'nothing'} |`),
  ].join('\n')}\n`
}

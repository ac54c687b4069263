import type { ScenarioResult, ScenarioRow, ScenarioTimeline } from '../results/scenario-result.ts'
import { cut, padEnd, padStart, printable, type Style, widthOf, wrap } from './box.ts'
import { formatPartitions, formatSeconds, formatValue } from './format.ts'
import { type Column, drawTable } from './table.ts'

/** A scenario as text: its verdict, a row per check, and the picture of members over time. No box: it is read in logs. */

export interface ScenarioTextOptions {
  /** Columns; 80 without a terminal. */
  readonly width: number
  readonly color: boolean
}

const escapes: Record<Style, string> = {
  bold: '\u001b[1m',
  green: '\u001b[32m',
  red: '\u001b[31m',
  yellow: '\u001b[33m',
}

const styled = (text: string, style: Style | null, color: boolean): string =>
  color && style !== null ? `${escapes[style]}${text}\u001b[0m` : text

const markSigns: Readonly<Record<string, string>> = {
  start: 'S',
  stop: 'E',
  crash: 'X',
  restart: 'R',
  pause: 'P',
  resume: 'C',
  commit: 'c',
  fault: '!',
  end: 'X',
}

const legend =
  'digits: the partition owned, * several; . running without one; S start, E stop, X crash, R restart, P pause, C resume, ! fault, | new generation'

/** What a member owned at the middle of a column: most of it, where it changed within. */
const cellOf = (row: ScenarioRow, fromMs: number, toMs: number): string => {
  const overlap = (span: { fromMs: number; toMs: number }): number =>
    Math.min(span.toMs, toMs) - Math.max(span.fromMs, fromMs)
  const [longest] = row.owned
    .filter((span) => overlap(span) > 0)
    .toSorted((a, b) => overlap(b) - overlap(a))
  if (longest !== undefined) {
    const [first = 0] = longest.partitions
    return longest.partitions.length === 1 && first < 10 ? String(first) : '*'
  }
  return row.lives.some((span) => overlap(span) > 0) ? '.' : ' '
}

const rowText = (row: ScenarioRow, timeline: ScenarioTimeline, columns: number): string => {
  const stepMs = Math.max(1, timeline.endMs) / columns
  const cells = Array.from({ length: columns }, (_, index) =>
    cellOf(row, index * stepMs, (index + 1) * stepMs),
  )
  for (const { atMs, member, kind } of timeline.marks) {
    if (member !== row.member) continue
    cells[Math.min(columns - 1, Math.max(0, Math.floor(atMs / stepMs)))] = markSigns[kind] ?? '?'
  }
  return cells.join('')
}

const rulerText = (timeline: ScenarioTimeline, columns: number): string => {
  const stepMs = Math.max(1, timeline.endMs) / columns
  const cells = Array.from({ length: columns }, () => ' ')
  for (const { atMs } of timeline.generations) {
    cells[Math.min(columns - 1, Math.max(0, Math.floor(atMs / stepMs)))] = '|'
  }
  return cells.join('')
}

const maxNameWidth = 12

/** Members × time, one character per step of time. */
export const pictureLines = (timeline: ScenarioTimeline, width: number): string[] => {
  const { rows, generations, endMs, marks } = timeline
  if (rows.length === 0) return []
  const names = rows.map(({ member }) => cut(member, maxNameWidth))
  const nameWidth = Math.max('generation'.length, ...names.map(widthOf))
  const columns = Math.max(10, width - nameWidth - 1)
  const line = (name: string, cells: string): string =>
    `${padEnd(name, nameWidth)} ${cells}`.trimEnd()
  const end = formatSeconds(endMs)
  const numbers = generations.map(({ generation }) => generation).join(', ')
  return [
    line('time', `0${padStart(end, columns - 1)}`),
    ...rows.map((row, index) => line(names[index] ?? '', rowText(row, timeline, columns))),
    line('generation', rulerText(timeline, columns)),
    ...wrap(`generations: ${numbers || 'none seen'}`, width),
    ...marks
      .filter(({ kind }) => kind === 'fault' || kind === 'end')
      .flatMap(({ atMs, member, text }) =>
        wrap(`! ${formatSeconds(atMs)} ${member ?? ''}: ${printable(text)}`, width),
      ),
    ...wrap(legend, width),
  ]
}

const orNever = (ms: number | null): string => (ms === null ? 'never' : formatSeconds(ms))

const right = (heading: string): Column => ({ heading, align: 'right' })

const memberColumns: Column[] = [
  { heading: 'Member', align: 'left' },
  right('Started\nat'),
  right('First\nassignment\nafter'),
  right('First\nrecord\nafter'),
  right('Partitions'),
  right('Records'),
  right('Ended'),
]

const memberLines = ({ members }: ScenarioResult, width: number): string[] => {
  const rows = members.map((member) => ({
    cells: [
      member.life === 1 ? member.name : `${member.name}.${member.life}`,
      formatSeconds(member.startedAtMs),
      orNever(member.firstAssignmentMs),
      orNever(member.firstRecordMs),
      formatPartitions(member.partitions),
      String(member.records),
      member.end === 'stopped-at-end' ? 'at the end' : member.end,
    ],
    style: null,
  }))
  return members.length === 0
    ? []
    : drawTable(memberColumns, rows, width).flatMap(({ text }) => wrap(text, width))
}

/** Only of interest when something failed: most errors are part of every rebalance. */
const errorLines = ({ status, members }: ScenarioResult, width: number): string[] =>
  status === 'failed'
    ? members.flatMap(({ name, life, errors }) =>
        errors.flatMap((error) => {
          const who = life === 1 ? name : `${name}.${life}`
          return wrap(printable(`${who} told: ${error}`), width)
        }),
      )
    : []

const checkLines = (result: ScenarioResult, { width, color }: ScenarioTextOptions): string[] =>
  result.checks.flatMap(({ name, ok, expected, actual }) => {
    const text = ok
      ? `  ok ${name}`
      : `  FAILED ${name}: expected ${formatValue(expected)}, actual ${formatValue(actual)}`
    return wrap(printable(text), width).map((part) => styled(part, ok ? 'green' : 'red', color))
  })

/** The whole report of one scenario. Ends in a line feed. */
export const formatScenario = (result: ScenarioResult, options: ScenarioTextOptions): string => {
  const width = Math.max(40, options.width)
  const { scenario, title, guards, source, defect, status, reason, environment, target } = result
  const verdict = `${scenario}: ${status.toUpperCase()}${reason === null ? '' : `, ${reason}`}`
  const broker = `${target.kind} broker ${target.bootstrapServers}`
  const blocks = [
    [
      styled(verdict, status === 'passed' ? 'green' : 'bold', options.color),
      ...wrap(title, width),
      ...wrap(`guards: ${printable(guards.replaceAll('\n', ' '))}`, width),
      ...wrap(`source: ${printable(source.replaceAll('\n', ' '))}`, width),
      ...wrap(`on: ${broker}, ${environment.client}${defect ? `, defect ${defect}` : ''}`, width),
    ],
    pictureLines(result.timeline, width),
    memberLines(result, width),
    checkLines(result, options),
    errorLines(result, width),
    result.warnings.flatMap(({ text, advice }) => wrap(`! ${text} ${advice}`, width)),
    result.explanation.length === 0
      ? []
      : ['What the members and the broker said:', ...result.explanation.map(printable)],
  ]
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`
}

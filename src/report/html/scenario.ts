import type {
  ScenarioMark,
  ScenarioResult,
  ScenarioTimeline,
} from '../../results/scenario-result.ts'
import { formatCount, formatPartitions, formatSeconds, formatValue } from '../format.ts'
import type { Mark } from './chart.ts'
import { drawGantt, type GanttRow } from './gantt.ts'
import { type Child, el, join, raw } from './markup.ts'
import { dataTable, factTable, failedChecks, renderPage, section, verdictBlock } from './page.ts'

/** Scenarios as one HTML file: for each its verdict, its members over time, its checks and what explains a failure. */

const letters: Record<ScenarioMark['kind'], string> = {
  start: 'S',
  stop: 'E',
  crash: 'X',
  restart: 'R',
  pause: 'P',
  resume: 'C',
  commit: 'c',
  produce: 'p',
  fault: '!',
  end: 'X',
}

/** A line begins where a member starts, and some are too many to be letters in a picture; the table has them all. */
const isDrawn = ({ kind }: ScenarioMark): boolean =>
  kind !== 'start' && kind !== 'commit' && kind !== 'produce'

const markOf = ({ atMs, kind, text }: ScenarioMark): Mark => ({
  at: atMs,
  letter: letters[kind],
  text: `${formatSeconds(atMs)}: ${kind} ${text}`,
  isBad: kind === 'crash' || kind === 'fault' || kind === 'end',
})

const rowsOf = ({ rows, marks }: ScenarioTimeline): GanttRow[] =>
  rows.map(({ member, lives, owned }) => ({
    name: member,
    lives,
    held: owned
      .filter(({ partitions }) => partitions.length > 0)
      .map((span) => ({ ...span, generation: -1 })),
    marks: marks.filter((mark) => mark.member === member && isDrawn(mark)).map(markOf),
  }))

/** What a member did while it stopped may come after the end of the story. */
const endOf = ({ endMs, rows }: ScenarioTimeline): number =>
  Math.max(
    1,
    endMs,
    ...rows.flatMap(({ lives, owned }) => [...lives, ...owned].map(({ toMs }) => toMs)),
  )

const timelineChart = ({ timeline }: ScenarioResult): Child => {
  if (timeline.rows.length === 0) return null
  const happenings = [
    ...timeline.rows.flatMap(({ member, owned }) =>
      owned.map(({ fromMs, toMs, partitions }) => ({
        atMs: fromMs,
        cells: [`owns ${formatPartitions(partitions)} until ${formatSeconds(toMs)}`, member],
      })),
    ),
    ...timeline.generations.map(({ atMs, generation }) => ({
      atMs,
      cells: [`generation ${generation} begins`, 'the group'],
    })),
    ...timeline.marks.map(({ atMs, member, kind, text }) => ({
      atMs,
      cells: [`${kind} ${text}`, member ?? 'the group'],
    })),
  ].toSorted((a, b) => a.atMs - b.atMs)
  return drawGantt({
    title: 'Members over time',
    note: 'with the partitions that each owned. E stop, X crash, R restart, P pause, C resume, ! fault; a dotted line is the beginning of a generation.',
    endMs: endOf(timeline),
    rows: rowsOf(timeline),
    generations: timeline.generations,
    table: dataTable(
      'Members over time',
      ['At', 'What', 'Who'],
      happenings.map(({ atMs, cells }) => ({ cells: [formatSeconds(atMs), ...cells] })),
    ),
  })
}

/** Those that failed, and the others on demand. */
const checksOf = ({ checks }: ScenarioResult): Child => {
  const held = checks.filter(({ ok }) => ok)
  return join([
    failedChecks(checks),
    held.length === 0
      ? null
      : el(
          'details',
          {},
          el('summary', {}, `${formatCount(held.length)} checks held`),
          dataTable(
            'Checks that held',
            ['Check', 'Expected'],
            held.map(({ name, expected }) => ({ cells: [name, formatValue(expected)] })),
          ),
        ),
  ])
}

const explanation = ({ explanation: lines }: ScenarioResult): Child =>
  lines.length === 0
    ? null
    : el(
        'details',
        {},
        el('summary', {}, 'What the members and the broker said'),
        el('pre', {}, ...lines.flatMap((line) => [line, raw('\n')])),
      )

const facts = (result: ScenarioResult): Child =>
  factTable([
    ['Guards', result.guards],
    ['Source', result.source],
    ['Defect', result.defect],
    ['Broker', `${result.target.kind} ${result.target.bootstrapServers}`],
    ['Members', result.environment.client],
    ['Why skipped', result.reason],
  ])

const scenarioSection = (result: ScenarioResult, index: number): Child => {
  const { scenario, status, title, elapsedMs, defect } = result
  const tone = status === 'passed' ? 'good' : status === 'failed' ? 'bad' : 'doubt'
  return section(
    `scenario-${index + 1}`,
    defect === null ? scenario : `${scenario} with the defect ${defect}`,
    el(
      'p',
      { class: tone },
      el('span', { class: 'word' }, status.toUpperCase()),
      ` in ${formatSeconds(elapsedMs)}: ${title}`,
    ),
    timelineChart(result),
    checksOf(result),
    explanation(result),
    facts(result),
  )
}

export interface ScenarioSummary {
  isPassed: boolean
  /** `3 passed, 1 failed`. */
  text: string
}

/**
 * A whole page; the results are in it as JSON. A play with a defect may have failed as it should, so the verdict on all
 * of them comes with them.
 */
export const formatScenariosHtml = (
  results: readonly ScenarioResult[],
  { isPassed, text }: ScenarioSummary,
): string =>
  renderPage({
    title: `${isPassed ? 'PASS' : 'FAIL'}: bench scenario, ${text}`,
    header: verdictBlock(isPassed ? 'good' : 'bad', {
      eyebrow: ['bench scenario', results[0]?.startedAt].filter(Boolean).join(' · '),
      word: isPassed ? 'PASS' : 'FAIL',
      reason: text,
      details: [],
    }),
    main: results.map(scenarioSection),
    footer: 'Made by bench scenario. All results are in this file as JSON.',
    data: results,
  })

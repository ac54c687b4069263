import { formatPartitions, formatSeconds } from '../format.ts'
import { anchorOf, figure, type Mark, picture } from './chart.ts'
import { type Child, coordinate, el, join, type Markup, percent } from './markup.ts'
import { timeTicks } from './over-time.ts'

/** Members × time: who held which partitions when, and when each generation began. */

export interface HeldSpan {
  fromMs: number
  toMs: number
  /** Empty: settled in a generation without any. */
  partitions: readonly number[]
  /** -1: not known. */
  generation: number
}

export interface GanttRow {
  name: string
  /** When the member was there. */
  lives: readonly { fromMs: number; toMs: number }[]
  held: readonly HeldSpan[]
  /** `at` in ms. */
  marks: readonly Mark[]
}

export interface Gantt {
  title: string
  note: string
  endMs: number
  rows: readonly GanttRow[]
  generations: readonly { atMs: number; generation: number }[]
  table: Child
}

const rowHeight = 42
const barHeight = 18
const barTop = 16
const top = 6
const bottom = 24
/** More rows than can be read say nothing; the table has all. */
const mostRows = 40

const labelOf = ({ partitions }: HeldSpan): string => formatPartitions(partitions)

const bar = (span: HeldSpan, endMs: number, y: number): Markup => {
  const isIdle = span.partitions.length === 0
  const what = isIdle ? 'no partition' : `partitions ${labelOf(span)}`
  const generation = span.generation < 0 ? '' : `, generation ${span.generation}`
  const times = `${formatSeconds(span.fromMs)} to ${formatSeconds(span.toMs)}`
  return el(
    'svg',
    {
      x: percent(span.fromMs / endMs),
      y,
      width: percent((span.toMs - span.fromMs) / endMs),
      height: barHeight,
    },
    el('title', {}, `${times}: ${what}${generation}`),
    el('rect', { class: isIdle ? 'idle' : 'owned', width: '100%', height: '100%', rx: 3 }),
    el('text', { class: isIdle ? 'inidle' : 'inbar', x: 5, y: 13 }, labelOf(span)),
  )
}

const markOf = ({ at, letter, text, isBad }: Mark, endMs: number, y: number): Markup => {
  const share = Math.min(1, at / endMs)
  const x = percent(share)
  return el(
    'g',
    {},
    el('title', {}, text),
    el('line', { class: isBad ? 'mark bad' : 'mark', x1: x, x2: x, y1: y + 12, y2: y + 36 }),
    el(
      'text',
      { class: ['halo', anchorOf(share)].filter(Boolean).join(' '), x, y: y + 11 },
      letter,
    ),
  )
}

const drawRow = (row: GanttRow, index: number, endMs: number): Markup => {
  const y = top + index * rowHeight
  const middle = coordinate(y + barTop + barHeight / 2)
  return el(
    'g',
    {},
    ...row.lives.map(({ fromMs, toMs }) =>
      el('line', {
        class: 'life',
        x1: percent(fromMs / endMs),
        x2: percent(toMs / endMs),
        y1: middle,
        y2: middle,
      }),
    ),
    ...row.held.map((span) => bar(span, endMs, y + barTop)),
    ...row.marks.map((mark) => markOf(mark, endMs, y)),
    el('text', { class: 'halo strong', x: 0, y: y + 11 }, row.name),
  )
}

/** What the last span of each row says, for those who do not see the picture. */
const summaryOf = (rows: readonly GanttRow[]): string =>
  rows
    .map(({ name, held }) => {
      const last = held.at(-1)
      return last === undefined ? `${name} held nothing` : `${name} held ${labelOf(last)} last`
    })
    .join('; ')

export const drawGantt = ({ title, note, endMs, rows, generations, table }: Gantt): Markup => {
  const shown = rows.slice(0, mostRows)
  const height = top + shown.length * rowHeight
  const rest = rows.length - shown.length
  return figure({
    title,
    note: rest > 0 ? `${note} ${rest} more members are in the table.` : note,
    picture: picture(
      `${title}: ${summaryOf(shown)}`,
      height + bottom,
      ...generations.map(({ generation, atMs }) => {
        const x = percent(atMs / endMs)
        return el(
          'g',
          {},
          el('title', {}, `${formatSeconds(atMs)}: generation ${generation} begins`),
          el('line', { class: 'mark', x1: x, x2: x, y1: 0, y2: height }),
        )
      }),
      ...shown.map((row, index) => drawRow(row, index, endMs)),
      el('line', { class: 'axis', x1: 0, x2: '100%', y1: height, y2: height }),
      join(
        timeTicks(endMs).map(({ at, label }) =>
          el('text', { x: percent(at), y: height + 17, class: anchorOf(at) }, label),
        ),
      ),
    ),
    table,
  })
}

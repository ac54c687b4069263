import { type Child, coordinate, el, join, type Markup, percent } from './markup.ts'

/**
 * A line chart that fits every width without a script: places are percentages of the width, texts keep their size. Its
 * figures stand below it as a table.
 */

export type Tone = 'one' | 'two' | 'three' | 'asked'

export interface Place {
  /** From the left, 0 to 1. */
  x: number
  /** From the bottom, 0 to 1. */
  y: number
}

export interface ChartLine {
  name: string
  tone: Tone
  /** A gap between two. */
  parts: readonly (readonly Place[])[]
  isFilled?: boolean
}

export interface Tick {
  at: number
  label: string
}

export interface Mark {
  at: number
  letter: string
  text: string
  isBad: boolean
}

export interface Chart {
  title: string
  /** The same for those who do not see the picture. */
  summary: string
  lines: readonly ChartLine[]
  xTicks: readonly Tick[]
  yTicks: readonly Tick[]
  marks?: readonly Mark[]
  /** What the pointer is told over a part of the width. */
  hints?: readonly { from: number; to: number; text: string }[]
  table: Child
}

/** Room for the highest label, and above it for the letters of marks. */
const topOf = (marks: readonly Mark[]): number => (marks.length === 0 ? 18 : 32)
const plotHeight = 170
const bottom = 24
const unitsAcross = 1_000

const place = (x: number, y: number): string =>
  `${coordinate(x * unitsAcross)} ${coordinate((1 - y) * unitsAcross)}`

const polyline = (part: readonly Place[]): string => part.map(({ x, y }) => place(x, y)).join('L')

const pathOf = (line: ChartLine): Markup[] => {
  const shown = line.parts.filter((part) => part.length > 0)
  const area = shown.map((part) => {
    const [first, last] = [part[0] as Place, part.at(-1) as Place]
    return `M${place(first.x, 0)}L${polyline(part)}L${place(last.x, 0)}Z`
  })
  return [
    ...(line.isFilled ? [el('path', { class: 'area', d: area.join('') })] : []),
    el('path', {
      class: `line ${line.tone}`,
      d: shown.map((part) => `M${polyline(part)}`).join(''),
    }),
  ]
}

/** Words at the ends stay inside. */
export const anchorOf = (at: number): string | null =>
  at < 0.04 ? null : at > 0.94 ? 'end' : 'middle'

const xLabels = (ticks: readonly Tick[], top: number): Markup[] =>
  ticks.map(({ at, label }) =>
    el('text', { x: percent(at), y: top + plotHeight + 17, class: anchorOf(at) }, label),
  )

const yGrid = (ticks: readonly Tick[], top: number): Markup[] =>
  ticks.map(({ at }) => {
    const y = coordinate(top + (1 - at) * plotHeight)
    return el('line', { class: at === 0 ? 'axis' : 'grid', x1: 0, x2: '100%', y1: y, y2: y })
  })

/** Over the lines, with a halo; not on the floor, where the x axis speaks. */
const yLabels = (ticks: readonly Tick[], top: number): Markup[] =>
  ticks
    .filter(({ at }) => at > 0)
    .map(({ at, label }) =>
      el('text', { class: 'halo', x: 0, y: coordinate(top + (1 - at) * plotHeight - 4) }, label),
    )

const nearestLetter = 0.03

const markLines = (marks: readonly Mark[], top: number): Markup[] => {
  let lastAt = Number.NEGATIVE_INFINITY
  return marks.map(({ at, letter, text, isBad }) => {
    const hasRoom = at - lastAt >= nearestLetter
    if (hasRoom) lastAt = at
    const x = percent(at)
    return el(
      'g',
      {},
      el('title', {}, text),
      el('line', {
        class: isBad ? 'mark bad' : 'mark',
        x1: x,
        x2: x,
        y1: 15,
        y2: top + plotHeight,
      }),
      hasRoom ? el('text', { class: anchorOf(at) ?? null, x, y: 11 }, letter) : null,
    )
  })
}

const legend = (lines: readonly ChartLine[]): Markup | null =>
  lines.length < 2
    ? null
    : el(
        'ul',
        { class: 'legend' },
        ...lines.map(({ name, tone }) =>
          el(
            'li',
            {},
            el(
              'svg',
              { 'aria-hidden': 'true' },
              el('line', { class: `line ${tone}`, x1: 0, x2: '100%', y1: 6, y2: 6 }),
            ),
            name,
          ),
        ),
      )

/** The frame of every figure: what it shows, the picture, and the same as a table. */
export const figure = (parts: {
  title: string
  note?: string
  legend?: Child
  picture: Markup
  table: Child
}): Markup =>
  el(
    'figure',
    {},
    el(
      'figcaption',
      {},
      el('strong', {}, parts.title),
      parts.note === undefined ? null : join([' ', parts.note]),
    ),
    parts.legend ?? null,
    parts.picture,
    parts.table === null
      ? null
      : el('details', {}, el('summary', {}, 'The same as a table'), parts.table),
  )

/** An SVG of full width that is one image to a screen reader. */
export const picture = (label: string, height: number, ...children: readonly Child[]): Markup =>
  el('svg', { role: 'img', 'aria-label': label, height }, ...children)

export const drawChart = (chart: Chart, note?: string): Markup => {
  const { title, summary, lines, xTicks, yTicks, marks = [], hints = [], table } = chart
  const top = topOf(marks)
  return figure({
    title,
    ...(note === undefined ? {} : { note }),
    legend: legend(lines),
    picture: picture(
      `${title}: ${summary}`,
      top + plotHeight + bottom,
      ...yGrid(yTicks, top),
      el(
        'svg',
        {
          y: top,
          width: '100%',
          height: plotHeight,
          viewBox: `0 0 ${unitsAcross} ${unitsAcross}`,
          preserveAspectRatio: 'none',
          overflow: 'visible',
        },
        ...lines.flatMap(pathOf),
      ),
      ...yLabels(yTicks, top),
      ...hints.map(({ from, to, text }) =>
        el(
          'rect',
          {
            class: 'hit',
            x: percent(from),
            y: top,
            width: percent(to - from),
            height: plotHeight,
          },
          el('title', {}, text),
        ),
      ),
      ...markLines(marks, top),
      ...xLabels(xTicks, top),
    ),
    table,
  })
}

import type { ConsumerResult, RunResult } from '../../results/result.ts'
import { formatPartitions, formatSeconds } from '../format.ts'
import { figure, picture } from './chart.ts'
import { hasStarted } from './events.ts'
import { type Child, coordinate, el, type Markup, percent } from './markup.ts'
import { endOf, timeTicks } from './over-time.ts'
import { dataTable } from './page.ts'

/** Members × time: who held which partitions when, and when each generation began. */

interface Span {
  fromMs: number
  toMs: number
  generation: number
  partitions: readonly number[]
  /** Settled in a generation without a partition, unlike between two generations. */
  isIdle: boolean
}

const spansOf = ({ assignments = [] }: ConsumerResult, endMs: number): Span[] =>
  assignments.map(({ atMs, generation, partitions }, index) => ({
    fromMs: atMs,
    toMs: assignments[index + 1]?.atMs ?? endMs,
    generation,
    partitions,
    isIdle: partitions.length === 0 && assignments[index - 1]?.generation !== generation,
  }))

const rowHeight = 42
const barHeight = 18
const top = 6
const bottom = 24
/** More rows than can be read say nothing; the table has all. */
const mostRows = 40

const labelOf = ({ partitions, isIdle }: Span): string =>
  isIdle ? 'none' : formatPartitions(partitions)

const bar = (span: Span, endMs: number, y: number): Markup | null => {
  if (span.partitions.length === 0 && !span.isIdle) return null
  const what = span.isIdle ? 'no partition' : `partitions ${labelOf(span)}`
  const generation = span.generation < 0 ? '' : `, generation ${span.generation}`
  return el(
    'svg',
    {
      x: percent(span.fromMs / endMs),
      y,
      width: percent((span.toMs - span.fromMs) / endMs),
      height: barHeight,
    },
    el(
      'title',
      {},
      `${formatSeconds(span.fromMs)} to ${formatSeconds(span.toMs)}: ${what}${generation}`,
    ),
    el('rect', {
      class: span.isIdle ? 'idle' : 'owned',
      width: '100%',
      height: '100%',
      rx: 3,
    }),
    el('text', { class: span.isIdle ? 'inidle' : 'inbar', x: 5, y: 13 }, labelOf(span)),
  )
}

const row = (consumer: ConsumerResult, index: number, endMs: number): Markup => {
  const y = top + index * rowHeight
  const middle = coordinate(y + 16 + barHeight / 2)
  return el(
    'g',
    {},
    el('text', { class: 'halo strong', x: 0, y: y + 11 }, consumer.name),
    hasStarted(consumer)
      ? el('line', {
          class: 'life',
          x1: percent(consumer.startedAtMs / endMs),
          x2: '100%',
          y1: middle,
          y2: middle,
        })
      : null,
    ...spansOf(consumer, endMs).map((span) => bar(span, endMs, y + 16)),
  )
}

/** When the first member had an assignment of each generation. */
const generationsOf = (consumers: readonly ConsumerResult[]): [number, number][] => {
  const begins = new Map<number, number>()
  for (const { assignments = [] } of consumers) {
    for (const { generation, atMs } of assignments) {
      if (generation < 0) continue
      begins.set(generation, Math.min(begins.get(generation) ?? atMs, atMs))
    }
  }
  return [...begins]
}

const generationLines = (consumers: readonly ConsumerResult[], endMs: number, height: number) =>
  generationsOf(consumers).map(([generation, atMs]) => {
    const x = percent(atMs / endMs)
    return el(
      'g',
      {},
      el('title', {}, `${formatSeconds(atMs)}: generation ${generation} begins`),
      el('line', { class: 'mark', x1: x, x2: x, y1: 0, y2: height }),
    )
  })

const spanTable = (consumers: readonly ConsumerResult[], endMs: number): Markup =>
  dataTable(
    'Members over time',
    ['Member', 'From', 'To', 'Generation', 'Partitions'],
    consumers.flatMap((consumer) =>
      spansOf(consumer, endMs).map((span) => ({
        cells: [
          consumer.name,
          formatSeconds(span.fromMs),
          formatSeconds(span.toMs),
          span.generation < 0 ? 'n/a' : `${span.generation}`,
          span.partitions.length === 0 && !span.isIdle ? 'revoked' : labelOf(span),
        ],
      })),
    ),
  )

/** Null without members, and for results that do not know when a member held what. */
export const membersChart = (result: RunResult): Child => {
  const { consumers } = result
  if (consumers.every(({ assignments = [] }) => assignments.length === 0)) return null
  const endMs = endOf(result)
  const shown = consumers.slice(0, mostRows)
  const height = top + shown.length * rowHeight
  const rest = consumers.length - shown.length
  return figure({
    title: 'Members over time',
    note: `with the partitions that each held; a thin line is a member without any, a dotted one the beginning of a generation.${
      rest > 0 ? ` ${rest} more members are in the table.` : ''
    }`,
    picture: picture(
      `Members over time: ${shown
        .map(({ name, partitions }) => `${name} held ${formatPartitions(partitions)} last`)
        .join('; ')}`,
      height + bottom,
      ...generationLines(shown, endMs, height),
      ...shown.map((consumer, index) => row(consumer, index, endMs)),
      el('line', { class: 'axis', x1: 0, x2: '100%', y1: height, y2: height }),
      ...timeTicks(endMs).map(({ at, label }) =>
        el(
          'text',
          {
            x: percent(at),
            y: height + 17,
            class: at < 0.04 ? null : at > 0.94 ? 'end' : 'middle',
          },
          label,
        ),
      ),
    ),
    table: spanTable(consumers, endMs),
  })
}

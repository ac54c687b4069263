import type { ConsumerResult, RunResult } from '../../results/result.ts'
import { formatPartitions, formatSeconds } from '../format.ts'
import { hasStarted } from './events.ts'
import { drawGantt, type HeldSpan } from './gantt.ts'
import type { Child, Markup } from './markup.ts'
import { endOf } from './over-time.ts'
import { dataTable } from './page.ts'

/** The members of a run over time. */

interface Span extends HeldSpan {
  /** Between two generations, unlike settled in one without a partition. */
  isRevoked: boolean
}

const spansOf = ({ assignments = [] }: ConsumerResult, endMs: number): Span[] =>
  assignments.map(({ atMs, generation, partitions }, index) => ({
    fromMs: atMs,
    toMs: assignments[index + 1]?.atMs ?? endMs,
    generation,
    partitions,
    isRevoked: partitions.length === 0 && assignments[index - 1]?.generation === generation,
  }))

/** When the first member had an assignment of each generation. */
const generationsOf = (consumers: readonly ConsumerResult[]) => {
  const begins = new Map<number, number>()
  for (const { assignments = [] } of consumers) {
    for (const { generation, atMs } of assignments) {
      if (generation < 0) continue
      begins.set(generation, Math.min(begins.get(generation) ?? atMs, atMs))
    }
  }
  return [...begins].map(([generation, atMs]) => ({ generation, atMs }))
}

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
          span.isRevoked ? 'revoked' : formatPartitions(span.partitions),
        ],
      })),
    ),
  )

/** Null without members, and for results that do not know when a member held what. */
export const membersChart = (result: RunResult): Child => {
  const { consumers } = result
  if (consumers.every(({ assignments = [] }) => assignments.length === 0)) return null
  const endMs = endOf(result)
  return drawGantt({
    title: 'Members over time',
    note: 'with the partitions that each held; a thin line is a member without any, a dotted one the beginning of a generation.',
    endMs,
    rows: consumers.map((consumer) => ({
      name: consumer.name,
      lives: hasStarted(consumer) ? [{ fromMs: consumer.startedAtMs, toMs: endMs }] : [],
      held: spansOf(consumer, endMs).filter(({ isRevoked }) => !isRevoked),
      marks: [],
    })),
    generations: generationsOf(consumers),
    table: spanTable(consumers, endMs),
  })
}

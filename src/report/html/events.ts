import type { ConsumerResult, RunResult } from '../../results/result.ts'
import { formatCount, formatMilliseconds, formatPartitions, formatSeconds } from '../format.ts'
import { type Child, join } from './markup.ts'
import { dataTable } from './page.ts'

/** What happened during a run that may explain a step in a line: each with a letter for the pictures. */

export interface RunEvent {
  atMs: number
  letter: 'J' | 'R' | 'G' | 'F'
  text: string
  isBad: boolean
}

/** Some are not started any more when all is read before their turn. */
export const hasStarted = ({ startedAtMs, memberId }: ConsumerResult): boolean =>
  startedAtMs > 0 || memberId !== null

const joins = ({ consumers }: RunResult): RunEvent[] =>
  consumers.filter(hasStarted).map(({ name, startedAtMs }) => ({
    atMs: startedAtMs,
    letter: 'J',
    text: `${name} was started and joins`,
    isBad: false,
  }))

/** A generation begins when its first member has its assignment; without generations every assignment is told. */
const rebalances = ({ consumers }: RunResult): RunEvent[] => {
  const seen = new Set<number>()
  return consumers
    .flatMap(({ name, assignments = [] }) => assignments.map((one) => ({ name, ...one })))
    .toSorted((a, b) => a.atMs - b.atMs)
    .flatMap(({ name, atMs, generation, partitions }) => {
      if (generation >= 0 ? seen.has(generation) : partitions.length === 0) return []
      seen.add(generation)
      const text =
        generation >= 0
          ? `generation ${generation} begins`
          : `${name} is assigned ${formatPartitions(partitions)}`
      return [{ atMs, letter: 'R' as const, text, isBad: false }]
    })
}

const collections = ({ resources }: RunResult): RunEvent[] =>
  (resources?.generator.gcPauses ?? []).map(({ atMs, durationMs }) => ({
    atMs,
    letter: 'G',
    text: `the generator collects garbage for ${formatMilliseconds(durationMs * 1_000)} ms`,
    isBad: true,
  }))

const failures = ({ timeline }: RunResult): RunEvent[] =>
  timeline
    .filter(({ failed }) => failed > 0)
    .map(({ atMs, failed }) => ({
      atMs,
      letter: 'F',
      text: `${formatCount(failed)} failed in the interval that ends here`,
      isBad: true,
    }))

/** In the order of time. */
export const eventsOf = (result: RunResult): RunEvent[] =>
  [joins, rebalances, collections, failures]
    .flatMap((list) => list(result))
    .toSorted((a, b) => a.atMs - b.atMs)

const words = {
  J: 'J a member joins',
  R: 'R the group rebalances',
  G: 'G a garbage collection over 50 ms',
  F: 'F records fail',
} as const

/** What the letters mean that occur; null without events. */
export const eventLegend = (events: readonly RunEvent[]): string | null => {
  const letters = [...new Set(events.map(({ letter }) => letter))]
  return letters.length === 0 ? null : letters.map((letter) => words[letter]).join(', ')
}

export const eventTable = (events: readonly RunEvent[]): Child =>
  events.length === 0
    ? null
    : join([
        dataTable(
          'Events',
          ['At', 'Event'],
          events.map(({ atMs, text, isBad }) => ({
            cells: [formatSeconds(atMs), text],
            style: isBad ? 'bad' : null,
          })),
        ),
      ])

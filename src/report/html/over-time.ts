import { isCovered } from '../../results/percentile.ts'
import type { RunResult, TimelinePoint } from '../../results/result.ts'
import {
  formatCount,
  formatMilliseconds,
  formatRate,
  formatSeconds,
  formatValue,
} from '../format.ts'
import { type ChartLine, drawChart, type Mark, type Place, type Tick } from './chart.ts'
import { eventLegend, eventsOf, eventTable, type RunEvent } from './events.ts'
import { type Child, el } from './markup.ts'
import { dataTable } from './page.ts'
import { linearScale, logScale, type Scale } from './scale.ts'

/** A run by the second: rate, latency and lag under the same marks. */

interface Interval extends TimelinePoint {
  fromMs: number
  recordsPerSec: number
}

const mostIntervals = 240

const highest = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

const merge = (points: readonly Interval[]): Interval => {
  const [first, last] = [points[0] as Interval, points.at(-1) as Interval]
  const sum = (of: (point: Interval) => number): number =>
    points.reduce((total, point) => total + of(point), 0)
  const records = sum((point) => point.records)
  return {
    ...last,
    fromMs: first.fromMs,
    records,
    failed: sum((point) => point.failed),
    bytes: sum((point) => point.bytes),
    recordsPerSec: (records * 1_000) / (last.atMs - first.fromMs),
    p50Us: highest(points.map(({ p50Us }) => p50Us)),
    p99Us: highest(points.map(({ p99Us }) => p99Us)),
  }
}

/** A last interval of a few ms would make a rate of its own; it is counted with the one before. */
const withoutStub = (points: readonly Interval[]): Interval[] => {
  const [before, last] = points.slice(-2)
  if (before === undefined || last === undefined) return [...points]
  const isStub = last.atMs - last.fromMs < (before.atMs - before.fromMs) / 2
  return isStub ? [...points.slice(0, -2), merge([before, last])] : [...points]
}

/**
 * No more than can be seen; those put together show the highest of their latencies. A percentile without samples enough
 * in its interval is left out.
 */
export const intervalsOf = (timeline: readonly TimelinePoint[]): Interval[] => {
  const points = timeline
    .map((point, index): Interval => {
      const fromMs = timeline[index - 1]?.atMs ?? 0
      return {
        ...point,
        fromMs,
        recordsPerSec: (point.records * 1_000) / (point.atMs - fromMs),
        p50Us: isCovered(point.records, 'p50') ? point.p50Us : null,
        p99Us: isCovered(point.records, 'p99') ? point.p99Us : null,
      }
    })
    .filter(({ atMs, fromMs }) => atMs > fromMs)
  const whole = withoutStub(points)
  const size = Math.ceil(whole.length / mostIntervals)
  return Array.from({ length: Math.ceil(whole.length / Math.max(1, size)) }, (_, index) =>
    merge(whole.slice(index * size, (index + 1) * size)),
  )
}

/** The span that all pictures over time share. */
export const endOf = (result: RunResult): number =>
  Math.max(
    1,
    ...result.timeline.map(({ atMs }) => atMs),
    ...result.consumers.flatMap(({ startedAtMs, assignments = [] }) => [
      startedAtMs,
      ...assignments.map(({ atMs }) => atMs),
    ]),
  )

/** Round seconds, with the unit. */
export const timeTicks = (endMs: number): Tick[] =>
  linearScale(0, endMs / 1_000, 7)
    .ticks.filter((second) => second * 1_000 <= endMs * 1.0001)
    .map((second) => ({ at: (second * 1_000) / endMs, label: `${formatValue(second)}s` }))

/** Level over each interval; null leaves a gap. */
const steps = (
  intervals: readonly Interval[],
  endMs: number,
  y: (interval: Interval) => number | null,
): Place[][] => {
  const parts: Place[][] = [[]]
  for (const interval of intervals) {
    const height = y(interval)
    if (height === null) parts.push([])
    else {
      const [from, to] = [interval.fromMs / endMs, interval.atMs / endMs]
      parts.at(-1)?.push({ x: from, y: height }, { x: to, y: height })
    }
  }
  return parts
}

const marksOf = (events: readonly RunEvent[], endMs: number): Mark[] =>
  events.map(({ atMs, letter, text, isBad }) => ({
    at: Math.min(1, Math.max(0, atMs / endMs)),
    letter,
    isBad,
    text: `${formatSeconds(atMs)}: ${text}`,
  }))

const span = ({ fromMs, atMs }: Interval): string =>
  `${formatSeconds(fromMs)} to ${formatSeconds(atMs)}`

const level = (name: string, tone: ChartLine['tone'], height: number): ChartLine => ({
  name,
  tone,
  parts: [
    [
      { x: 0, y: height },
      { x: 1, y: height },
    ],
  ],
})

interface Scene {
  result: RunResult
  intervals: readonly Interval[]
  endMs: number
  marks: readonly Mark[]
}

const hints = ({ intervals, endMs }: Scene, text: (interval: Interval) => string) =>
  intervals.map((interval) => ({
    from: interval.fromMs / endMs,
    to: interval.atMs / endMs,
    text: `${span(interval)}: ${text(interval)}`,
  }))

const ticksOf = (scale: Scale, label: (value: number) => string): Tick[] =>
  scale.ticks.map((tick) => ({ at: scale.at(tick), label: label(tick) }))

const rateChart = (scene: Scene): Child => {
  const { result, intervals, endMs, marks } = scene
  const asked = result.config['rateRecordsPerSec']
  const offered = typeof asked === 'number' ? asked : null
  const rates = intervals.map(({ recordsPerSec }) => recordsPerSec)
  const y = linearScale(0, Math.max(...rates, offered ?? 0, 1))
  return drawChart({
    title: 'Rate over time',
    summary: `${formatRate(Math.min(...rates))} to ${formatRate(Math.max(...rates))} records per second`,
    lines: [
      {
        name: 'achieved',
        tone: 'one',
        isFilled: true,
        parts: steps(intervals, endMs, ({ recordsPerSec }) => y.at(recordsPerSec)),
      },
      ...(offered === null ? [] : [level('offered', 'asked', y.at(offered))]),
    ],
    xTicks: timeTicks(endMs),
    yTicks: ticksOf(y, (value) => `${formatRate(value)}/s`),
    marks,
    hints: hints(scene, (one) => `${formatRate(one.recordsPerSec)} records/s`),
    table: dataTable(
      'Rate over time',
      ['Time', 'Records', 'Records/s', 'Failed'],
      intervals.map((one) => ({
        cells: [
          span(one),
          formatCount(one.records),
          formatRate(one.recordsPerSec),
          formatCount(one.failed),
        ],
        style: one.failed > 0 ? 'bad' : null,
      })),
    ),
  })
}

const inMs = (us: number | null): string => (us === null ? 'n/a' : formatMilliseconds(us))

const latencyChart = (scene: Scene): Child => {
  const { intervals, endMs, marks } = scene
  const values = intervals.flatMap(({ p50Us, p99Us }) => [p50Us, p99Us])
  const known = values.filter((us) => us !== null).map((us) => Math.max(1, us))
  if (known.length === 0) return null
  const y = logScale(Math.min(...known), Math.max(...known))
  const heights = (of: 'p50Us' | 'p99Us') => (one: Interval) => {
    const us = one[of]
    return us === null ? null : y.at(us)
  }
  return drawChart(
    {
      title: 'Latency over time',
      summary: `p50 and p99 of each interval, ${inMs(Math.min(...known))} to ${inMs(Math.max(...known))} ms`,
      lines: [
        { name: 'p50', tone: 'one', parts: steps(intervals, endMs, heights('p50Us')) },
        { name: 'p99', tone: 'two', parts: steps(intervals, endMs, heights('p99Us')) },
      ],
      xTicks: timeTicks(endMs),
      yTicks: ticksOf(y, (us) => `${formatValue(us / 1_000)} ms`),
      marks,
      hints: hints(scene, (one) => `p50 ${inMs(one.p50Us)} ms, p99 ${inMs(one.p99Us)} ms`),
      table: dataTable(
        'Latency over time',
        ['Time', 'p50 (ms)', 'p99 (ms)'],
        intervals.map((one) => ({ cells: [span(one), inMs(one.p50Us), inMs(one.p99Us)] })),
      ),
    },
    'on a logarithmic axis.',
  )
}

const lagChart = (scene: Scene): Child => {
  const { intervals, endMs, marks } = scene
  const lags = intervals.flatMap(({ lag }) => lag ?? [])
  // One point is no line.
  if (lags.length < 2) return null
  // Records are whole.
  const y = linearScale(0, Math.max(...lags, 4))
  return drawChart({
    title: 'Lag over time',
    summary: `${formatCount(Math.max(...lags))} records to read at most, ${formatCount(lags.at(-1) ?? 0)} at the end`,
    lines: [
      {
        name: 'records still to read',
        tone: 'one',
        isFilled: true,
        parts: [
          intervals.flatMap(({ atMs, lag }) =>
            lag === undefined ? [] : [{ x: atMs / endMs, y: y.at(lag) }],
          ),
        ],
      },
    ],
    xTicks: timeTicks(endMs),
    yTicks: ticksOf(y, formatRate),
    marks,
    hints: hints(scene, ({ lag }) => `${lag === undefined ? 'n/a' : formatCount(lag)} to read`),
    table: dataTable(
      'Lag over time',
      ['At', 'Records to read'],
      intervals.map(({ atMs, lag }) => ({
        cells: [formatSeconds(atMs), lag === undefined ? 'n/a' : formatCount(lag)],
      })),
    ),
  })
}

/** Rate, latency and lag, as far as they were measured. */
export const timeCharts = (result: RunResult): Child[] => {
  const intervals = intervalsOf(result.timeline)
  if (intervals.length === 0) return []
  const endMs = endOf(result)
  const events = eventsOf(result)
  const scene = { result, intervals, endMs, marks: marksOf(events, endMs) }
  const legend = eventLegend(events)
  return [
    legend === null ? null : el('p', { class: 'muted' }, `Marks: ${legend}.`),
    rateChart(scene),
    latencyChart(scene),
    lagChart(scene),
    events.length === 0
      ? null
      : el('details', {}, el('summary', {}, 'All marks as a table'), eventTable(events)),
  ]
}

/** The picture's data: who was there, who owned what, and what happened when. A pure function of the evidence. */
import type { ScenarioMark, ScenarioRow, ScenarioTimeline } from '../results/scenario-result.ts'
import type { Evidence, Life } from './evidence.ts'

type Owned = ScenarioRow['owned']

/** Spans of one life; a span without partitions is left out. */
const ownedSpans = ({ events, startedAtMs, endedAtMs }: Life, endMs: number): Owned => {
  const spans: Owned = []
  let since = startedAtMs
  let partitions: readonly number[] = []
  const change = (atMs: number, next: readonly number[]): void => {
    if (partitions.length > 0 && atMs > since) {
      spans.push({ fromMs: since, toMs: atMs, partitions: partitions.toSorted((a, b) => a - b) })
    }
    since = atMs
    partitions = next
  }
  for (const event of events) {
    if (event.type === 'assigned') change(event.atMs, event.partitions)
    else if (event.type === 'left') change(event.atMs, [])
    else if (event.type === 'revoked') {
      const gone = event.partitions
      change(event.atMs, gone === null ? [] : partitions.filter((one) => !gone.includes(one)))
    }
  }
  change(Math.min(endedAtMs ?? endMs, endMs), [])
  return spans.filter(({ fromMs }) => fromMs < endMs)
}

const rowsOf = ({ lives }: Evidence, endMs: number): ScenarioRow[] => {
  const rows = new Map<string, ScenarioRow>()
  for (const life of lives) {
    const { member, startedAtMs, endedAtMs } = life
    const row = rows.get(member) ?? { member, lives: [], owned: [] }
    row.lives.push({ fromMs: startedAtMs, toMs: Math.min(endedAtMs ?? endMs, endMs) })
    row.owned.push(...ownedSpans(life, endMs))
    rows.set(member, row)
  }
  return [...rows.values()]
}

const marksOf = ({ steps, faults, lives }: Evidence, endMs: number): ScenarioMark[] => {
  const acted = steps.flatMap(({ action, members, atMs }) =>
    action === null
      ? []
      : members.map((member): ScenarioMark => ({ atMs, member, kind: action, text: action })),
  )
  const failed = faults.map(
    ({ atMs, member, text }): ScenarioMark => ({ atMs, member, kind: 'fault', text }),
  )
  const gone = lives
    .filter(({ end }) => end === 'gave-up')
    .map(({ endedAtMs, member, problem }): ScenarioMark => {
      return { atMs: endedAtMs ?? endMs, member, kind: 'end', text: problem ?? 'ended by itself' }
    })
  return [...acted, ...failed, ...gone].toSorted((a, b) => a.atMs - b.atMs)
}

/** Ends where the story was over: what the members did when they were told to stop is not part of it. */
export const timelineOf = (evidence: Evidence): ScenarioTimeline => {
  const endMs = evidence.snapshot.atMs
  const generations = evidence.generations
    .map(({ beganAtUs, generationId }) => ({
      atMs: Math.round(beganAtUs / 1e3 + evidence.recordingStartMs),
      generation: generationId,
    }))
    .filter(({ atMs }) => atMs <= endMs)
  return { endMs, rows: rowsOf(evidence, endMs), generations, marks: marksOf(evidence, endMs) }
}

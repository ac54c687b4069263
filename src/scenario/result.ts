/** One play of a scenario as its result: evidence, checks, picture and explanation put together. */
import { explain } from '../recorder/explain.ts'
import { readBenchVersion, readEnvironment } from '../results/environment.ts'
import type { Check } from '../results/result.ts'
import type {
  ScenarioMemberResult,
  ScenarioResult,
  ScenarioTimeline,
} from '../results/scenario-result.ts'
import { MemberMissing } from './cast.ts'
import { checksOf } from './checks.ts'
import { type Evidence, type Life, ownedBy } from './evidence.ts'
import { type Reading, readingOf } from './reading.ts'
import { playScenario, type RunParts } from './run.ts'
import { timelineOf } from './timeline.ts'

const explainedExchanges = 12
const noTimeline: ScenarioTimeline = { endMs: 0, rows: [], generations: [], marks: [] }

const generationsSeen = ({ events }: Life): number[] => {
  const seen = events.flatMap((event) =>
    (event.type === 'assigned' || event.type === 'generation') && event.generation >= 0
      ? [event.generation]
      : [],
  )
  return [...new Set(seen)]
}

const maxErrors = 10

const errorsOf = ({ events, problem }: Life): string[] => {
  const told = events.flatMap((event) => (event.type === 'error' ? [event.message] : []))
  return [...new Set([...told, ...(problem === null ? [] : [problem])])].slice(0, maxErrors)
}

const memberResult = (
  life: Life,
  index: number,
  { snapshot }: Evidence,
  { ledger }: Reading,
): ScenarioMemberResult => {
  const { events, batches, startedAtMs, endedAtMs, end } = life
  const ids = events.flatMap((event) =>
    event.type === 'assigned' || event.type === 'generation' ? [event.memberId] : [],
  )
  const first = events.find((event) => event.type === 'assigned' && event.partitions.length > 0)
  const firstBatch = batches.find(({ runs }) => runs.length > 0)
  const isAtEnd = endedAtMs === null || endedAtMs > snapshot.atMs
  const lastOwned = ownedBy(life, isAtEnd ? snapshot.atMs : Number.POSITIVE_INFINITY)
  return {
    name: life.member,
    life: life.number,
    client: life.client,
    memberIds: [...new Set(ids.filter((id) => id !== null))],
    startedAtMs,
    firstAssignmentMs: first?.type === 'assigned' ? first.atMs - startedAtMs : null,
    firstRecordMs: firstBatch === undefined ? null : firstBatch.atMs - startedAtMs,
    generations: generationsSeen(life),
    partitions: [...(lastOwned ?? [])].toSorted((a, b) => a - b),
    records: ledger.recordsOf(index),
    end: isAtEnd ? 'stopped-at-end' : (end ?? 'stopped'),
    errors: errorsOf(life),
  }
}

const headOf = (parts: RunParts, startedAt: string) => {
  const { scenario, runId, defect, driver, bootstrapServers } = parts
  const { name, title, guards, source, topic } = scenario
  const broker = bootstrapServers === null ? `bench ${readBenchVersion()}, embedded` : ''
  return {
    schemaVersion: 1,
    kind: 'scenario',
    runId,
    scenario: name,
    ...{ title, guards: guards.trim(), source: source.trim(), defect, startedAt },
    environment: readEnvironment({ client: `${driver.name} ${driver.version}`, broker }),
    target: {
      kind: bootstrapServers === null ? 'embedded' : 'external',
      bootstrapServers: bootstrapServers?.join(',') ?? '',
    },
    partitionCount: topic.partitions,
  } as const
}

const nothing = { members: [], partitions: [], checks: [], explanation: [], warnings: [] }

/**
 * Plays a scenario and judges it. A member whose library is missing makes it skipped, not failed.
 * Rejects with a `SurroundingsError` when the broker cannot be used.
 */
export const runScenario = async (parts: RunParts): Promise<ScenarioResult> => {
  const { clock, runId, scenario, stop } = parts
  const startedAt = new Date(clock.epochMs()).toISOString()
  const startNs = clock.nowNs()
  const head = headOf(parts, startedAt)
  const elapsedMs = (): number => Math.round((clock.nowNs() - startNs) / 1e6)
  const without = (status: 'skipped', reason: string): ScenarioResult => ({
    ...{ ...head, ...nothing, status, reason, elapsedMs: elapsedMs(), timeline: noTimeline },
  })
  if (scenario.only === 'embedded' && parts.bootstrapServers !== null) {
    return without('skipped', 'needs the embedded broker')
  }
  try {
    const { evidence, target, left } = await playScenario(parts)
    const reading = readingOf(evidence, runId)
    const checks: Check[] = checksOf(evidence, reading)
    const haveHeld = checks.every(({ ok }) => ok)
    return {
      ...head,
      target: { ...head.target, bootstrapServers: target.connection.bootstrapServers.join(',') },
      status: stop.aborted ? 'interrupted' : haveHeld ? 'passed' : 'failed',
      reason: evidence.problem,
      elapsedMs: elapsedMs(),
      members: evidence.lives.map((life, index) => memberResult(life, index, evidence, reading)),
      partitions: [...reading.partitions],
      checks,
      timeline: timelineOf(evidence),
      explanation: haveHeld ? [] : explain(evidence.exchanges, { limit: explainedExchanges }),
      warnings: left.map((text) => ({
        code: 'not-deleted',
        text,
        advice: 'Delete it by hand or run bench clean.',
      })),
    }
  } catch (error) {
    if (error instanceof MemberMissing) return without('skipped', error.message)
    throw error
  }
}

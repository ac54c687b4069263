/** One scenario from its file to its evidence: sets the stage, plays the timeline, waits for the end, gathers. */
import type { ProduceLedger } from '../bench/produce-ledger.ts'
import { endsWithin, withTimeLimit } from '../bench/time-limit.ts'
import type { Driver, PartitionWatermarks } from '../clients/driver.ts'
import { type Clock, sleep } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { generationsOf, groupFactsOf } from '../recorder/group-facts.ts'
import type { Check } from '../results/result.ts'
import { newRunId } from '../results/run-id.ts'
import { Cast, findCommands } from './cast.ts'
import {
  type Evidence,
  type FaultSeen,
  type LogScan,
  livesAt,
  ownedBy,
  type Snapshot,
  type StepTaken,
} from './evidence.ts'
import { faultsOf } from './faults.ts'
import type { Scenario } from './load.ts'
import type { MemberClient } from './member-clients.ts'
import { probePace } from './pace.ts'
import { askProbes } from './probes.ts'
import { produceRecords, type RecordParts, scanLog } from './records.ts'
import type { ScenarioStep } from './schema.ts'
import { groupAtRest, isStuck, patienceMs } from './settle.ts'
import { openReference, openStage, type Stage } from './stage.ts'

export interface RunParts {
  readonly scenario: Scenario
  /** null: an embedded broker of its own. */
  readonly bootstrapServers: readonly string[] | null
  readonly defect: string | null
  readonly client: MemberClient
  /** Of the engine that produces and scans: kafkajs. */
  readonly driver: Driver
  readonly clock: Clock
  readonly runId: string
  readonly stop: AbortSignal
  readonly onProgress: (text: string) => void
}

/** What the story needs while it goes on. */
interface Story extends RunParts {
  readonly stage: Stage
  readonly cast: Cast
  readonly records: RecordParts
  readonly steps: StepTaken[]
  readonly produced: ProduceLedger[]
  before: PartitionWatermarks[]
  /** The producing that goes on beside the timeline; null when there is none, or it has ended. */
  producing: Promise<unknown> | null
}

const tickMs = 50
const minSessionMsOutside = 6_000
const describeLimitMs = 10_000
const killLimitMs = 10_000
const closeLimitMs = 30_000
/** Beyond so many records the log is read back only when the counts differ. */
const scanLimitRecords = 200_000

const longestSessionMs = ({ scenario, bootstrapServers }: RunParts): number => {
  const { group, members } = scenario
  const own = Object.values(members).map((member) => member.session ?? group.session)
  const floor = bootstrapServers === null ? 0 : minSessionMsOutside
  return Math.max(floor, group.session, ...own)
}

/** Without a group event for so long, nothing will move any more; who has no assignment yet has its time for one. */
const stuckLimitMs = (story: Story): number => {
  const { cast, scenario } = story
  const nowMs = cast.nowMs()
  const isWaiting = livesAt(cast.lives, nowMs).some((life) => ownedBy(life, nowMs) === null)
  const patience = patienceMs(longestSessionMs(story))
  return isWaiting ? Math.max(patience, scenario.checks.within) : patience
}

const startProducing = (story: Story): void => {
  const { scenario, records } = story
  if (scenario.produce === null) return
  const work = produceRecords(records, scenario.produce).then((ledger) => {
    story.produced.push(ledger)
  })
  story.producing = work.finally(() => {
    story.producing = null
  })
}

/** null once the group is well shared out and quiet; what is wrong with it when nothing moves any more. */
const awaitSettled = async (story: Story): Promise<string | null> => {
  const { cast, clock, scenario, stop, steps } = story
  const { partitions } = scenario.topic
  const sinceMs = steps.at(-1)?.atMs ?? 0
  for (;;) {
    const nowMs = cast.nowMs()
    const { isQuiet, problem } = groupAtRest(cast.lives, partitions, nowMs)
    if (problem === null && isQuiet) return null
    if (
      isStuck(cast.lives, nowMs, sinceMs, stuckLimitMs(story)) ||
      nowMs > scenario.limit ||
      stop.aborted
    ) {
      return problem ?? 'the group is not quiet'
    }
    await sleep(clock, tickMs, stop)
  }
}

/** null once every live member has an assignment, be it an empty one. */
const awaitAssigned = async ({ cast, clock, scenario, stop }: Story): Promise<string | null> => {
  for (;;) {
    const nowMs = cast.nowMs()
    const waiting = livesAt(cast.lives, nowMs).filter((life) => ownedBy(life, nowMs) === null)
    if (waiting.length === 0) return null
    if (nowMs > scenario.limit || stop.aborted) {
      return `${waiting.map(({ clientId }) => clientId).join(', ')} without an assignment`
    }
    await sleep(clock, tickMs, stop)
  }
}

/** null once every record has been read; else how many are left when nothing comes any more. */
const awaitDrained = async (story: Story): Promise<string | null> => {
  const { cast, clock, scenario, stage, stop } = story
  await story.producing
  const ends = await stage.admin.watermarks(stage.topic)
  const lagOf = (): number =>
    ends.reduce((sum, { partition, high }) => sum + Math.max(0, high - cast.position(partition)), 0)
  let lag = lagOf()
  let movedMs = cast.nowMs()
  while (lag > 0) {
    await sleep(clock, tickMs, stop)
    const now = lagOf()
    if (now < lag) movedMs = cast.nowMs()
    lag = now
    const nowMs = cast.nowMs()
    const isStalled = isStuck(cast.lives, nowMs, movedMs, stuckLimitMs(story))
    if (isStalled || nowMs > scenario.limit || stop.aborted) {
      return `${lag} records are left unread`
    }
  }
  return null
}

const awaitStep = async (
  story: Story,
  step: ScenarioStep,
  lastMs: number,
): Promise<string | null> => {
  const { cast, clock, stop } = story
  const dueMs = Math.max(step.at ?? 0, step.wait === null ? 0 : lastMs + step.wait)
  const waitUntilDue = async (): Promise<void> => {
    const leftMs = dueMs - cast.nowMs()
    if (leftMs > 0) await sleep(clock, leftMs, stop)
  }
  if (step.once === null) {
    await waitUntilDue()
    return null
  }
  let problem: string | null = null
  if (step.once === 'produced') await story.producing
  else if (step.once === 'settled') problem = await awaitSettled(story)
  else if (step.once === 'assigned') problem = await awaitAssigned(story)
  else problem = await awaitDrained(story)
  // The time counts from what was waited for.
  if (step.wait !== null) await sleep(clock, step.wait, stop)
  else await waitUntilDue()
  return problem
}

const playTimeline = async (story: Story): Promise<void> => {
  const { cast, scenario, steps, stop, onProgress } = story
  let lastMs = 0
  for (const step of scenario.timeline) {
    const problem = await awaitStep(story, step, lastMs)
    if (stop.aborted) return
    const { action, members } = step
    lastMs = cast.nowMs()
    const text = step.once === null ? null : problem === null ? null : `${step.once}: ${problem}`
    steps.push({ action, members, atMs: lastMs, problem: text })
    if (action === null) continue
    onProgress(`${action} ${members.join(', ')}`)
    if (action === 'produce') startProducing(story)
    else await cast.act(action, members)
  }
}

const takeSnapshot = async (story: Story): Promise<Snapshot> => {
  const { cast, stage, clock } = story
  story.onProgress('reading to the end')
  await awaitDrained(story)
  const unsettled = await awaitSettled(story)
  const described = await withTimeLimit(
    clock,
    describeLimitMs,
    'describe the group',
    stage.admin.groupMembers(stage.groupId),
  ).catch(() => null)
  return { atMs: cast.nowMs(), unsettled, described }
}

const scanIfNeeded = async (
  story: Story,
  after: readonly PartitionWatermarks[],
): Promise<LogScan | null> => {
  const { before, produced, cast, records } = story
  const delta = after.reduce((sum, one, index) => sum + one.high - (before[index]?.high ?? 0), 0)
  const acked = produced.reduce((sum, ledger) => sum + ledger.counts().acked, 0)
  const delivered = cast.lives.reduce(
    (sum, { batches }) =>
      sum + batches.reduce((n, { runs }) => n + runs.reduce((m, run) => m + run[1], 0), 0),
    0,
  )
  const isEven = delta === acked && delivered === after.reduce((sum, one) => sum + one.high, 0)
  if (isEven && delta > scanLimitRecords) return null
  return scanLog(records, before, after, produced)
}

const probe = async (
  story: Story,
  watermarks: readonly PartitionWatermarks[],
  committed: ReadonlyMap<number, number>,
): Promise<Check[]> => {
  const { scenario, stage, clock, bootstrapServers } = story
  const { admin, topic, groupId, recorder, connection } = stage
  if (scenario.probe.length === 0) return []
  story.onProgress('probes')
  const { host, port } = recorder.listening
  const checks = await askProbes(scenario.probe, {
    ...{ clock, topic, groupId, watermarks, committed },
    connection: { ...connection, clientId: 'probe', bootstrapServers: [`${host}:${port}`] },
    committedOf: (group) => admin.committedOffsets(group, topic),
  })
  if (!scenario.probe.includes('pace') || bootstrapServers !== null) return checks
  const endOffset = watermarks[0]?.high ?? 0
  const reference = await openReference({ scenario, clock }, topic)
  try {
    return [...checks, await probePace({ connection, topic, endOffset }, reference, clock)]
  } finally {
    await reference.close()
  }
}

const gather = async (
  story: Story,
  snapshot: Snapshot,
  faults: readonly FaultSeen[],
  recordingStartMs: number,
): Promise<Evidence> => {
  const { scenario, stage, cast, steps, produced, before } = story
  const { admin, topic, groupId, recorder } = stage
  const after = await admin.watermarks(topic)
  const committed = await admin.committedOffsets(groupId, topic).catch(() => new Map())
  const scan = await scanIfNeeded(story, after)
  const probes = await probe(story, after, committed)
  const exchanges = recorder.exchanges()
  const facts = groupFactsOf(exchanges, groupId)
  return {
    ...{ scenario, topic, lives: cast.lives, steps, faults, snapshot, before, after, committed },
    ...{ produced, scan, exchanges, facts, generations: generationsOf(facts), recordingStartMs },
    probes,
  }
}

const tell = async (story: Story): Promise<Snapshot> => {
  const { scenario, records, stage, onProgress } = story
  const { oldRecords } = scenario.topic
  if (oldRecords > 0) {
    onProgress('old records')
    const usual = {
      size: 256,
      concurrency: 64,
      rate: null,
      duration: null,
      when: 'before',
    } as const
    await produceRecords({ ...records, runId: newRunId() }, { ...usual, records: oldRecords })
  }
  story.before = await stage.admin.watermarks(stage.topic)
  if (scenario.produce?.when === 'before') {
    onProgress('produce')
    startProducing(story)
    await story.producing
  }
  story.cast.begin()
  if (story.scenario.produce?.when === 'during') startProducing(story)
  await playTimeline(story)
  return takeSnapshot(story)
}

/**
 * Plays the scenario once. Findings are in the evidence; rejects with a `SurroundingsError` when the broker cannot be
 * used and with a `MemberMissing` when a library is not installed. Leaves no process, topic or group behind.
 */
export const playScenario = async (
  parts: RunParts,
): Promise<{ evidence: Evidence; target: Pick<Stage, 'kind' | 'connection'>; left: string[] }> => {
  const { scenario, clock, runId, client, bootstrapServers } = parts
  const commands = await findCommands(scenario, client)
  const faults: FaultSeen[] = []
  let cast: Cast | null = null
  const faultOf = faultsOf(scenario.faults, clock, (member, text) => {
    faults.push({ atMs: cast?.nowMs() ?? 0, member, text })
  })
  const stage = await openStage({ ...parts, faultOf })
  let evidence: Evidence
  let left: string[] = []
  try {
    const { topic, groupId, recorder } = stage
    const { host, port } = recorder.listening
    const place = { bootstrapServers: [`${host}:${port}`], topic, groupId }
    const minSessionMs = bootstrapServers === null ? 0 : minSessionMsOutside
    cast = new Cast({ scenario, clock, client, minSessionMs, place }, commands)
    const records = { ...parts, stage, partitionCount: scenario.topic.partitions, runId }
    const story: Story = {
      ...{ ...parts, stage, cast, records, steps: [], produced: [], before: [], producing: null },
    }
    const snapshot = await tell(story)
    const recordingStartMs = (recorder.startedAtNs - clock.nowNs()) / 1e6 + cast.nowMs()
    await cast.stopAll()
    evidence = await gather(story, snapshot, faults, recordingStartMs)
  } finally {
    await endsWithin(clock, killLimitMs, cast?.killAll() ?? Promise.resolve())
    left = await withTimeLimit(clock, closeLimitMs, 'clean up', stage.close()).catch((error) => [
      messageOf(error),
    ])
  }
  return { evidence, target: stage, left }
}

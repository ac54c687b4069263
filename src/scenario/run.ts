/** One scenario from its file to its evidence: sets the stage, plays the timeline, waits for the end, gathers. */
import { setMaxListeners } from 'node:events'
import { endsWithin, withTimeLimit } from '../bench/time-limit.ts'
import type { Driver, PartitionWatermarks } from '../clients/driver.ts'
import { type Clock, sleep } from '../clock.ts'
import { messageOf, SurroundingsError, UsageError } from '../errors.ts'
import type { Check } from '../results/result.ts'
import { newRunId } from '../results/run-id.ts'
import { Cast, findCommands } from './cast.ts'
import type { Evidence, FaultSeen, LogScan, Snapshot } from './evidence.ts'
import { faultsOf } from './faults.ts'
import type { Scenario } from './load.ts'
import type { MemberClient } from './member-clients.ts'
import { probePace } from './pace.ts'
import { askProbes } from './probes.ts'
import { produceRecords, scanLog } from './records.ts'
import type { ScenarioStep } from './schema.ts'
import { openReference, openStage, prepareTopic, refuseUnreachable, type Stage } from './stage.ts'
import {
  awaitAssigned,
  awaitDrained,
  awaitSettled,
  evidenceSoFar,
  minSessionMsOutside,
  type Story,
  startProducing,
  watchVerdict,
} from './story.ts'

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
  /** Only whether it passes is asked: it ends with the first check that has failed for good, producing with the timeline. */
  readonly isBrief: boolean
  readonly onProgress: (text: string) => void
}

const settledProducingMs = 400
const describeLimitMs = 10_000
const killLimitMs = 10_000
const closeLimitMs = 30_000
/** Beyond so many records the log is read back only when the counts differ. */
const scanLimitRecords = 200_000

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
  const { cast, stage, clock, endProducing } = story
  story.onProgress('reading to the end')
  if (endProducing !== null) {
    await awaitSettled(story)
    // Records of the settled group: only its owners can read them, and are seen to have come so far.
    await sleep(clock, settledProducingMs, story.stop)
    endProducing()
  }
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
  const { scenario, stage, clock, isOutside } = story
  const { admin, topic, groupId, recorder, connection } = stage
  if (scenario.probe.length === 0) return []
  story.onProgress('probes')
  const { host, port } = recorder.listening
  const checks = await askProbes(scenario.probe, {
    ...{ clock, topic, groupId, watermarks, committed },
    connection: { ...connection, clientId: 'probe', bootstrapServers: [`${host}:${port}`] },
    committedOf: (group) => admin.committedOffsets(group, topic),
  })
  if (!scenario.probe.includes('pace') || isOutside) return checks
  const endOffset = watermarks[0]?.high ?? 0
  const reference = await openReference({ scenario, clock }, topic)
  try {
    return [...checks, await probePace({ connection, topic, endOffset }, reference, clock)]
  } finally {
    await reference.close()
  }
}

const gather = async (story: Story, snapshot: Snapshot): Promise<Evidence> => {
  const { stage, produced, before } = story
  const { admin, topic, groupId } = stage
  const after = await admin.watermarks(topic)
  const committed = await admin.committedOffsets(groupId, topic).catch(() => new Map())
  const scan = await scanIfNeeded(story, after)
  const probes = await probe(story, after, committed)
  const ended = { isCutShort: false, problem: null }
  return {
    ...evidenceSoFar(story),
    ...{ ...ended, snapshot, before, after, committed, produced, scan, probes },
  }
}

/** What there is of a story that was given up. */
const gatherCutShort = (story: Story, problem: string | null): Evidence => {
  const { cast, produced, before } = story
  const snapshot = { atMs: cast.nowMs(), unsettled: null, described: null }
  const unasked = { after: before, committed: new Map(), scan: null, probes: [] }
  const ended = { isCutShort: true, problem }
  return { ...evidenceSoFar(story), ...unasked, ...ended, snapshot, before, produced }
}

const isCommitting = ({ group: { commit } }: Scenario): boolean =>
  commit === 'auto' || commit === 'each-batch'

/** null when the story was given up. */
const tell = async (story: Story, isBrief: boolean): Promise<Evidence | null> => {
  const { scenario, records, stage, cast, clock, stop, onProgress } = story
  const { oldRecords } = scenario.topic
  await prepareTopic(stage, scenario.topic.partitions, clock)
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
  cast.begin()
  if (isBrief) watchVerdict(story).catch((error) => story.giveUp(messageOf(error)))
  if (scenario.produce?.when === 'during') startProducing(story)
  await playTimeline(story)
  if (stop.aborted) return null
  const snapshot = await takeSnapshot(story)
  if (stop.aborted) return null
  story.isTold = true
  // Before the first of them leaves: that begins a rebalance, in which what the others have read may be revoked.
  if (isCommitting(scenario)) await cast.commitAll()
  await cast.stopAll()
  return gather(story, snapshot)
}

/** The evidence, be it that of a story which was given up. */
const evidenceOf = async (
  parts: RunParts,
  stage: Stage,
  cast: Cast,
  faults: readonly FaultSeen[],
): Promise<Evidence> => {
  const { scenario, bootstrapServers, clock, isBrief, runId, onProgress } = parts
  const [over, enough] = [new AbortController(), new AbortController()]
  const stop = AbortSignal.any([parts.stop, over.signal])
  const produceStop = AbortSignal.any([stop, enough.signal])
  // As many wait as the story has members and steps.
  setMaxListeners(0, stop, produceStop)
  const isOutside = bootstrapServers !== null
  const isTimed = typeof scenario.produce?.duration === 'number'
  let end: { problem: string | null } | null = null as { problem: string | null } | null
  const giveUp = (problem: string | null): void => {
    end ??= { problem }
    over.abort()
  }
  const records = { ...parts, stage, partitionCount: scenario.topic.partitions, runId, stop }
  const story: Story = {
    ...{ scenario, isOutside, stage, cast, clock, records, faults, stop, produceStop, giveUp },
    endProducing: isBrief && isTimed ? () => enough.abort() : null,
    ...{ onProgress, steps: [], produced: [], before: [], producing: null, isTold: false },
  }
  const evidence = await tell(story, isBrief).catch((error: unknown) => {
    if (error instanceof UsageError) throw error
    giveUp(messageOf(error))
    return null
  })
  over.abort()
  if (evidence !== null && end === null) return evidence
  const problem = end?.problem ?? null
  if (problem !== null && isOutside) await refuseUnreachable(stage.connection, clock, problem)
  const cutShort = gatherCutShort(story, problem)
  // A broker of others is not left with members that nobody stopped.
  if (isOutside) await cast.stopAll()
  return cutShort
}

/**
 * Plays the scenario once. Findings are in the evidence, a broker's answer that ends the story among them; rejects with
 * a `SurroundingsError` when the broker cannot be reached and with a `MemberMissing` when a library is not installed.
 * Leaves no process, topic or group behind.
 */
export const playScenario = async (
  parts: RunParts,
): Promise<{ evidence: Evidence; target: Pick<Stage, 'kind' | 'connection'>; left: string[] }> => {
  const { scenario, clock, client, bootstrapServers } = parts
  const commands = await findCommands(scenario, client)
  const faults: FaultSeen[] = []
  let cast: Cast | null = null
  const faultOf = faultsOf(scenario.faults, clock, (member, text) => {
    faults.push({ atMs: cast?.nowMs() ?? 0, member, text })
  })
  const stage = await openStage({ ...parts, faultOf })
  let evidence: Evidence
  let left: string[] = []
  let isReached = true
  try {
    const { topic, groupId, recorder } = stage
    const { host, port } = recorder.listening
    const place = { bootstrapServers: [`${host}:${port}`], topic, groupId }
    const minSessionMs = bootstrapServers === null ? 0 : minSessionMsOutside
    cast = new Cast({ scenario, clock, client, minSessionMs, place }, commands)
    evidence = await evidenceOf(parts, stage, cast, faults)
  } catch (error) {
    isReached = !(error instanceof SurroundingsError)
    throw error
  } finally {
    await endsWithin(clock, killLimitMs, cast?.killAll() ?? Promise.resolve())
    left = await withTimeLimit(clock, closeLimitMs, 'clean up', stage.close(isReached)).catch(
      (error) => [messageOf(error)],
    )
  }
  return { evidence, target: stage, left }
}

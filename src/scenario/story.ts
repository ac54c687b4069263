/** A story while it goes on: what its steps wait for, and how it is given up. */
import type { ProduceLedger } from '../bench/produce-ledger.ts'
import type { PartitionWatermarks } from '../clients/driver.ts'
import { type Clock, sleep } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { generationsOf, groupFactsOf } from '../recorder/group-facts.ts'
import type { Cast } from './cast.ts'
import { type EvidenceSoFar, type FaultSeen, livesAt, ownedBy, type StepTaken } from './evidence.ts'
import { lastingChecks } from './group-checks.ts'
import type { Scenario } from './load.ts'
import { produceRecords, type RecordParts } from './records.ts'
import { groupAtRest, isStuck, patienceMs } from './settle.ts'
import type { Stage } from './stage.ts'

/** Shorter ones are refused by a broker that is not ours. */
export const minSessionMsOutside = 6_000
const tickMs = 50
/** How often a story that is cut short is asked whether its verdict stands. */
const judgeMs = 250

export interface Story {
  readonly scenario: Scenario
  readonly isOutside: boolean
  readonly stage: Stage
  readonly cast: Cast
  readonly clock: Clock
  readonly records: RecordParts
  readonly steps: StepTaken[]
  readonly faults: readonly FaultSeen[]
  readonly produced: ProduceLedger[]
  /** Ends every wait: the run is stopped, or the story given up. */
  readonly stop: AbortSignal
  /** Ends the producing, and nothing else. */
  readonly produceStop: AbortSignal
  /** null where it goes on for its own time. */
  readonly endProducing: (() => void) | null
  /** The first to say so is heard; `problem` is null when the verdict stands already. */
  readonly giveUp: (problem: string | null) => void
  readonly onProgress: (text: string) => void
  before: PartitionWatermarks[]
  /** The producing that goes on beside the timeline; null when there is none, or it has ended. */
  producing: Promise<void> | null
  /** All has happened; from here on it is judged as a whole. */
  isTold: boolean
}

const longestSessionMs = ({ scenario, isOutside }: Story): number => {
  const { group, members } = scenario
  const own = Object.values(members).map((member) => member.session ?? group.session)
  return Math.max(isOutside ? minSessionMsOutside : 0, group.session, ...own)
}

/** Without a group event for so long, nothing will move any more; who has no assignment yet has its time for one. */
const stuckLimitMs = (story: Story): number => {
  const { cast, scenario } = story
  const nowMs = cast.nowMs()
  const isWaiting = livesAt(cast.lives, nowMs).some((life) => ownedBy(life, nowMs) === null)
  const patience = patienceMs(longestSessionMs(story))
  return isWaiting ? Math.max(patience, scenario.checks.within) : patience
}

export const startProducing = (story: Story): void => {
  const { scenario, records, produced, produceStop: stop } = story
  if (scenario.produce === null) return
  story.producing = produceRecords({ ...records, stop }, scenario.produce)
    .then(
      (ledger) => void produced.push(ledger),
      (error) => story.giveUp(messageOf(error)),
    )
    .finally(() => {
      story.producing = null
    })
}

/** null once the group is well shared out and quiet; what is wrong with it when nothing moves any more. */
export const awaitSettled = async (story: Story): Promise<string | null> => {
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
export const awaitAssigned = async ({
  cast,
  clock,
  scenario,
  stop,
}: Story): Promise<string | null> => {
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
export const awaitDrained = async (story: Story): Promise<string | null> => {
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

export const evidenceSoFar = (story: Story): EvidenceSoFar => {
  const { scenario, stage, cast, steps, faults, clock } = story
  const { topic, groupId, recorder } = stage
  const exchanges = recorder.exchanges()
  const facts = groupFactsOf(exchanges, groupId)
  const recordingStartMs = (recorder.startedAtNs - clock.nowNs()) / 1e6 + cast.nowMs()
  const generations = generationsOf(facts)
  return {
    ...{ scenario, topic, lives: cast.lives, steps, faults },
    ...{ exchanges, facts, generations, recordingStartMs },
  }
}

/** Gives the story up as soon as a check has failed that will not hold any more, whatever comes. */
export const watchVerdict = async (story: Story): Promise<void> => {
  const { clock, stop } = story
  for (;;) {
    await sleep(clock, judgeMs, stop)
    if (stop.aborted || story.isTold) return
    if (lastingChecks(evidenceSoFar(story)).some(({ ok }) => !ok)) return story.giveUp(null)
  }
}

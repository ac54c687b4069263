/** What a scenario leaves behind, as plain values in its own time: checks and the picture are functions of it. */
import type { ConsumeLedger } from '../bench/consume-ledger.ts'
import type { LogBalance, ProduceLedger } from '../bench/produce-ledger.ts'
import type { PartitionWatermarks } from '../clients/driver.ts'
import type { Exchange } from '../recorder/exchange.ts'
import type { GenerationFact, GroupFact } from '../recorder/group-facts.ts'
import type { Check } from '../results/result.ts'
import type { Scenario } from './load.ts'
import type { MemberEvent, MemberEventOf } from './member-protocol.ts'
import type { Action } from './schema.ts'

/** One process of a member. All times in ms since the timeline began, unless they say otherwise. */
export interface Life {
  readonly member: string
  /** From 1. */
  readonly number: number
  /** As the broker sees it; every life has its own. */
  readonly clientId: string
  /** Library and version, once it has said so. */
  client: string
  readonly startedAtMs: number
  endedAtMs: number | null
  /** null while it runs. */
  end: 'stopped' | 'crashed' | 'gave-up' | null
  /** Why it gave up, or was killed because it did not stop. */
  problem: string | null
  isPaused: boolean
  /** All but batches, in the order in which it told them; their times are those of the timeline and rise. */
  readonly events: MemberEvent[]
  /** Likewise. */
  readonly batches: MemberEventOf<'batch'>[]
}

export interface StepTaken {
  readonly action: Action | null
  readonly members: readonly string[]
  readonly atMs: number
  /** What it waited for and did not see; null when all came to pass. */
  readonly problem: string | null
}

export interface FaultSeen {
  readonly atMs: number
  readonly member: string
  readonly text: string
}

/** Taken when the story was over, before the members were told to stop. */
export interface Snapshot {
  readonly atMs: number
  /** null: the group was settled. */
  readonly unsettled: string | null
  /** Ids by DescribeGroups; null when the broker did not answer. */
  readonly described: readonly string[] | null
}

export interface LogScan {
  readonly ledger: ConsumeLedger
  readonly balances: readonly LogBalance[]
}

/** What there is while the story goes on. */
export interface EvidenceSoFar {
  readonly scenario: Scenario
  readonly topic: string
  readonly lives: readonly Life[]
  readonly steps: readonly StepTaken[]
  readonly faults: readonly FaultSeen[]
  readonly exchanges: readonly Exchange[]
  readonly facts: readonly GroupFact[]
  readonly generations: readonly GenerationFact[]
  /** Time of the timeline at which the recording says 0. */
  readonly recordingStartMs: number
}

export interface Evidence extends EvidenceSoFar {
  /** The story was given up: only what lasts can be judged. */
  readonly isCutShort: boolean
  /** What bench itself met that ended the story; null otherwise. */
  readonly problem: string | null
  readonly snapshot: Snapshot
  /** When the story's records began: behind those that another run had left. */
  readonly before: readonly PartitionWatermarks[]
  readonly after: readonly PartitionWatermarks[]
  /** By the group, after its members had left; empty when the broker did not answer. */
  readonly committed: ReadonlyMap<number, number>
  readonly produced: readonly ProduceLedger[]
  /** null when nothing pointed at the log. */
  readonly scan: LogScan | null
  readonly probes: readonly Check[]
}

/** What a life owns by its own account, up to a time; null before its first assignment and after it is revoked. */
export const ownedBy = (life: Life, atMs: number): readonly number[] | null => {
  let owned: readonly number[] | null = null as readonly number[] | null
  for (const event of life.events) {
    if ('atMs' in event && event.atMs > atMs) break
    if (event.type === 'assigned') owned = event.partitions
    else if (event.type === 'left') owned = null
    else if (event.type === 'revoked') {
      const { partitions } = event
      const kept: number[] =
        partitions === null ? [] : (owned ?? []).filter((one) => !partitions.includes(one))
      owned = kept.length === 0 ? null : kept
    }
  }
  return owned
}

/** Lives that are neither ended nor paused at that time. */
export const livesAt = (lives: readonly Life[], atMs: number): Life[] =>
  lives.filter(
    ({ startedAtMs, endedAtMs, isPaused }) =>
      startedAtMs <= atMs && (endedAtMs === null || endedAtMs > atMs) && !isPaused,
  )

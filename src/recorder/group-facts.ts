import type { Exchange } from './exchange.ts'

/** What the messages on the wire say about groups, as facts for checks: who was in which generation, and owned what. */

interface FactBase {
  readonly groupId: string
  readonly clientId: string | null
  readonly connection: number
  /** The id that the broker knows the member by; empty for a join that was refused before it got one. */
  readonly memberId: string
  readonly requestedAtUs: number
  /** Null when no answer came. */
  readonly answeredAtUs: number | null
  /** Kafka's code of the answer; null without an answer that can be read. */
  readonly errorCode: number | null
}

export interface OwnedPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

export interface JoinFact extends FactBase {
  readonly kind: 'join'
  /** As the member asked: empty for a first join. */
  readonly askedMemberId: string
  readonly groupInstanceId: string | null
  /** Null unless the join succeeded. */
  readonly generationId: number | null
  readonly protocolName: string | null
  readonly leader: string | null
  /** Ids of all members, as the leader is told; empty for a follower. */
  readonly roster: readonly string[]
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
}

export interface SyncFact extends FactBase {
  readonly kind: 'sync'
  readonly generationId: number
  /** Null for a refusal, and for an assignment that is not of the consumer protocol; empty bytes are an empty list. */
  readonly owned: readonly OwnedPartitions[] | null
  /** What a leader handed in, by member id; null for a follower. */
  readonly given: ReadonlyMap<string, readonly OwnedPartitions[] | null> | null
}

export interface HeartbeatFact extends FactBase {
  readonly kind: 'heartbeat'
  readonly generationId: number
}

/** One per member that leaves, also where a request names several. */
export interface LeaveFact extends FactBase {
  readonly kind: 'leave'
}

export type GroupFact = JoinFact | SyncFact | HeartbeatFact | LeaveFact

/** One generation, put together from the joins and syncs that succeeded in it. */
export interface GenerationFact {
  readonly generationId: number
  readonly leader: string
  readonly protocolName: string | null
  /** First join answer of it. */
  readonly beganAtUs: number
  /** Last successful sync answer of it; null when there was none. */
  readonly syncedAtUs: number | null
  /** Ids of the members that were let in. */
  readonly members: readonly string[]
  /** What each member was told to own; members that were not synced are missing. */
  readonly owned: ReadonlyMap<string, readonly OwnedPartitions[] | null>
}

/** The facts of one group, in the order of their answers; those without an answer stand at their request. */
export const groupFactsOf = (_exchanges: readonly Exchange[], _groupId: string): GroupFact[] => {
  throw new Error('not yet')
}

/** The generations of one group that any recorded member was let into, in their order. */
export const generationsOf = (_facts: readonly GroupFact[]): GenerationFact[] => {
  throw new Error('not yet')
}

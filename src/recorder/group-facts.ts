import { errorCode } from '../protocol/errors.ts'
import type { Exchange } from './exchange.ts'
import {
  type AssignmentBlob,
  type GroupErrorAnswer,
  type HeartbeatRequest,
  type JoinAnswer,
  type JoinRequest,
  type LeaveRequest,
  rebalanceTimeoutOf,
  type SyncAnswer,
  type SyncRequest,
} from './group-messages.ts'

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

interface OwnedPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

interface JoinFact extends FactBase {
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

interface SyncFact extends FactBase {
  readonly kind: 'sync'
  readonly generationId: number
  /** Null for a refusal, and for an assignment that is not of the consumer protocol; empty bytes are an empty list. */
  readonly owned: readonly OwnedPartitions[] | null
  /** What a leader handed in, by member id; null for a follower. */
  readonly given: ReadonlyMap<string, readonly OwnedPartitions[] | null> | null
}

interface HeartbeatFact extends FactBase {
  readonly kind: 'heartbeat'
  readonly generationId: number
}

/** One per member that leaves, also where a request names several. */
interface LeaveFact extends FactBase {
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

const isDecoded = (message: object | null): boolean => message !== null && !('opaque' in message)

/** Null for what is not of the consumer protocol. */
const ownedIn = ({ sizeBytes, assignedPartitions }: AssignmentBlob): OwnedPartitions[] | null =>
  sizeBytes === 0 ? [] : (assignedPartitions ?? null)

const baseOf = (exchange: Exchange, groupId: string, memberId: string): FactBase => ({
  groupId,
  clientId: exchange.clientId,
  connection: exchange.connection,
  memberId,
  requestedAtUs: exchange.requestedAtUs,
  answeredAtUs: exchange.answeredAtUs,
  errorCode: isDecoded(exchange.response) ? Number(exchange.response?.['errorCode'] ?? 0) : null,
})

const joinFact = (exchange: Exchange, groupId: string): JoinFact => {
  const request = exchange.request as unknown as JoinRequest
  const answer = isDecoded(exchange.response)
    ? (exchange.response as unknown as JoinAnswer)
    : undefined
  const isIn = answer?.errorCode === errorCode.NONE
  return {
    kind: 'join',
    ...baseOf(exchange, groupId, answer?.memberId || request.memberId),
    askedMemberId: request.memberId,
    groupInstanceId: request.groupInstanceId ?? null,
    generationId: isIn ? answer.generationId : null,
    protocolName: isIn ? (answer.protocolName ?? null) : null,
    leader: isIn ? answer.leader : null,
    roster: isIn ? answer.members.map(({ memberId }) => memberId) : [],
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: rebalanceTimeoutOf(request),
  }
}

const syncFact = (exchange: Exchange, groupId: string): SyncFact => {
  const { memberId, generationId, assignments } = exchange.request as unknown as SyncRequest
  const answer = exchange.response as unknown as SyncAnswer
  const base = baseOf(exchange, groupId, memberId)
  const given = assignments.map((one) => [one.memberId, ownedIn(one.assignment)] as const)
  return {
    kind: 'sync',
    ...base,
    generationId,
    owned: base.errorCode === errorCode.NONE ? ownedIn(answer.assignment) : null,
    given: given.length === 0 ? null : new Map(given),
  }
}

const leaveFacts = (exchange: Exchange, groupId: string): LeaveFact[] => {
  const { memberId, members } = exchange.request as unknown as LeaveRequest
  const answers = (isDecoded(exchange.response) && exchange.response?.['members']) || []
  const answered = answers as unknown as readonly GroupErrorAnswer[]
  if (members === undefined) {
    return [{ kind: 'leave', ...baseOf(exchange, groupId, memberId ?? '') }]
  }
  return members.map((member, index) => {
    const base = baseOf(exchange, groupId, member.memberId)
    // From version 3 on each member has an error of its own, beside that of the request (KIP-345).
    const own = base.errorCode === errorCode.NONE ? answered[index]?.errorCode : undefined
    return { kind: 'leave', ...base, errorCode: own ?? base.errorCode }
  })
}

const factsOf = (exchange: Exchange, groupId: string): GroupFact[] => {
  const { api, request } = exchange
  if (request['groupId'] !== groupId) return []
  if (api === 'JoinGroup') return [joinFact(exchange, groupId)]
  if (api === 'SyncGroup') return [syncFact(exchange, groupId)]
  if (api === 'LeaveGroup') return leaveFacts(exchange, groupId)
  if (api !== 'Heartbeat') return []
  const { memberId, generationId } = request as unknown as HeartbeatRequest
  return [{ kind: 'heartbeat', ...baseOf(exchange, groupId, memberId), generationId }]
}

const orderOf = ({ requestedAtUs, answeredAtUs }: GroupFact): number =>
  answeredAtUs ?? requestedAtUs

/** The facts of one group, in the order of their answers; those without an answer stand at their request. */
export const groupFactsOf = (exchanges: readonly Exchange[], groupId: string): GroupFact[] =>
  exchanges
    .flatMap((exchange) => factsOf(exchange, groupId))
    .toSorted((a, b) => orderOf(a) - orderOf(b))

interface Generation extends GenerationFact {
  syncedAtUs: number | null
  members: string[]
  readonly owned: Map<string, readonly OwnedPartitions[] | null>
}

/** The generations of one group that any recorded member was let into, in their order. */
export const generationsOf = (facts: readonly GroupFact[]): GenerationFact[] => {
  const generations = new Map<number, Generation>()
  for (const fact of facts) {
    if (fact.kind === 'join' && fact.generationId !== null) {
      const { generationId, protocolName, memberId } = fact
      const known = generations.get(generationId)
      generations.set(generationId, {
        generationId,
        protocolName,
        leader: fact.leader ?? '',
        beganAtUs: orderOf(fact),
        syncedAtUs: null,
        owned: new Map(),
        ...known,
        members: [...new Set([...(known?.members ?? []), memberId])],
      })
    }
    const isSynced = fact.kind === 'sync' && fact.errorCode === errorCode.NONE
    const generation = isSynced ? generations.get(fact.generationId) : undefined
    if (!isSynced || generation === undefined) continue
    generation.owned.set(fact.memberId, fact.owned)
    generation.syncedAtUs = orderOf(fact)
  }
  return [...generations.values()].toSorted((a, b) => a.generationId - b.generationId)
}

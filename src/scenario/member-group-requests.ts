/** What a scripted member asks the coordinator of its group, in the versions that its script allows. */
import { Cluster } from '../clients/wire/cluster.ts'
import type { Connection } from '../clients/wire/connection.ts'
import { ConnectionError } from '../clients/wire/errors.ts'
import { type Clock, sleep } from '../clock.ts'
import { errorCode, errorName } from '../protocol/errors.ts'
import { heartbeat } from '../protocol/messages/heartbeat.ts'
import { joinGroup } from '../protocol/messages/join-group.ts'
import { leaveGroup } from '../protocol/messages/leave-group.ts'
import { listOffsets } from '../protocol/messages/list-offsets.ts'
import { offsetCommit } from '../protocol/messages/offset-commit.ts'
import { offsetFetch } from '../protocol/messages/offset-fetch.ts'
import { syncGroup } from '../protocol/messages/sync-group.ts'
import type { Decoded } from '../protocol/schema.ts'
import type { MemberOptions } from './member-protocol.ts'

const answerLimitMs = 10_000
/** Enough for a request to arrive before its connection is closed. */
const lossDelayMs = 100
const earliest = -2
const {
  COORDINATOR_LOAD_IN_PROGRESS,
  COORDINATOR_NOT_AVAILABLE,
  NOT_COORDINATOR,
  ILLEGAL_GENERATION,
  UNKNOWN_MEMBER_ID,
  REBALANCE_IN_PROGRESS,
  MEMBER_ID_REQUIRED,
} = errorCode
const notACoordinator: readonly number[] = [
  COORDINATOR_LOAD_IN_PROGRESS,
  COORDINATOR_NOT_AVAILABLE,
  NOT_COORDINATOR,
]
const passing: readonly number[] = [
  ...notACoordinator,
  ILLEGAL_GENERATION,
  UNKNOWN_MEMBER_ID,
  REBALANCE_IN_PROGRESS,
  MEMBER_ID_REQUIRED,
]

/** An error code of the coordinator. */
export class GroupRefusal extends Error {
  readonly code: number
  /** Clients join again after it; else they give up. */
  readonly isPassing: boolean

  constructor(doing: string, code: number) {
    super(`${doing}: ${errorName(code)}`)
    this.code = code
    this.isPassing = passing.includes(code)
  }
}

export type JoinAnswer = Decoded<typeof joinGroup.response>
type SyncAnswer = Decoded<typeof syncGroup.response>

/** Who the member is for the coordinator. */
interface MemberIdentity {
  readonly memberId: string
  readonly generationId: number
}

/** A lost connection is a `ConnectionError`; what the broker says is in the answers. */
export interface GroupRequests {
  /** `losesAnswer`: the connection ends before the answer is looked at. */
  join(
    memberId: string,
    metadata: { name: string; metadata: Buffer },
    losesAnswer: boolean,
  ): Promise<JoinAnswer>
  sync(
    identity: MemberIdentity,
    protocolName: string,
    assignments: readonly { memberId: string; assignment: Buffer }[],
  ): Promise<SyncAnswer>
  /** The error code. */
  heartbeat(identity: MemberIdentity): Promise<number>
  leave(memberId: string): Promise<number>
  /** Error code of the worst partition. */
  commit(identity: MemberIdentity, positions: ReadonlyMap<number, number>): Promise<number>
  /** The group's commits; the log start where there is none. */
  startPositions(partitions: readonly number[]): Promise<Map<number, number>>
  /** Of the topic, as the cluster tells them now. */
  partitions(): Promise<number[]>
  close(): void
}

/** Highest versions of the other requests in the Kafka that brought each version of JoinGroup. */
const versionsWith = (joinVersion: number | null) => {
  if (joinVersion === null || joinVersion >= 7) return { sync: 5, others: 4, leave: 5, commit: 9 }
  if (joinVersion === 6) return { sync: 4, others: 4, leave: 4, commit: 8 }
  if (joinVersion === 5) return { sync: 3, others: 3, leave: 3, commit: 7 }
  return { sync: 2, others: 2, leave: 2, commit: 6 }
}

class WireGroupRequests implements GroupRequests {
  readonly #cluster: Cluster
  readonly #options: MemberOptions
  readonly #clock: Clock
  readonly #versions: ReturnType<typeof versionsWith>

  constructor(cluster: Cluster, options: MemberOptions, clock: Clock) {
    this.#cluster = cluster
    this.#options = options
    this.#clock = clock
    this.#versions = versionsWith(options.script?.maxJoinVersion ?? null)
  }

  async join(
    memberId: string,
    protocol: { name: string; metadata: Buffer },
    losesAnswer: boolean,
  ): Promise<JoinAnswer> {
    const { groupId, sessionTimeoutMs, rebalanceTimeoutMs, groupInstanceId, script } = this.#options
    const connection = await this.#coordinator()
    const asked = connection.request(
      joinGroup,
      {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId,
        groupInstanceId,
        protocolType: 'consumer',
        protocols: [protocol],
      },
      this.#waiting(script?.maxJoinVersion ?? joinGroup.maxVersion),
    )
    if (losesAnswer) {
      asked.catch(() => {})
      await sleep(this.#clock, lossDelayMs)
      connection.close()
      throw new ConnectionError('closed', connection.address, 'closed before the answer')
    }
    const answer = await asked
    this.#look(answer.errorCode)
    return answer
  }

  async sync(
    identity: MemberIdentity,
    protocolName: string,
    assignments: readonly { memberId: string; assignment: Buffer }[],
  ): Promise<SyncAnswer> {
    const connection = await this.#coordinator()
    const body = { ...this.#told(identity), protocolType: 'consumer', protocolName, assignments }
    const limits = this.#waiting(this.#versions.sync)
    const answer = await connection.request(syncGroup, body, limits)
    this.#look(answer.errorCode)
    return answer
  }

  async heartbeat(identity: MemberIdentity): Promise<number> {
    const connection = await this.#coordinator()
    const limits = { timeoutMs: answerLimitMs, maxVersion: this.#versions.others }
    const answer = await connection.request(heartbeat, this.#told(identity), limits)
    this.#look(answer.errorCode)
    return answer.errorCode
  }

  async leave(memberId: string): Promise<number> {
    const { groupId } = this.#options
    let connection = await this.#coordinator()
    if (connection.openRequests > 0) {
      // A broker answers in order: what waits for a rebalance would hold this request back.
      connection.close()
      connection = await this.#coordinator()
    }
    const answer = await connection.request(
      leaveGroup,
      { groupId, memberId, members: [{ memberId, groupInstanceId: null }] },
      { timeoutMs: answerLimitMs, maxVersion: this.#versions.leave },
    )
    return answer.errorCode || (answer.members[0]?.errorCode ?? 0)
  }

  async commit(identity: MemberIdentity, positions: ReadonlyMap<number, number>): Promise<number> {
    const connection = await this.#coordinator()
    const { generationId, ...rest } = this.#told(identity)
    const partitions = Array.from(positions, ([partitionIndex, committedOffset]) => ({
      partitionIndex,
      committedOffset,
      committedMetadata: null,
    }))
    const { topics } = await connection.request(
      offsetCommit,
      {
        ...rest,
        generationIdOrMemberEpoch: generationId,
        topics: [{ name: this.#options.topic, partitions }],
      },
      { timeoutMs: answerLimitMs, maxVersion: this.#versions.commit },
    )
    const codes = topics.flatMap((topic) => topic.partitions.map((one) => one.errorCode))
    return codes.find((code) => code !== 0) ?? 0
  }

  async startPositions(partitions: readonly number[]): Promise<Map<number, number>> {
    const { topic: name, groupId, script } = this.#options
    if (partitions.length === 0) return new Map()
    const connection = await this.#coordinator()
    const listed = [{ name, partitionIndexes: [...partitions] }]
    const topics = script?.fetchesAllOffsets === true ? null : listed
    const answer = await connection.request(
      offsetFetch,
      { groupId, topics, groups: [{ groupId, topics }] },
      {
        timeoutMs: answerLimitMs,
        maxVersion: script?.maxOffsetFetchVersion ?? offsetFetch.maxVersion,
      },
    )
    const told = answer.groups[0]?.topics ?? answer.topics
    const own = told.find((one) => one.name === name)?.partitions ?? []
    const positions = new Map<number, number>()
    for (const partition of partitions) {
      const committed = own.find((one) => one.partitionIndex === partition)?.committedOffset ?? -1
      positions.set(partition, committed < 0 ? await this.#logStart(partition) : committed)
    }
    return positions
  }

  async partitions(): Promise<number[]> {
    await this.#cluster.refresh()
    return [...this.#cluster.leadersOf(this.#options.topic).keys()]
  }

  close(): void {
    this.#cluster.close()
  }

  async #logStart(partition: number): Promise<number> {
    const { topic: name } = this.#options
    const leaderId = this.#cluster.leadersOf(name).get(partition)?.leaderId ?? -1
    const connection = await this.#cluster.connectionTo(leaderId, 'control')
    const partitions = [{ partitionIndex: partition, timestamp: earliest }]
    const answer = await connection.request(listOffsets, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name, partitions }],
      timeoutMs: answerLimitMs,
    })
    return answer.topics[0]?.partitions[0]?.offset ?? 0
  }

  async #coordinator(): Promise<Connection> {
    try {
      return await this.#cluster.coordinatorOf(this.#options.groupId)
    } catch (error) {
      this.#cluster.forgetCoordinator(this.#options.groupId)
      throw error
    }
  }

  #told({ memberId, generationId }: MemberIdentity) {
    const { groupId, groupInstanceId } = this.#options
    return { groupId, generationId, memberId, groupInstanceId }
  }

  #waiting(maxVersion: number) {
    return { timeoutMs: this.#options.rebalanceTimeoutMs + answerLimitMs, maxVersion }
  }

  #look(code: number): void {
    if (notACoordinator.includes(code)) this.#cluster.forgetCoordinator(this.#options.groupId)
  }
}

/** Rejects with a `SurroundingsError` when no broker answers. */
export const openGroupRequests = async (
  options: MemberOptions,
  clock: Clock,
): Promise<GroupRequests> => {
  const { bootstrapServers, clientId, topic } = options
  const connection = {
    bootstrapServers,
    clientId,
    connectTimeoutMs: answerLimitMs,
    requestTimeoutMs: answerLimitMs,
    security: { tls: null, sasl: null },
    properties: {},
  }
  const cluster = await Cluster.open(connection, clock, { topics: [topic] })
  return new WireGroupRequests(cluster, options, clock)
}

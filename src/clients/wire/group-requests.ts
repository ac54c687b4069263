/** What a group member asks its coordinator. Error codes are values; finding the coordinator again is done here. */
import { errorCode } from '../../protocol/errors.ts'
import { heartbeat } from '../../protocol/messages/heartbeat.ts'
import { joinGroup } from '../../protocol/messages/join-group.ts'
import { leaveGroup } from '../../protocol/messages/leave-group.ts'
import { metadata } from '../../protocol/messages/metadata.ts'
import { offsetCommit } from '../../protocol/messages/offset-commit.ts'
import { offsetFetch } from '../../protocol/messages/offset-fetch.ts'
import { syncGroup } from '../../protocol/messages/sync-group.ts'
import { type Decoded, zeroUuid } from '../../protocol/schema.ts'
import type { Cluster, Purpose } from './cluster.ts'
import type { Connection } from './connection.ts'
import { BrokerError } from './errors.ts'
import { logStartOf } from './fetch-settings.ts'

const protocolType = 'consumer'
/** For the answer to a join or sync, beyond the time that the coordinator may wait. */
const graceMs = 10_000

export type JoinAnswer = Decoded<typeof joinGroup.response>
export type SyncAnswer = Decoded<typeof syncGroup.response>

/** Who the member is for the coordinator. */
export interface MemberIdentity {
  readonly memberId: string
  readonly generationId: number
}

export interface GroupSettings {
  readonly groupId: string
  readonly topic: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** Static membership (KIP-345). */
  readonly groupInstanceId: string | null
  /** For all but joins and syncs. */
  readonly answerLimitMs: number
  /** Highest version of each; all that bench has when left out. */
  readonly maxVersions?: GroupVersions
}

export interface GroupVersions {
  readonly join?: number
  readonly sync?: number
  readonly heartbeat?: number
  readonly leave?: number
  readonly commit?: number
  readonly offsetFetch?: number
}

export interface Protocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface MemberAssignment {
  readonly memberId: string
  readonly assignment: Buffer
}

const notACoordinator: readonly number[] = [
  errorCode.COORDINATOR_LOAD_IN_PROGRESS,
  errorCode.COORDINATOR_NOT_AVAILABLE,
  errorCode.NOT_COORDINATOR,
]

/** Rejects with a `ConnectionError`, or a `BrokerError` while no coordinator is known. */
export class GroupRequests {
  readonly settings: GroupSettings
  readonly #cluster: Cluster

  constructor(cluster: Cluster, settings: GroupSettings) {
    this.#cluster = cluster
    this.settings = settings
  }

  async join(memberId: string, protocol: Protocol): Promise<JoinAnswer> {
    const { groupId, sessionTimeoutMs, rebalanceTimeoutMs, groupInstanceId } = this.settings
    const answer = await this.#asked('group', (connection) =>
      connection.request(
        joinGroup,
        {
          groupId,
          sessionTimeoutMs,
          rebalanceTimeoutMs,
          memberId,
          groupInstanceId,
          protocolType,
          protocols: [protocol],
        },
        this.#waiting(this.settings.maxVersions?.join),
      ),
    )
    this.#look(answer.errorCode)
    return answer
  }

  async sync(
    identity: MemberIdentity,
    protocolName: string,
    assignments: readonly MemberAssignment[],
  ): Promise<SyncAnswer> {
    const body = { ...this.#told(identity), protocolType, protocolName, assignments }
    const answer = await this.#asked('group', (connection) =>
      connection.request(syncGroup, body, this.#waiting(this.settings.maxVersions?.sync)),
    )
    this.#look(answer.errorCode)
    return answer
  }

  /** The error code. */
  async heartbeat(identity: MemberIdentity): Promise<number> {
    const limits = this.#short(this.settings.maxVersions?.heartbeat)
    const answer = await this.#asked('control', (connection) =>
      connection.request(heartbeat, this.#told(identity), limits),
    )
    this.#look(answer.errorCode)
    return answer.errorCode
  }

  /** The error code. */
  async leave(memberId: string): Promise<number> {
    const { groupId } = this.settings
    const members = [{ memberId, groupInstanceId: null }]
    const limits = this.#short(this.settings.maxVersions?.leave)
    const answer = await this.#asked('control', (connection) =>
      connection.request(leaveGroup, { groupId, memberId, members }, limits),
    )
    return answer.errorCode || (answer.members[0]?.errorCode ?? 0)
  }

  /** The first error code that is not 0. */
  async commit(identity: MemberIdentity, positions: ReadonlyMap<number, number>): Promise<number> {
    const { generationId, ...rest } = this.#told(identity)
    const partitions = Array.from(positions, ([partitionIndex, committedOffset]) => ({
      partitionIndex,
      committedOffset,
      committedMetadata: null,
    }))
    const topics = [{ name: this.settings.topic, partitions }]
    const limits = this.#short(this.settings.maxVersions?.commit)
    const answer = await this.#asked('control', (connection) =>
      connection.request(
        offsetCommit,
        { ...rest, generationIdOrMemberEpoch: generationId, topics },
        limits,
      ),
    )
    const codes = answer.topics.flatMap((topic) => topic.partitions.map((one) => one.errorCode))
    const code = codes.find((one) => one !== 0) ?? 0
    this.#look(code)
    return code
  }

  /** The group's commits; the log start where there is none. Rejects with a `BrokerError` too. */
  async startPositions(
    partitions: readonly number[],
    asksForAll = false,
  ): Promise<Map<number, number>> {
    const { topic: name, groupId } = this.settings
    if (partitions.length === 0) return new Map()
    const topics = asksForAll ? null : [{ name, partitionIndexes: [...partitions] }]
    const limits = this.#short(this.settings.maxVersions?.offsetFetch)
    const answer = await this.#asked('control', (connection) =>
      connection.request(offsetFetch, { groupId, topics, groups: [{ groupId, topics }] }, limits),
    )
    const code = answer.groups[0]?.errorCode || answer.errorCode
    this.#look(code)
    if (code !== 0) throw new BrokerError(code)
    const told = answer.groups[0]?.topics ?? answer.topics
    const own = told.find((one) => one.name === name)?.partitions ?? []
    const refused = own.find((one) => one.errorCode !== 0)
    if (refused !== undefined) throw new BrokerError(refused.errorCode)
    const positions = new Map<number, number>()
    for (const partition of partitions) {
      const committed = own.find((one) => one.partitionIndex === partition)?.committedOffset ?? -1
      const start = committed < 0 ? await logStartOf(this.#cluster, name, partition) : committed
      positions.set(partition, start)
    }
    return positions
  }

  /** As the cluster tells them now; a topic that it does not know is left out. */
  async partitionsOf(topics: readonly string[]): Promise<Map<string, number[]>> {
    const answer = await this.#cluster.request(metadata, {
      topics: topics.map((name) => ({ topicId: zeroUuid, name })),
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: false,
    })
    const known = answer.topics.filter((one) => one.errorCode === 0)
    return new Map(
      known.map(({ name, partitions }) => [
        name ?? '',
        partitions.map((one) => one.partitionIndex),
      ]),
    )
  }

  close(): void {
    this.#cluster.close()
  }

  /** Joins wait on a connection of their own, so that nothing else waits behind them. */
  protected async coordinator(purpose: Purpose): Promise<Connection> {
    return await this.#cluster.coordinatorOf(this.settings.groupId, purpose)
  }

  async #asked<Answer>(
    purpose: Purpose,
    ask: (connection: Connection) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await ask(await this.coordinator(purpose))
    } catch (error) {
      this.#cluster.forgetCoordinator(this.settings.groupId)
      throw error
    }
  }

  #told({ memberId, generationId }: MemberIdentity) {
    const { groupId, groupInstanceId } = this.settings
    return { groupId, generationId, memberId, groupInstanceId }
  }

  #waiting(maxVersion: number | undefined) {
    const timeoutMs = this.settings.rebalanceTimeoutMs + graceMs
    return maxVersion === undefined ? { timeoutMs } : { timeoutMs, maxVersion }
  }

  #short(maxVersion: number | undefined) {
    const timeoutMs = this.settings.answerLimitMs
    return maxVersion === undefined ? { timeoutMs } : { timeoutMs, maxVersion }
  }

  #look(code: number): void {
    if (notACoordinator.includes(code)) this.#cluster.forgetCoordinator(this.settings.groupId)
  }
}

import { randomUUID } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import { errorCode } from '../../protocol/errors.ts'
import type { Settings } from '../settings.ts'
import type { Journal } from '../store/journal.ts'
import { StorageError } from '../store/store.ts'
import { refusedJoin, refusedSync } from './answers.ts'
import { Group } from './group.ts'
import { CommittedOffsets } from './offsets.ts'
import type {
  CommitRequest,
  CommittedOffset,
  DescribedGroup,
  FetchedTopic,
  HeartbeatRequest,
  JoinAnswer,
  JoinRequest,
  ListedGroup,
  MemberIdentity,
  SyncAnswer,
  SyncRequest,
  TopicPartitions,
} from './requests.ts'
import { type GroupRules, kafkaGroupRules } from './rules.ts'
import { assignEvenly } from './server-assignor.ts'
import { consumerProtocolType, isSubscribed } from './subscription.ts'
import type { RebalanceTuning } from './tuning.ts'

/** The groups of the broker and their committed offsets. Synchronous: an answer is a value, or a promise when it is parked. */

export interface CoordinatorParts {
  readonly clock: Clock
  readonly settings: Settings
  /** Keeps the committed offsets; the coordinator does not close it. */
  readonly journal: Journal
  readonly log: (line: string) => void
  readonly rules?: GroupRules
  /** How many partitions a topic has; 0 when there is no such topic. */
  readonly partitionCountOf?: (topic: string) => number
  /** Makes a member id out of the client id or group instance id. */
  readonly newMemberId?: (prefix: string) => string
}

const tuningOf = ({ settings, partitionCountOf = () => 0 }: CoordinatorParts): RebalanceTuning => {
  const timeoutMs = settings['leader.sync.timeout.ms']
  const canAssign = settings['leader.sync.fallback'] === 'assign'
  return {
    expectedMembers: settings['group.initial.rebalance.expected.members'],
    isDelayAdaptive: settings['group.initial.rebalance.adaptive'],
    leaderSyncTimeoutMs: timeoutMs < 0 ? null : timeoutMs,
    assignForLeader: (roster) => (canAssign ? assignEvenly(roster, partitionCountOf) : null),
  }
}

const noOffset: CommittedOffset = { offset: -1, leaderEpoch: -1, metadata: '' }

export class GroupCoordinator {
  readonly #parts: CoordinatorParts
  readonly #rules: GroupRules
  readonly #groups = new Map<string, Group>()
  readonly #offsets: CommittedOffsets

  /** Restores the committed offsets; their groups are Empty. Throws a `StorageError` when the journal is damaged. */
  constructor(parts: CoordinatorParts) {
    this.#parts = parts
    this.#rules = parts.rules ?? kafkaGroupRules
    this.#offsets = new CommittedOffsets(parts.journal, parts.log)
    for (const groupId of this.#offsets.groupIds()) this.#create(groupId)
  }

  joinGroup(request: JoinRequest): JoinAnswer | Promise<JoinAnswer> {
    const { groupId, memberId, sessionTimeoutMs } = request
    const { settings } = this.#parts
    if (groupId === '') return refusedJoin(errorCode.INVALID_GROUP_ID, memberId)
    if (
      sessionTimeoutMs < settings['group.min.session.timeout.ms'] ||
      sessionTimeoutMs > settings['group.max.session.timeout.ms']
    ) {
      return refusedJoin(errorCode.INVALID_SESSION_TIMEOUT, memberId)
    }
    const group = this.#groups.get(groupId)
    if (group !== undefined) return group.join(request)
    return memberId === ''
      ? this.#create(groupId).join(request)
      : refusedJoin(errorCode.UNKNOWN_MEMBER_ID, memberId)
  }

  syncGroup(request: SyncRequest): SyncAnswer | Promise<SyncAnswer> {
    if (request.groupId === '') return refusedSync(errorCode.INVALID_GROUP_ID)
    const group = this.#groups.get(request.groupId)
    return group?.sync(request) ?? refusedSync(errorCode.UNKNOWN_MEMBER_ID)
  }

  /** Answers an error code. */
  heartbeat(request: HeartbeatRequest): number {
    if (request.groupId === '') return errorCode.INVALID_GROUP_ID
    return this.#groups.get(request.groupId)?.heartbeat(request) ?? errorCode.UNKNOWN_MEMBER_ID
  }

  /** Answers an error code for each of `members`, or one for the request. */
  leaveGroup(groupId: string, members: readonly MemberIdentity[]): number[] | number {
    if (groupId === '') return errorCode.INVALID_GROUP_ID
    const group = this.#groups.get(groupId)
    return group?.leave(members) ?? members.map(() => errorCode.UNKNOWN_MEMBER_ID)
  }

  /** Null when there is no such group. Protocol and metadata are those of a Stable group, as in Kafka. */
  describeGroup(groupId: string): DescribedGroup | null {
    const group = this.#groups.get(groupId)
    if (group === undefined) return null
    const { state, protocolType, protocolName, members } = group.roster
    const shownProtocol = state === 'Stable' ? (protocolName ?? '') : ''
    return {
      groupId,
      state,
      protocolType: protocolType ?? '',
      protocolName: shownProtocol,
      members: [...members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        metadata: member.metadataOf(shownProtocol),
        assignment: member.assignment,
      })),
    }
  }

  listGroups(): ListedGroup[] {
    return [...this.#groups.values()].map(({ groupId, roster }) => ({
      groupId,
      state: roster.state,
      protocolType: roster.protocolType ?? '',
    }))
  }

  /** Deletes an Empty group and its offsets; answers an error code. */
  deleteGroup(groupId: string): number {
    const group = this.#groups.get(groupId)
    if (group === undefined) return errorCode.GROUP_ID_NOT_FOUND
    if (group.roster.state !== 'Empty') return errorCode.NON_EMPTY_GROUP
    return this.#store(() => {
      this.#offsets.removeGroup(groupId)
      this.#groups.delete(groupId)
      group.close()
    })
  }

  /** Answers an error code for each of `request.offsets`. */
  commitOffsets(request: CommitRequest): number[] {
    const { groupId, offsets } = request
    if (offsets.length === 0) return []
    const maxMetadataLength = this.#parts.settings['offset.metadata.max.bytes']
    const refusal = this.#admitCommit(request)
    if (refusal !== errorCode.NONE) return offsets.map(() => refusal)
    const isTooLong = (metadata: string): boolean => metadata.length > maxMetadataLength
    const kept = offsets.filter(
      (offset) => !isTooLong(offset.metadata) && this.#rules.isCommitKept(offset),
    )
    const code = this.#store(() => this.#offsets.commit(groupId, kept))
    return offsets.map(({ metadata }) =>
      isTooLong(metadata) ? errorCode.OFFSET_METADATA_TOO_LARGE : code,
    )
  }

  /** Every requested partition, with offset -1 where nothing is committed; all committed ones when `topics` is null. */
  fetchOffsets(groupId: string, topics: readonly TopicPartitions[] | null): FetchedTopic[] {
    if (topics === null) return this.#offsets.all(groupId)
    return topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((partition) => ({
        partition,
        ...(this.#offsets.get(groupId, topic, partition) ?? noOffset),
      })),
    }))
  }

  /** Answers an error code for each of `topics`, or one for the request. Topics that active members read are spared. */
  deleteOffsets(groupId: string, topics: readonly TopicPartitions[]): number[] | number {
    if (groupId === '') return errorCode.INVALID_GROUP_ID
    const group = this.#groups.get(groupId)
    if (group === undefined) return errorCode.GROUP_ID_NOT_FOUND
    const { roster } = group
    if (roster.state !== 'Empty' && roster.protocolType !== consumerProtocolType) {
      return errorCode.NON_EMPTY_GROUP
    }
    const spared = topics.map(({ topic }) => isSubscribed(roster, topic))
    const code = this.#store(() =>
      this.#offsets.remove(
        groupId,
        topics.filter((_, i) => !spared[i]),
      ),
    )
    return spared.map((isSpared) => (isSpared ? errorCode.GROUP_SUBSCRIBED_TO_TOPIC : code))
  }

  /** Drops the committed offsets of a deleted topic. */
  dropTopic(topic: string): void {
    this.#store(() => this.#offsets.removeTopic(topic))
  }

  /** Another node answers for these groups from now on. */
  handOver(isMoved: (groupId: string) => boolean): void {
    for (const group of this.#groups.values()) if (isMoved(group.groupId)) group.handOver()
  }

  /** Ends every timer and answers what is parked. */
  close(): void {
    for (const group of this.#groups.values()) group.close()
  }

  #create(groupId: string): Group {
    const { clock, settings, log, newMemberId } = this.#parts
    const group = new Group(groupId, {
      clock,
      rules: this.#rules,
      newMemberId: newMemberId ?? ((prefix) => `${prefix}-${randomUUID()}`),
      initialRebalanceDelayMs: settings['group.initial.rebalance.delay.ms'],
      maxSize: settings['group.max.size'],
      tuning: tuningOf(this.#parts),
      log: (line) => log(`group ${groupId}: ${line}`),
    })
    this.#groups.set(groupId, group)
    return group
  }

  #admitCommit(request: CommitRequest): number {
    const group = this.#groups.get(request.groupId)
    if (group !== undefined) return group.admitCommit(request)
    if (request.generationId >= 0) {
      return request.knowsGroupIdNotFound
        ? errorCode.GROUP_ID_NOT_FOUND
        : errorCode.ILLEGAL_GENERATION
    }
    this.#create(request.groupId)
    return errorCode.NONE
  }

  /** Runs a change of what is kept; answers KAFKA_STORAGE_ERROR when it cannot be kept. */
  #store(change: () => void): number {
    try {
      change()
      return errorCode.NONE
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.#parts.log(`committed offsets: ${error.message}`)
      return errorCode.KAFKA_STORAGE_ERROR
    }
  }
}

import type { Clock } from '../../clock.ts'
import type { Settings } from '../settings.ts'
import type { Journal } from '../store/journal.ts'
import type {
  CommitRequest,
  DescribedMember,
  FetchedTopic,
  HeartbeatRequest,
  JoinAnswer,
  JoinRequest,
  MemberIdentity,
  SyncAnswer,
  SyncRequest,
  TopicPartitions,
} from './requests.ts'
import type { GroupRules } from './rules.ts'
import type { GroupState } from './state.ts'

/** The groups of the broker and their committed offsets. Synchronous: an answer is a value, or a promise when it is parked. */

export interface CoordinatorParts {
  readonly clock: Clock
  readonly settings: Settings
  /** Keeps the committed offsets. */
  readonly journal: Journal
  log(line: string): void
  readonly rules?: GroupRules
  /** Makes a member id out of the client id or group instance id. */
  readonly newMemberId?: (prefix: string) => string
}

export interface DescribedGroup {
  readonly groupId: string
  readonly state: GroupState
  readonly protocolType: string
  /** The chosen protocol of a Stable group, else empty. */
  readonly protocolName: string
  readonly members: readonly DescribedMember[]
}

export interface ListedGroup {
  readonly groupId: string
  readonly state: GroupState
  readonly protocolType: string
}

export class GroupCoordinator {
  constructor(_parts: CoordinatorParts) {}

  joinGroup(_request: JoinRequest): JoinAnswer | Promise<JoinAnswer> {
    throw new Error('not yet')
  }

  syncGroup(_request: SyncRequest): SyncAnswer | Promise<SyncAnswer> {
    throw new Error('not yet')
  }

  /** Answers an error code. */
  heartbeat(_request: HeartbeatRequest): number {
    throw new Error('not yet')
  }

  /** Answers an error code for each of `members`. */
  leaveGroup(_groupId: string, _members: readonly MemberIdentity[]): number[] {
    throw new Error('not yet')
  }

  /** Null: there is no such group. */
  describeGroup(_groupId: string): DescribedGroup | null {
    throw new Error('not yet')
  }

  listGroups(): ListedGroup[] {
    throw new Error('not yet')
  }

  /** Answers an error code. */
  deleteGroup(_groupId: string): number {
    throw new Error('not yet')
  }

  /** Answers an error code for each of `request.offsets`. */
  commitOffsets(_request: CommitRequest): number[] {
    throw new Error('not yet')
  }

  /** Every requested partition, with offset -1 when nothing is committed; all committed ones when `topics` is null. */
  fetchOffsets(_groupId: string, _topics: readonly TopicPartitions[] | null): FetchedTopic[] {
    throw new Error('not yet')
  }

  /** Drops the committed offsets of a deleted topic. */
  dropTopic(_topic: string): void {
    throw new Error('not yet')
  }

  /** Ends every timer and answers what is parked. */
  close(): void {
    throw new Error('not yet')
  }
}

import type { GroupState } from './state.ts'

/** What members and administrators ask of the group coordinator and what they are answered, free of wire versions. */

/** A name (an assignor, for consumers) and what the member tells the leader under it. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinRequest {
  readonly groupId: string
  /** Empty when the member has no id yet. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly MemberProtocol[]
  /** Whether a dynamic member must first fetch an id and come back with it (KIP-394, JoinGroup v4+). */
  readonly isMemberIdRequired: boolean
  /** Whether a returning static leader may be told to skip the assignment (KIP-814, JoinGroup v9+). */
  readonly canSkipAssignment: boolean
}

export interface JoinAnswer {
  readonly errorCode: number
  /** -1 with an error. */
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** The leader's member id; empty with an error. */
  readonly leader: string
  readonly isAssignmentSkipped: boolean
  readonly memberId: string
  /** All members with the metadata of the chosen protocol, for the leader; empty for followers. */
  readonly members: readonly JoinedMember[]
}

interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

/** How a member names itself in everything but a join. */
export interface MemberIdentity {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface SyncRequest extends MemberIdentity {
  readonly groupId: string
  readonly generationId: number
  /** Null: not said (before SyncGroup v5), so not checked. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** Given by the leader only. */
  readonly assignments: readonly MemberAssignment[]
}

export interface MemberAssignment {
  readonly memberId: string
  readonly assignment: Buffer
}

export interface SyncAnswer {
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export interface HeartbeatRequest extends MemberIdentity {
  readonly groupId: string
  readonly generationId: number
}

interface DescribedMember extends MemberIdentity {
  readonly clientId: string
  readonly clientHost: string
  readonly metadata: Buffer
  readonly assignment: Buffer
}

/** An offset as committed; `leaderEpoch` is -1 when the client gave none. */
export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

export interface PartitionOffset extends CommittedOffset {
  readonly topic: string
  readonly partition: number
}

export interface CommitRequest extends MemberIdentity {
  readonly groupId: string
  /** -1 from a consumer that is in no group. */
  readonly generationId: number
  /** What an unknown group is called to this client: GROUP_ID_NOT_FOUND from v9 on, else ILLEGAL_GENERATION. */
  readonly knowsGroupIdNotFound: boolean
  readonly offsets: readonly PartitionOffset[]
}

export interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

interface FetchedPartition extends CommittedOffset {
  readonly partition: number
}

export interface FetchedTopic {
  readonly topic: string
  readonly partitions: readonly FetchedPartition[]
}

export interface ListedGroup {
  readonly groupId: string
  readonly state: GroupState
  /** Empty when no member has ever joined. */
  readonly protocolType: string
}

export interface DescribedGroup extends ListedGroup {
  /** The chosen protocol of a Stable group, else empty. */
  readonly protocolName: string
  readonly members: readonly DescribedMember[]
}

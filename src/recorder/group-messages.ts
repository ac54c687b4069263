import type { Plain } from './exchange.ts'

/** The fields of group messages that findings look at, as a recording holds them: optional where a version lacks them. */

export interface GroupRequest {
  readonly memberId?: string
}
export interface GroupErrorAnswer {
  readonly errorCode?: number
}

export interface JoinRequest {
  readonly memberId: string
  readonly groupInstanceId?: string | null
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs?: number
  readonly protocols: readonly Plain[]
}

/** Version 0 of JoinGroup has no rebalance timeout, and Kafka takes the session timeout. */
export const rebalanceTimeoutOf = ({ rebalanceTimeoutMs, sessionTimeoutMs }: JoinRequest): number =>
  rebalanceTimeoutMs ?? sessionTimeoutMs

export interface JoinAnswer {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolName?: string | null
  readonly leader: string
  readonly memberId: string
  readonly members: readonly { readonly memberId: string; readonly metadata: Plain }[]
}

export interface LeaveRequest {
  readonly memberId?: string
  readonly members?: readonly { readonly memberId: string }[]
}

export interface Blob {
  readonly sizeBytes: number
}

/** Without partitions when it is none of the consumer protocol. */
export interface AssignmentBlob extends Blob {
  readonly assignedPartitions?: { readonly topic: string; readonly partitions: number[] }[]
}

export interface HeartbeatRequest {
  readonly memberId: string
  readonly generationId: number
}

export interface SyncRequest {
  readonly generationId: number
  readonly memberId: string
  readonly assignments: readonly {
    readonly memberId: string
    readonly assignment: AssignmentBlob
  }[]
}

export interface SyncAnswer {
  readonly errorCode: number
  readonly assignment: AssignmentBlob
}

/** A topic of OffsetFetch; by id from version 10 on. */
export interface TopicQuestion {
  readonly name?: string
  readonly topicId?: string
  readonly partitionIndexes: readonly number[]
}
export interface TopicAnswer {
  readonly name?: string
  readonly topicId?: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

export interface OffsetFetchRequest {
  readonly topics?: readonly TopicQuestion[] | null
  readonly groups?: readonly {
    readonly groupId: string
    readonly topics: readonly TopicQuestion[] | null
  }[]
}

export interface OffsetFetchAnswer {
  readonly errorCode?: number
  readonly topics?: readonly TopicAnswer[]
  readonly groups?: readonly {
    readonly groupId: string
    readonly errorCode: number
    readonly topics: readonly TopicAnswer[]
  }[]
}

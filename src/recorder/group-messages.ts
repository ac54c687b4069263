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

export interface JoinAnswer {
  readonly errorCode: number
  readonly generationId: number
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

export interface SyncRequest {
  readonly generationId: number
  readonly memberId: string
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Blob }[]
}

export interface SyncAnswer {
  readonly errorCode: number
  readonly assignment: Blob
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

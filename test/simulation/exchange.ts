import type { Call } from '../../src/broker/context.ts'
import type { DescribedGroup } from '../../src/broker/group/requests.ts'
import type { RequestOf, ResponseOf } from '../../src/protocol/messages/index.ts'

/** A request as it reaches the coordinator, and what the group was like at that moment. */

export type GroupApi =
  | 'JoinGroup'
  | 'SyncGroup'
  | 'Heartbeat'
  | 'LeaveGroup'
  | 'OffsetCommit'
  | 'OffsetFetch'

export interface Exchange<N extends GroupApi> {
  readonly api: N
  readonly call: Call
  readonly request: RequestOf<N>
  readonly atMs: number
  /** The group's last generation. */
  readonly generationId: number
  /** Null: there was no group. */
  readonly before: DescribedGroup | null
}

export type AnswerOf<N extends GroupApi> = ResponseOf<N>

export const groupId = 'g'
/** A topic of so many partitions. */
export const topicOf = (partitionCount: number): string => `t${partitionCount}`

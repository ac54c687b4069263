import { errorCode } from '../../protocol/errors.ts'
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../../protocol/messages/list-partition-reassignments.ts'
import type { Handler } from '../context.ts'

/** ListPartitionReassignments (KIP-455): none, as every reassignment is done when it is answered. */
export const handleListPartitionReassignments: Handler<
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse
> = () => ({ errorCode: errorCode.NONE, topics: [] })

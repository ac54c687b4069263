import { errorCode } from '../../protocol/errors.ts'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/sync-group.ts'
import type { Handler } from '../context.ts'
import { isCoordinator } from './coordinator-check.ts'

/**
 * SyncGroup: v0-5
 * Behaviour: parked until the leader brings the assignment, see `group/group.ts`.
 * Version notes: v3 adds the group instance id (KIP-345); v5 adds protocol type and name in both directions, and a
 * request that leaves one out is INCONSISTENT_GROUP_PROTOCOL (KIP-559).
 */
export const handleSyncGroup: Handler<SyncGroupRequest, SyncGroupResponse> = async (
  request,
  { version },
  broker,
) => {
  const { protocolType, protocolName } = request
  if (version >= 5 && (protocolType === null || protocolName === null)) {
    return { errorCode: errorCode.INCONSISTENT_GROUP_PROTOCOL, assignment: noAssignment }
  }
  if (!isCoordinator(request.groupId, broker)) {
    return { errorCode: errorCode.NOT_COORDINATOR, assignment: noAssignment }
  }
  return await broker.groups.syncGroup({
    ...request,
    // The request's bytes are a view of the connection's, which a member would keep alive.
    assignments: request.assignments.map(({ memberId, assignment }) => ({
      memberId,
      assignment: Buffer.from(assignment),
    })),
  })
}

const noAssignment = Buffer.alloc(0)

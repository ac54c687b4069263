import { errorCode } from '../../protocol/errors.ts'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/leave-group.ts'
import type { Handler } from '../context.ts'
import { isCoordinator } from './coordinator-check.ts'

/**
 * LeaveGroup: v0-5
 * Behaviour: takes members out of the group, which rebalances at once; errors are told for each member.
 * Version notes: v3 takes a list of members and allows a group instance id alone (KIP-345); before, the one member's
 * error is the answer's. v5 adds the reason (KIP-800).
 * Not done: the reason is not used.
 */
export const handleLeaveGroup: Handler<LeaveGroupRequest, LeaveGroupResponse> = (
  { groupId, memberId, members },
  { version },
  broker,
) => {
  if (!isCoordinator(groupId, broker)) return { errorCode: errorCode.NOT_COORDINATOR }
  const leaving = version >= 3 ? members : [{ memberId, groupInstanceId: null }]
  const codes = broker.groups.leaveGroup(groupId, leaving)
  if (typeof codes === 'number') return { errorCode: codes }
  if (version < 3) return { errorCode: codes[0] ?? errorCode.NONE }
  return {
    errorCode: errorCode.NONE,
    members: leaving.map((member, i) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      errorCode: codes[i] ?? errorCode.NONE,
    })),
  }
}

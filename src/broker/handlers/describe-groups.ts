import { errorCode } from '../../protocol/errors.ts'
import type {
  DescribeGroupsRequest,
  DescribeGroupsResponse,
} from '../../protocol/messages/describe-groups.ts'
import type { Handler } from '../context.ts'

/**
 * DescribeGroups: v0-6
 * Behaviour: state and members; protocol and subscriptions are shown of Stable groups only. An unknown group is Dead.
 * Version notes: v4 adds group instance ids (KIP-345); v6 adds error messages and calls an unknown group
 * GROUP_ID_NOT_FOUND (KIP-1043), before it is no error.
 * Not done: authorized operations (v3, KIP-430) are never told.
 */
export const handleDescribeGroups: Handler<DescribeGroupsRequest, DescribeGroupsResponse> = (
  request,
  { version },
  { groups },
) => ({
  groups: request.groups.map((groupId) => {
    const group = groups.describeGroup(groupId)
    if (group === null) {
      const fault =
        version >= 6
          ? { errorCode: errorCode.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId} not found.` }
          : { errorCode: errorCode.NONE }
      return { ...fault, groupId, ...deadGroup }
    }
    return {
      errorCode: errorCode.NONE,
      groupId,
      groupState: group.state,
      protocolType: group.protocolType,
      protocolData: group.protocolName,
      members: group.members.map(({ metadata, assignment, ...member }) => ({
        ...member,
        memberMetadata: metadata,
        memberAssignment: assignment,
      })),
    }
  }),
})

const deadGroup = { groupState: 'Dead', protocolType: '', protocolData: '', members: [] }

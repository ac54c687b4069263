import { errorCode } from '../../protocol/errors.ts'
import type {
  DescribeGroupsRequest,
  DescribeGroupsResponse,
} from '../../protocol/messages/describe-groups.ts'
import type { Handler } from '../context.ts'
import { isCoordinator } from './coordinator-check.ts'

/**
 * DescribeGroups: v0-6
 * Behaviour: state and members; protocol and subscriptions are shown of Stable groups only. An unknown group is Dead.
 * Version notes: v4 adds group instance ids (KIP-345); v6 adds error messages and calls an unknown group
 * GROUP_ID_NOT_FOUND (KIP-1043), before it is no error.
 * v3 tells what may be done where that is asked for (KIP-430): everything.
 */
export const handleDescribeGroups: Handler<DescribeGroupsRequest, DescribeGroupsResponse> = (
  request,
  { version },
  broker,
) => ({
  groups: request.groups.map((groupId) => {
    const operations = request.includeAuthorizedOperations
      ? { authorizedOperations: groupOperations }
      : {}
    if (!isCoordinator(groupId, broker)) {
      return {
        ...deadGroup,
        errorCode: errorCode.NOT_COORDINATOR,
        groupId,
        groupState: '',
        ...operations,
      }
    }
    const group = broker.groups.describeGroup(groupId)
    if (group === null) {
      const fault =
        version >= 6
          ? { errorCode: errorCode.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId} not found.` }
          : { errorCode: errorCode.NONE }
      return { ...fault, groupId, ...deadGroup, ...operations }
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
      ...operations,
    }
  }),
})

/** READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS as bits: all a group knows. */
const groupOperations = 3_400
const deadGroup = { groupState: 'Dead', protocolType: '', protocolData: '', members: [] }

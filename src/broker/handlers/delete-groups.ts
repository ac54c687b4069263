import { errorCode } from '../../protocol/errors.ts'
import type {
  DeleteGroupsRequest,
  DeleteGroupsResponse,
} from '../../protocol/messages/delete-groups.ts'
import type { Handler } from '../context.ts'
import { isCoordinator } from './coordinator-check.ts'

/**
 * DeleteGroups: v0-2
 * Behaviour: deletes Empty groups with their offsets; NON_EMPTY_GROUP while there are members, GROUP_ID_NOT_FOUND when
 * there is no such group.
 */
export const handleDeleteGroups: Handler<DeleteGroupsRequest, DeleteGroupsResponse> = (
  { groupsNames },
  _call,
  broker,
) => ({
  results: groupsNames.map((groupId) => ({
    groupId,
    errorCode: isCoordinator(groupId, broker)
      ? broker.groups.deleteGroup(groupId)
      : errorCode.NOT_COORDINATOR,
  })),
})

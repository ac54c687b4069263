import type {
  DeleteGroupsRequest,
  DeleteGroupsResponse,
} from '../../protocol/messages/delete-groups.ts'
import type { Handler } from '../context.ts'

/**
 * DeleteGroups: v0-2
 * Behaviour: deletes Empty groups with their offsets; NON_EMPTY_GROUP while there are members, GROUP_ID_NOT_FOUND when
 * there is no such group.
 */
export const handleDeleteGroups: Handler<DeleteGroupsRequest, DeleteGroupsResponse> = (
  { groupsNames },
  _call,
  { groups },
) => ({
  results: groupsNames.map((groupId) => ({ groupId, errorCode: groups.deleteGroup(groupId) })),
})

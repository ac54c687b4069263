import { errorCode } from '../../protocol/errors.ts'
import type { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/list-groups.ts'
import type { Handler } from '../context.ts'
import { isCoordinator } from './coordinator-check.ts'

/**
 * ListGroups: v0-5
 * Behaviour: all groups that this node coordinates, those with members and those with committed offsets only.
 * Version notes: v4 adds the state and a filter by it (KIP-518); v5 the type and a filter by it (KIP-848). Filters
 * ignore case, an empty one lets all pass. Every group is of type `classic`.
 */
export const handleListGroups: Handler<ListGroupsRequest, ListGroupsResponse> = (
  { statesFilter, typesFilter },
  _call,
  broker,
) => ({
  errorCode: errorCode.NONE,
  groups: broker.groups
    .listGroups()
    .filter(({ groupId }) => isCoordinator(groupId, broker))
    .filter(({ state }) => passes(statesFilter, state) && passes(typesFilter, groupType))
    .map(({ groupId, protocolType, state }) => ({
      groupId,
      protocolType,
      groupState: state,
      groupType,
    })),
})

const groupType = 'classic'

const passes = (filter: readonly string[], value: string): boolean =>
  filter.length === 0 || filter.some((each) => each.toLowerCase() === value.toLowerCase())

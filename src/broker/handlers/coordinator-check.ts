import type { BrokerContext } from '../context.ts'

/** Whether the node that was asked coordinates the group. Without a group id there is nobody else to ask. */
export const isCoordinator = (groupId: string, { nodeId, cluster }: BrokerContext): boolean =>
  groupId === '' || cluster.coordinatorOf(groupId).nodeId === nodeId

import { errorCode } from '../../protocol/errors.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/join-group.ts'
import type { BrokerContext, Handler } from '../context.ts'
import { refusedJoin } from '../group/answers.ts'
import type { JoinAnswer, JoinRequest } from '../group/requests.ts'
import { isCoordinator } from './coordinator-check.ts'

/**
 * JoinGroup: v0-9
 * Behaviour: parked until the next generation begins, see `group/group.ts`.
 * Version notes: v1 adds the rebalance timeout, before it is the session timeout; v4 sends a newcomer away with
 * MEMBER_ID_REQUIRED and its id (KIP-394); v5 adds group instance ids, in the answer for each member (KIP-345);
 * v7 answers the protocol type and a nullable protocol name (KIP-559); v8 adds the reason (KIP-800); v9 tells a
 * returning static leader to skip the assignment (KIP-814).
 * Not done: the reason is not used.
 */
export const handleJoinGroup: Handler<JoinGroupRequest, JoinGroupResponse> = async (
  request,
  { version, clientId, clientHost },
  broker,
) => {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request
  const answer = await joinGroup(broker, {
    groupId: request.groupId,
    memberId: request.memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: clientId ?? '',
    clientHost,
    sessionTimeoutMs,
    rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
    protocolType: request.protocolType,
    // The request's bytes are a view of the connection's, which a member would keep alive.
    protocols: request.protocols.map(({ name, metadata }) => ({
      name,
      metadata: Buffer.from(metadata),
    })),
    isMemberIdRequired: version >= 4,
    canSkipAssignment: version >= 9,
  })
  const { isAssignmentSkipped, protocolName, members, ...rest } = answer
  return {
    ...rest,
    protocolName: version >= 7 ? protocolName : (protocolName ?? ''),
    skipAssignment: isAssignmentSkipped,
    members: [...members],
  }
}

const joinGroup = (
  broker: BrokerContext,
  request: JoinRequest,
): JoinAnswer | Promise<JoinAnswer> =>
  isCoordinator(request.groupId, broker)
    ? broker.groups.joinGroup(request)
    : refusedJoin(errorCode.NOT_COORDINATOR, request.memberId)

import { errorCode } from '../../protocol/errors.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/heartbeat.ts'
import type { Handler } from '../context.ts'
import { isCoordinator } from './coordinator-check.ts'

/**
 * Heartbeat: v0-4
 * Behaviour: restarts the member's session; REBALANCE_IN_PROGRESS asks it to rejoin.
 * Version notes: v3 adds the group instance id (KIP-345).
 */
export const handleHeartbeat: Handler<HeartbeatRequest, HeartbeatResponse> = (
  request,
  _call,
  broker,
) => ({
  errorCode: isCoordinator(request.groupId, broker)
    ? broker.groups.heartbeat(request)
    : errorCode.NOT_COORDINATOR,
})

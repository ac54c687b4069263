import { errorCode } from '../../protocol/errors.ts'
import type {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../../protocol/messages/find-coordinator.ts'
import type { Handler } from '../context.ts'

/**
 * FindCoordinator: v0-6
 * Behaviour: the node that has the slot of the group or transactional id, the empty one included; never an error.
 * INVALID_REQUEST for a key type that it does not know.
 * Version notes: v1 adds the key type (KIP-98); v4 asks for many keys at once (KIP-699); v6 adds share groups (KIP-932).
 * Not done: share groups.
 */
export const handleFindCoordinator: Handler<FindCoordinatorRequest, FindCoordinatorResponse> = (
  { key, keyType, coordinatorKeys },
  { version },
  { cluster },
) => {
  const isKnownType = keyType === groupKeyType || keyType === transactionKeyType
  const find = (wanted: string) =>
    isKnownType
      ? { ...cluster.coordinatorOf(wanted), errorCode: errorCode.NONE, errorMessage: 'NONE' }
      : { ...noNode, errorCode: errorCode.INVALID_REQUEST, errorMessage: `key type ${keyType}` }
  return version < 4
    ? find(key)
    : { coordinators: coordinatorKeys.map((wanted) => ({ key: wanted, ...find(wanted) })) }
}

const groupKeyType = 0
const transactionKeyType = 1
const noNode = { nodeId: -1, host: '', port: -1 }

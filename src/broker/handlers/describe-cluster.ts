import { errorCode } from '../../protocol/errors.ts'
import type {
  DescribeClusterRequest,
  DescribeClusterResponse,
} from '../../protocol/messages/describe-cluster.ts'
import type { Handler } from '../context.ts'
import { clusterOperations, controllerId } from './metadata.ts'

const brokers = 1
const controllers = 2

/**
 * DescribeCluster: v0-2
 * Behaviour: all nodes, the first of which is also the controller.
 * Version notes: v1 asks for brokers or controllers (KIP-919); a broker answers MISMATCHED_ENDPOINT_TYPE for
 * controllers and UNSUPPORTED_ENDPOINT_TYPE for anything else. v2 tells fenced brokers; there are none.
 */
export const handleDescribeCluster: Handler<DescribeClusterRequest, DescribeClusterResponse> = (
  { endpointType, includeClusterAuthorizedOperations },
  _call,
  broker,
) => {
  if (endpointType !== brokers) {
    return {
      errorCode:
        endpointType === controllers
          ? errorCode.MISMATCHED_ENDPOINT_TYPE
          : errorCode.UNSUPPORTED_ENDPOINT_TYPE,
      errorMessage: `Unsupported endpoint type ${endpointType}`,
      clusterId: '',
      brokers: [],
    }
  }
  return {
    errorCode: 0,
    endpointType,
    clusterId: broker.clusterId(),
    controllerId,
    brokers: broker.cluster.nodes.map(({ nodeId: brokerId, host, port }) => ({
      brokerId,
      host,
      port,
      isFenced: false,
    })),
    ...(includeClusterAuthorizedOperations
      ? { clusterAuthorizedOperations: clusterOperations }
      : {}),
  }
}

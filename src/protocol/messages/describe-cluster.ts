import { api } from '../api.ts'
import {
  array,
  bool,
  type Decoded,
  type Given,
  int8,
  int16,
  int32,
  nullableString,
  string,
} from '../schema.ts'
import { since, struct, withDefault } from '../struct.ts'

/**
 * DescribeCluster (key 60), versions 0 to 2, flexible from 0 (KIP-700).
 *
 * 1: endpoint type (KIP-919). 2: fenced brokers (KIP-1073).
 */

export const describeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 0,
  request: struct({
    includeClusterAuthorizedOperations: bool,
    endpointType: since(1, int8, 1),
    includeFencedBrokers: since(2, bool),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    errorCode: int16,
    errorMessage: withDefault(nullableString, null),
    endpointType: since(1, int8, 1),
    clusterId: string,
    controllerId: withDefault(int32, -1),
    brokers: array(
      struct({
        brokerId: int32,
        host: string,
        port: int32,
        rack: withDefault(nullableString, null),
        isFenced: since(2, bool),
      }),
    ),
    clusterAuthorizedOperations: withDefault(int32, -2147483648),
  }),
})

export type DescribeClusterRequest = Decoded<typeof describeCluster.request>
export type DescribeClusterResponse = Given<typeof describeCluster.response>

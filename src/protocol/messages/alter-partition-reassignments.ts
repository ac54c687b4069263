import { api } from '../api.ts'
import {
  array,
  bool,
  type Decoded,
  type Given,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
} from '../schema.ts'
import { since, struct, withDefault } from '../struct.ts'

/**
 * AlterPartitionReassignments (key 45), versions 0 to 1: gives partitions other replicas (KIP-455). Always flexible.
 *
 * 1: the number of replicas may be held (KIP-860).
 */

export const alterPartitionReassignments = api({
  key: 45,
  name: 'AlterPartitionReassignments',
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 0,
  request: struct({
    timeoutMs: withDefault(int32, 60000),
    allowReplicationFactorChange: since(1, bool, true),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            replicas: withDefault(nullableArray(int32), null),
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    allowReplicationFactorChange: since(1, bool, true),
    errorCode: int16,
    errorMessage: withDefault(nullableString, null),
    responses: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            errorMessage: withDefault(nullableString, null),
          }),
        ),
      }),
    ),
  }),
})

export type AlterPartitionReassignmentsRequest = Decoded<typeof alterPartitionReassignments.request>
export type AlterPartitionReassignmentsResponse = Given<typeof alterPartitionReassignments.response>

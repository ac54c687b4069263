import { api } from '../api.ts'
import {
  array,
  type Decoded,
  type Given,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
} from '../schema.ts'
import { struct, withDefault } from '../struct.ts'

/**
 * ListPartitionReassignments (key 46), version 0: which partitions are on their way to other replicas (KIP-455).
 */

export const listPartitionReassignments = api({
  key: 46,
  name: 'ListPartitionReassignments',
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  request: struct({
    timeoutMs: withDefault(int32, 60000),
    topics: withDefault(
      nullableArray(
        struct({
          name: string,
          partitionIndexes: array(int32),
        }),
      ),
      null,
    ),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    errorCode: int16,
    errorMessage: withDefault(nullableString, null),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            replicas: array(int32),
            addingReplicas: array(int32),
            removingReplicas: array(int32),
          }),
        ),
      }),
    ),
  }),
})

export type ListPartitionReassignmentsRequest = Decoded<typeof listPartitionReassignments.request>
export type ListPartitionReassignmentsResponse = Given<typeof listPartitionReassignments.response>

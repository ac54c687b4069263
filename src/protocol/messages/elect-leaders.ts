import { api } from '../api.ts'
import {
  array,
  type Decoded,
  type Given,
  int8,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
} from '../schema.ts'
import { since, struct, withDefault } from '../struct.ts'

/**
 * ElectLeaders (key 43), versions 0 to 2: makes the preferred replicas the leaders (KIP-183).
 *
 * 1: kinds of election, an error of the whole (KIP-460). 2: flexible (KIP-482).
 */

export const electLeaders = api({
  key: 43,
  name: 'ElectLeaders',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({
    electionType: since(1, int8),
    topicPartitions: nullableArray(
      struct({
        topic: string,
        partitions: array(int32),
      }),
    ),
    timeoutMs: withDefault(int32, 60000),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    errorCode: since(1, int16),
    replicaElectionResults: array(
      struct({
        topic: string,
        partitionResult: array(
          struct({
            partitionId: int32,
            errorCode: int16,
            errorMessage: withDefault(nullableString, null),
          }),
        ),
      }),
    ),
  }),
})

export type ElectLeadersRequest = Decoded<typeof electLeaders.request>
export type ElectLeadersResponse = Given<typeof electLeaders.response>

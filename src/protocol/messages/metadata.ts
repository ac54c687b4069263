import { api } from '../api.ts'
import {
  array,
  bool,
  type Decoded,
  type Given,
  int16,
  int32,
  nullableSince,
  nullableString,
  string,
  uuid,
} from '../schema.ts'
import { between, since, struct } from '../struct.ts'

/**
 * Metadata (key 3), versions 0 to 13: brokers, and the partitions of all or some topics.
 * Version 0 takes an empty list for all topics; from 1 on null is all and an empty list is none.
 *
 * 1: racks, controller, internal topics. 2: cluster id (KIP-78). 4: auto-creation may be refused.
 * 5: offline replicas (KIP-112). 7: leader epochs (KIP-320). 8: authorized operations (KIP-430). 9: flexible (KIP-482).
 * 10: topic ids, 12: topics asked for by id alone (KIP-516). 11: no cluster operations (KIP-700).
 * 13: an error that tells to bootstrap again (KIP-1102).
 */

export const metadata = api({
  key: 3,
  name: 'Metadata',
  minVersion: 0,
  maxVersion: 13,
  flexibleFrom: 9,
  request: struct({
    topics: nullableSince(
      1,
      array(
        struct({
          topicId: since(10, uuid),
          name: nullableSince(10, string),
        }),
      ),
    ),
    allowAutoTopicCreation: since(4, bool, true),
    includeClusterAuthorizedOperations: between(8, 10, bool, false),
    includeTopicAuthorizedOperations: since(8, bool),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
    brokers: array(
      struct({
        nodeId: int32,
        host: string,
        port: int32,
        rack: since(1, nullableString, null),
      }),
    ),
    clusterId: since(2, nullableString, null),
    controllerId: since(1, int32, -1),
    topics: array(
      struct({
        errorCode: int16,
        name: nullableSince(12, string),
        topicId: since(10, uuid),
        isInternal: since(1, bool, false),
        partitions: array(
          struct({
            errorCode: int16,
            partitionIndex: int32,
            leaderId: int32,
            leaderEpoch: since(7, int32, -1),
            replicaNodes: array(int32),
            isrNodes: array(int32),
            offlineReplicas: since(5, array(int32), []),
          }),
        ),
        topicAuthorizedOperations: since(8, int32, -2147483648),
      }),
    ),
    clusterAuthorizedOperations: between(8, 10, int32, -2147483648),
    errorCode: since(13, int16),
  }),
})

export type MetadataRequest = Decoded<typeof metadata.request>
export type MetadataResponse = Given<typeof metadata.response>

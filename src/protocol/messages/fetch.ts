import { api } from '../api.ts'
import {
  array,
  type Decoded,
  type Given,
  int8,
  int16,
  int32,
  int64,
  nullableArray,
  nullableString,
  records,
  string,
  uuid,
  zeroUuid,
} from '../schema.ts'
import { between, since, struct, tagged, withDefault } from '../struct.ts'

/**
 * Fetch (key 1), versions 4 to 17: record batches are read from partitions, after a wait for enough bytes.
 *
 * 4: isolation level, aborted transactions (KIP-98). 5: log start offset. 7: fetch sessions (KIP-227).
 * 9: leader epochs (KIP-320). 10: zstd (KIP-110). 11: rack and preferred replica (KIP-392).
 * 12: flexible (KIP-482), diverging epoch and current leader (KIP-595). 13: topics by id (KIP-516).
 * 14: tiered storage (KIP-405). 15: replica state instead of replica id (KIP-903). 16: endpoints of nodes (KIP-951).
 * 17: directory of a replica (KIP-853).
 *
 * Not done: 18, whose tagged high watermark only replicas send (KIP-1166).
 */

export const fetch = api({
  key: 1,
  name: 'Fetch',
  minVersion: 4,
  maxVersion: 17,
  flexibleFrom: 12,
  request: struct({
    clusterId: tagged(0, 12, nullableString, null),
    replicaId: between(0, 14, int32, -1),
    replicaState: tagged(
      1,
      15,
      struct({
        replicaId: withDefault(int32, -1),
        replicaEpoch: withDefault(int64, -1),
      }),
    ),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: withDefault(int32, 2147483647),
    isolationLevel: withDefault(int8, 0),
    sessionId: since(7, int32, 0),
    sessionEpoch: since(7, int32, -1),
    topics: array(
      struct({
        topic: between(0, 12, string, ''),
        topicId: since(13, uuid, zeroUuid),
        partitions: array(
          struct({
            partition: int32,
            currentLeaderEpoch: since(9, int32, -1),
            fetchOffset: int64,
            lastFetchedEpoch: since(12, int32, -1),
            logStartOffset: since(5, int64, -1),
            partitionMaxBytes: int32,
            replicaDirectoryId: tagged(0, 17, uuid),
          }),
        ),
      }),
    ),
    forgottenTopicsData: since(
      7,
      array(
        struct({
          topic: between(7, 12, string, ''),
          topicId: since(13, uuid, zeroUuid),
          partitions: array(int32),
        }),
      ),
      [],
    ),
    rackId: since(11, string, ''),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    errorCode: since(7, int16),
    sessionId: since(7, int32, 0),
    responses: array(
      struct({
        topic: between(0, 12, string, ''),
        topicId: since(13, uuid, zeroUuid),
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            highWatermark: int64,
            lastStableOffset: withDefault(int64, -1),
            logStartOffset: since(5, int64, -1),
            divergingEpoch: tagged(
              0,
              12,
              struct({
                epoch: withDefault(int32, -1),
                endOffset: withDefault(int64, -1),
              }),
            ),
            currentLeader: tagged(
              1,
              12,
              struct({
                leaderId: withDefault(int32, -1),
                leaderEpoch: withDefault(int32, -1),
              }),
            ),
            snapshotId: tagged(
              2,
              12,
              struct({
                endOffset: withDefault(int64, -1),
                epoch: withDefault(int32, -1),
              }),
            ),
            abortedTransactions: nullableArray(
              struct({
                producerId: int64,
                firstOffset: int64,
              }),
            ),
            preferredReadReplica: since(11, int32, -1),
            records,
          }),
        ),
      }),
    ),
    nodeEndpoints: tagged(
      0,
      16,
      array(
        struct({
          nodeId: int32,
          host: string,
          port: int32,
          rack: withDefault(nullableString, null),
        }),
      ),
    ),
  }),
})

export type FetchRequest = Decoded<typeof fetch.request>
export type FetchResponse = Given<typeof fetch.response>

import { apis } from '../protocol/messages/index.ts'
import type { Handlers, Messages } from './apis.ts'
import { type GroupRules, kafkaGroupRules } from './group/rules.ts'
import { handleAlterPartitionReassignments } from './handlers/alter-partition-reassignments.ts'
import { handleCreatePartitions } from './handlers/create-partitions.ts'
import { handleCreateTopics } from './handlers/create-topics.ts'
import { handleDeleteGroups } from './handlers/delete-groups.ts'
import { handleDeleteRecords } from './handlers/delete-records.ts'
import { handleDeleteTopics } from './handlers/delete-topics.ts'
import { handleDescribeCluster } from './handlers/describe-cluster.ts'
import { handleDescribeConfigs } from './handlers/describe-configs.ts'
import { handleDescribeGroups } from './handlers/describe-groups.ts'
import { handleElectLeaders } from './handlers/elect-leaders.ts'
import { handleFetch } from './handlers/fetch.ts'
import { handleFindCoordinator } from './handlers/find-coordinator.ts'
import { handleHeartbeat } from './handlers/heartbeat.ts'
import { handleIncrementalAlterConfigs } from './handlers/incremental-alter-configs.ts'
import { handleInitProducerId } from './handlers/init-producer-id.ts'
import { handleJoinGroup } from './handlers/join-group.ts'
import { handleLeaveGroup } from './handlers/leave-group.ts'
import { handleListGroups } from './handlers/list-groups.ts'
import { handleListOffsets } from './handlers/list-offsets.ts'
import { handleListPartitionReassignments } from './handlers/list-partition-reassignments.ts'
import { handleMetadata } from './handlers/metadata.ts'
import { handleOffsetCommit } from './handlers/offset-commit.ts'
import { handleOffsetDelete } from './handlers/offset-delete.ts'
import { handleOffsetFetch } from './handlers/offset-fetch.ts'
import { handleOffsetForLeaderEpoch } from './handlers/offset-for-leader-epoch.ts'
import { handleProduce } from './handlers/produce.ts'
import { handleSaslHandshake } from './handlers/sasl-handshake.ts'
import { handleSyncGroup } from './handlers/sync-group.ts'

/** What a broker is made of. A named defect is a function from these parts to parts with one of them replaced. */
export interface BrokerParts {
  readonly messages: Messages
  readonly handlers: Handlers
  readonly groupRules: GroupRules
}

/** The correct ones: the behaviour of Apache Kafka. */
export const kafkaParts: BrokerParts = {
  messages: apis,
  groupRules: kafkaGroupRules,
  handlers: {
    Produce: handleProduce,
    Fetch: handleFetch,
    ListOffsets: handleListOffsets,
    Metadata: handleMetadata,
    OffsetCommit: handleOffsetCommit,
    OffsetFetch: handleOffsetFetch,
    FindCoordinator: handleFindCoordinator,
    JoinGroup: handleJoinGroup,
    Heartbeat: handleHeartbeat,
    LeaveGroup: handleLeaveGroup,
    SyncGroup: handleSyncGroup,
    DescribeGroups: handleDescribeGroups,
    ListGroups: handleListGroups,
    SaslHandshake: handleSaslHandshake,
    CreateTopics: handleCreateTopics,
    DeleteTopics: handleDeleteTopics,
    DeleteRecords: handleDeleteRecords,
    InitProducerId: handleInitProducerId,
    OffsetForLeaderEpoch: handleOffsetForLeaderEpoch,
    DescribeConfigs: handleDescribeConfigs,
    CreatePartitions: handleCreatePartitions,
    DeleteGroups: handleDeleteGroups,
    IncrementalAlterConfigs: handleIncrementalAlterConfigs,
    OffsetDelete: handleOffsetDelete,
    DescribeCluster: handleDescribeCluster,
    ElectLeaders: handleElectLeaders,
    AlterPartitionReassignments: handleAlterPartitionReassignments,
    ListPartitionReassignments: handleListPartitionReassignments,
  },
}

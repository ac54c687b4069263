import type { Api } from '../protocol/api.ts'
import type { ApiName } from '../protocol/messages/index.ts'
import type { Messages } from './apis.ts'
import type { BrokerParts } from './parts.ts'

/**
 * Profiles cap what the broker advertises and serves to what an older Apache Kafka did, within what we serve, so that
 * one client walks different code paths. The behaviour behind a version is the same in every profile.
 * Source: the highest valid version of each request in kafka-clients 2.4.1, 2.8.2 and 3.9.1 (common/message/*.json).
 */

/** Highest version by API; an API that is not named did not exist. */
type HighestVersions = Readonly<Partial<Record<ApiName, number>>>

const kafka24: HighestVersions = {
  Produce: 8,
  Fetch: 11,
  ListOffsets: 5,
  Metadata: 9,
  OffsetCommit: 8,
  OffsetFetch: 6,
  FindCoordinator: 3,
  JoinGroup: 6,
  Heartbeat: 4,
  LeaveGroup: 4,
  SyncGroup: 4,
  DescribeGroups: 5,
  ListGroups: 3,
  SaslHandshake: 1,
  ApiVersions: 3,
  CreateTopics: 5,
  DeleteTopics: 4,
  DeleteRecords: 1,
  InitProducerId: 2,
  OffsetForLeaderEpoch: 3,
  DescribeConfigs: 2,
  CreatePartitions: 1,
  DeleteGroups: 2,
  IncrementalAlterConfigs: 1,
  OffsetDelete: 0,
  ElectLeaders: 2,
  AlterPartitionReassignments: 0,
  ListPartitionReassignments: 0,
}

const kafka28: HighestVersions = {
  ...kafka24,
  Produce: 9,
  Fetch: 12,
  ListOffsets: 6,
  Metadata: 11,
  OffsetFetch: 7,
  JoinGroup: 7,
  SyncGroup: 5,
  ListGroups: 4,
  CreateTopics: 7,
  DeleteTopics: 6,
  DeleteRecords: 2,
  InitProducerId: 4,
  OffsetForLeaderEpoch: 4,
  DescribeConfigs: 4,
  CreatePartitions: 3,
  DescribeCluster: 0,
}

const kafka39: HighestVersions = {
  ...kafka28,
  Produce: 11,
  Fetch: 17,
  ListOffsets: 9,
  Metadata: 12,
  OffsetCommit: 9,
  OffsetFetch: 9,
  FindCoordinator: 6,
  JoinGroup: 9,
  LeaveGroup: 5,
  ListGroups: 5,
  ApiVersions: 4,
  InitProducerId: 5,
  DescribeCluster: 1,
}

/** null: all that we serve. */
const profiles = {
  'kafka-2.4': kafka24,
  'kafka-2.8': kafka28,
  'kafka-3.9': kafka39,
  'kafka-4.3': null,
} as const satisfies Record<string, HighestVersions | null>

export type ProfileName = keyof typeof profiles
export const profileNames = Object.keys(profiles) as ProfileName[]

/** An API above its profile has a `maxVersion` below its `minVersion`: it is neither advertised nor served. */
const cap = (api: Api, highest: number | undefined): Api => ({
  ...api,
  maxVersion: Math.min(api.maxVersion, highest ?? api.minVersion - 1),
})

export const withProfile = (parts: BrokerParts, name: ProfileName): BrokerParts => {
  const highest: HighestVersions | null = profiles[name]
  if (highest === null) return parts
  const capped = (Object.keys(parts.messages) as ApiName[]).map(
    (api) => [api, cap(parts.messages[api], highest[api])] as const,
  )
  return { ...parts, messages: Object.fromEntries(capped) as Messages }
}

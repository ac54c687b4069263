/** What a scenario can find, by name: a scenario's `defect` names one of them. */
export const checks = {
  'timeline-kept': 'every step of the timeline came to pass within the limit',
  'group-settles': 'in the end every live member has its partitions, and the group is quiet',
  'fair-share': 'every live member of the settled group owns its share: at least floor(P/C)',
  complete: 'every partition has an owner in the settled group',
  disjoint: 'no partition has two owners in one generation',
  'first-assignment': 'every member got its first partition in time',
  'generations-bounded': 'no more generations than members that came, left or crashed, plus one',
  'member-ids-distinct': 'no two members share an id, and no member used more ids than it should',
  'no-ghosts':
    'every member of a generation is one that was let in, and not left over from a retry',
  'described-members': 'DescribeGroups names the live members and no others',
  'sync-after-leader': 'no follower is synced before its leader, nor with less than it was given',
  'heartbeats-current': 'no heartbeat of an old generation is taken for a current one',
  'answers-sound': 'every answer on the wire can be read, and is one that Kafka would give',
  'members-healthy': 'no member gave up or met an error that is not part of the story',
  'acked-equals-watermark-delta': 'as many records are in the log as were acked',
  'counts-equal': 'as many records were delivered as the log holds, per partition',
  'nothing-lost-in-log': 'every acked record is in the log (lost-write)',
  'nothing-lost-on-way': 'every record of the log was delivered (unseen, poll-skip)',
  'stored-once': 'no record is in the log twice (duplicate)',
  'read-once': 'no record was read twice (nonmonotonic-poll)',
  'order-kept': 'records of a partition arrive in the order in which they were sent',
  'no-corruption': 'every checksum matches',
  'records-per-partition': 'each partition delivered exactly so many records',
  'records-per-member': 'each member read exactly so many records',
  'contamination-told': 'records of another run are counted as such',
  'commits-kept': "the group's committed offsets are what was read",
  'restart-resumes': 'a member that comes back goes on where the group had committed',
  'probe-offset-fetch': 'OffsetFetch answers every partition, in every version',
  'probe-offset-commit': 'OffsetCommit of every version can be read and is kept',
  'probe-list-offsets': 'ListOffsets of every version tells the same offsets',
  'probe-fetch': 'fetched batches have the CRC of their bytes, and the high watermark is told',
  'probe-pace': 'the broker is as fast as a correct one beside it',
} as const

export type CheckName = keyof typeof checks
export const checkNames = Object.keys(checks) as [CheckName, ...CheckName[]]

/** Where a partition lies: its replicas, its leader, and the epochs of its leaders (Kafka: PartitionRegistration, LeaderEpochFileCache). */

interface LeaderEpoch {
  readonly epoch: number
  /** The log's end when the epoch began. */
  readonly startOffset: number
}

export interface Placement {
  /** Node ids, the preferred leader first. All are in sync, since they share one log. */
  readonly replicas: readonly number[]
  readonly leaderId: number
  readonly leaderEpoch: number
  /** Oldest first; an epoch that ended without a record is left out. */
  readonly epochs: readonly LeaderEpoch[]
}

/** Led by its first replica from the beginning. */
export const newPlacement = (replicas: readonly number[]): Placement => ({
  replicas,
  leaderId: replicas[0] ?? -1,
  leaderEpoch: 0,
  epochs: [{ epoch: 0, startOffset: 0 }],
})

/** Of a partition of which nothing else is known: on node 1 alone. */
export const onFirstNode: Placement = newPlacement([1])

/** Led by `leaderId` from `startOffset`, the log's end, on. */
export const withLeader = (
  { replicas, leaderEpoch, epochs }: Placement,
  leaderId: number,
  startOffset: number,
): Placement => {
  const next = { epoch: leaderEpoch + 1, startOffset }
  return {
    replicas,
    leaderId,
    leaderEpoch: next.epoch,
    epochs: [...epochs.filter((known) => known.startOffset < startOffset), next],
  }
}

/** The epoch that the record at `offset` has, or will have. */
export const epochAt = ({ leaderEpoch, epochs }: Placement, offset: number): number =>
  epochs.findLast(({ startOffset }) => startOffset <= offset)?.epoch ?? leaderEpoch

/** The newest epoch up to `epoch` that has records, and one past its last offset; null when there is none. */
export const endOfEpoch = (
  { leaderEpoch, epochs }: Placement,
  epoch: number,
  logEndOffset: number,
): { leaderEpoch: number; endOffset: number } | null => {
  if (epoch < 0 || epoch > leaderEpoch) return null
  if (epoch === leaderEpoch) return { leaderEpoch, endOffset: logEndOffset }
  const floor = epochs.findLast((known) => known.epoch <= epoch)
  const next = epochs.find((known) => known.epoch > epoch)
  return {
    leaderEpoch: floor?.epoch ?? epoch,
    endOffset: next?.startOffset ?? logEndOffset,
  }
}

/** Replicas of partitions `from` to `count` - 1: leaders go round the nodes, followers are the next ones. */
export const spreadReplicas = (
  nodeCount: number,
  {
    from = 0,
    count,
    factor,
    seed = 0,
  }: { from?: number; count: number; factor: number; seed?: number },
): number[][] =>
  Array.from({ length: count - from }, (_, i) => {
    const leader = seed + from + i
    return Array.from({ length: factor }, (_node, k) => ((leader + k) % nodeCount) + 1)
  })

/** Java's `String.hashCode`, not negative, as Kafka finds the coordinator of a group by it. */
export const hashOf = (text: string): number => {
  let hash = 0
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash === -(2 ** 31) ? 0 : Math.abs(hash)
}

/** Where a group stands when a consume phase begins: what it starts from and what it is to reach. */
import type { PartitionWatermarks } from '../clients/driver.ts'
import { messageOf, SurroundingsError } from '../errors.ts'
import type { Warning } from '../results/result.ts'
import type { RunContext } from './run-context.ts'

export interface GroupStart {
  readonly before: readonly PartitionWatermarks[]
  /** First offset to read, by partition. */
  readonly fromOffsets: ReadonlyMap<number, number>
  /** End offsets when the phase starts, exclusive, by partition. */
  readonly targets: ReadonlyMap<number, number>
  /** Commits beyond the end of their partition, which say nothing; by partition. */
  readonly staleCommits: ReadonlyMap<number, number>
  readonly hasForeignMembers: boolean
  readonly warnings: readonly Warning[]
}

/** Sets the group's offsets to the beginning or the end. Throws a `SurroundingsError` when it has members. */
const resetOffsets = async (
  { admin, options, groupId, topic }: RunContext,
  members: readonly string[],
  before: readonly PartitionWatermarks[],
): Promise<Map<number, number>> => {
  if (members.length > 0) {
    throw new SurroundingsError(
      `--from ${options.from}: group ${groupId} has ${members.length} members; it must be empty`,
    )
  }
  const offsets = new Map(
    before.map(({ partition, low, high }) => [partition, options.from === 'latest' ? high : low]),
  )
  try {
    await admin.setCommittedOffsets(groupId, topic.name, offsets)
  } catch (error) {
    throw new SurroundingsError(
      `--from ${options.from}: offsets of group ${groupId} not reset: ${messageOf(error)}`,
      { cause: error },
    )
  }
  return offsets
}

/** A commit outside the log is worth nothing: the broker answers such a fetch with an error and clients start over. */
const usableCommit = (
  { partition, low, high }: PartitionWatermarks,
  committed: ReadonlyMap<number, number>,
): number | null => {
  const offset = committed.get(partition) ?? -1
  return offset >= low && offset <= high ? offset : null
}

export const readGroupStart = async (context: RunContext): Promise<GroupStart> => {
  const { admin, options, groupId, topic } = context
  const members = await admin.groupMembers(groupId)
  // Before the end offsets: what a live group commits in between is not beyond them.
  const committed = await admin.committedOffsets(groupId, topic.name)
  const before = await admin.watermarks(topic.name)
  const staleCommits = new Map<number, number>()
  let fromOffsets = new Map<number, number>()
  if (options.from === 'committed') {
    for (const one of before) {
      fromOffsets.set(one.partition, usableCommit(one, committed) ?? one.low)
      const offset = committed.get(one.partition) ?? -1
      if (offset > one.high) staleCommits.set(one.partition, offset)
    }
  } else {
    fromOffsets = await resetOffsets(context, members, before)
  }
  return {
    before,
    fromOffsets,
    targets: new Map(before.map(({ partition, high }) => [partition, high])),
    staleCommits,
    hasForeignMembers: members.length > 0,
    warnings: [...staleCommits].map(([partition, offset]) => ({
      code: 'commit-beyond-end',
      text: `group ${groupId} committed offset ${offset} in partition ${partition}, beyond its end`,
      advice: 'The topic was made anew since; use another group or --from earliest.',
    })),
  }
}

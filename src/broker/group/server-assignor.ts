import { decodeSubscription, encodeAssignment } from '../../protocol/consumer-protocol.ts'
import type { MemberAssignment } from './requests.ts'
import type { Roster } from './roster.ts'
import { consumerProtocolType } from './subscription.ts'

/** The assignment that a broker makes in the place of a leader that never syncs: each partition to whoever reads its topic and has least. */

interface Share {
  readonly memberId: string
  readonly topics: readonly string[]
  readonly partitions: Map<string, number[]>
  count: number
}

/** Null when a subscription cannot be told, or names partitions that its member still owns: those are not to be handed over in one step. */
const sharesOf = ({ members, protocolType, protocolName }: Roster): Share[] | null => {
  if (protocolType !== consumerProtocolType || protocolName === null) return null
  const shares: Share[] = []
  for (const member of members.values()) {
    try {
      const { topics, ownedPartitions } = decodeSubscription(member.metadataOf(protocolName)).value
      if (ownedPartitions.length > 0) return null
      shares.push({ memberId: member.memberId, topics, partitions: new Map(), count: 0 })
    } catch {
      return null
    }
  }
  return shares
}

const give = (share: Share, topic: string, partition: number): void => {
  const own = share.partitions.get(topic) ?? []
  own.push(partition)
  share.partitions.set(topic, own)
  share.count++
}

/**
 * An assignment for each member, in the form of the consumer protocol, version 0. `partitionCountOf` is 0 for a topic that there is not.
 * Null when the broker cannot know what the members would make of it.
 */
export const assignEvenly = (
  roster: Roster,
  partitionCountOf: (topic: string) => number,
): MemberAssignment[] | null => {
  const shares = sharesOf(roster)
  if (shares === null) return null
  for (const topic of new Set(shares.flatMap(({ topics }) => topics))) {
    const readers = shares.filter(({ topics }) => topics.includes(topic))
    for (let partition = 0; partition < partitionCountOf(topic); partition++) {
      const least = readers.reduce((a, b) => (b.count < a.count ? b : a))
      give(least, topic, partition)
    }
  }
  return shares.map(({ memberId, partitions }) => ({
    memberId,
    assignment: encodeAssignment(0, {
      assignedPartitions: [...partitions].map(([topic, own]) => ({ topic, partitions: own })),
    }),
  }))
}

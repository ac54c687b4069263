/** What the members of a group tell one another: whom they are, what they own, and who shall have what from now on. */
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  maxConsumerProtocolVersion,
} from '../../protocol/consumer-protocol.ts'
import type { Assignor } from '../driver.ts'
import type { JoinAnswer, MemberAssignment } from './group-requests.ts'

export interface Subscriber {
  readonly memberId: string
  readonly groupInstanceId?: string | null
  /** What it says it owns; only a cooperative assignor asks. */
  readonly owned: readonly number[]
  /** In which it came to own that; -1 when it does not tell. */
  readonly generationId?: number
}

/** Bytes as Kafka's Java client writes them: the cooperative assignor's user data is the generation again. */
export const subscriptionBytes = (
  assignor: Assignor,
  {
    topic,
    owned,
    generationId,
    rackId,
  }: {
    topic: string
    owned: readonly number[]
    generationId: number
    rackId: string | null
  },
): Buffer => {
  const userData = Buffer.alloc(4)
  userData.writeInt32BE(generationId)
  return encodeSubscription(maxConsumerProtocolVersion, {
    topics: [topic],
    userData: assignor === 'cooperative-sticky' ? userData : null,
    ownedPartitions: owned.length === 0 ? [] : [{ topic, partitions: [...owned] }],
    generationId,
    rackId,
  })
}

/** The topics that any member subscribes to. */
export const topicsOf = ({ members }: Pick<JoinAnswer, 'members'>): string[] => [
  ...new Set(members.flatMap(({ metadata }) => decodeSubscription(metadata).value.topics)),
]

/** As the leader of the group: everyone's share of each topic, for SyncGroup. */
export const assignGroup = (
  assignor: Assignor,
  { members }: Pick<JoinAnswer, 'members'>,
  partitionsOf: ReadonlyMap<string, readonly number[]>,
): MemberAssignment[] => {
  const told = members.map((member) => ({
    ...member,
    ...decodeSubscription(member.metadata),
    assignedPartitions: [] as { topic: string; partitions: number[] }[],
  }))
  for (const [topic, all] of partitionsOf) {
    const subscribers = told
      .filter(({ value }) => value.topics.includes(topic))
      .map(({ memberId, groupInstanceId, version, value }) => ({
        memberId,
        groupInstanceId,
        owned: value.ownedPartitions.flatMap((own) => (own.topic === topic ? own.partitions : [])),
        generationId: generationOf(version, value),
      }))
    const shares = shareOut(assignor, subscribers, all)
    for (const { memberId, assignedPartitions } of told) {
      const partitions = shares.get(memberId) ?? []
      if (partitions.length > 0) assignedPartitions.push({ topic, partitions })
    }
  }
  return told.map(({ memberId, assignedPartitions }) => ({
    memberId,
    assignment: encodeAssignment(0, { assignedPartitions }),
  }))
}

/** Before version 2 it was in the user data of the cooperative assignor. Source: Kafka, CooperativeStickyAssignor. */
const generationOf = (
  version: number,
  { generationId, userData }: { generationId: number; userData: Buffer | null },
): number => {
  if (version >= 2) return generationId
  return userData?.length === 4 ? userData.readInt32BE(0) : -1
}

/** The partitions of `topic`; none for a member that was given nothing at all. */
export const partitionsIn = (assignment: Buffer, topic: string): number[] =>
  assignment.length === 0
    ? []
    : decodeAssignment(assignment).value.assignedPartitions.flatMap((one) =>
        one.topic === topic ? one.partitions : [],
      )

/** Kafka's names on the wire. */
export const protocolNames: Readonly<Record<Assignor, string>> = {
  range: 'range',
  'round-robin': 'roundrobin',
  'cooperative-sticky': 'cooperative-sticky',
}

/**
 * Partitions by member id; everyone is in the answer. The first ones by id get one more where it does not come out even.
 * Cooperative: what a member gives up goes to nobody in this generation, since it reads it until it hears of it
 * (KIP-429); the rebalance after it gives it away.
 */
export const shareOut = (
  assignor: Assignor,
  subscribers: readonly Subscriber[],
  partitions: readonly number[],
): Map<string, number[]> => {
  if (subscribers.length === 0) return new Map()
  const members = subscribers.toSorted(byIdentity)
  const all = partitions.toSorted((a, b) => a - b)
  if (assignor === 'cooperative-sticky') return shareSticky(members, all)
  const share = Math.floor(all.length / members.length)
  const longer = all.length % members.length
  return new Map(
    members.map(({ memberId }, index) => {
      if (assignor === 'round-robin') {
        return [memberId, all.filter((_, at) => at % members.length === index)]
      }
      const from = index * share + Math.min(index, longer)
      return [memberId, all.slice(from, from + share + (index < longer ? 1 : 0))]
    }),
  )
}

/** Static members come first, by instance id. Source: Kafka, `MemberInfo.compareTo`. */
const byIdentity = (a: Subscriber, b: Subscriber): number => {
  const left = a.groupInstanceId ?? null
  const right = b.groupInstanceId ?? null
  if (left !== null && right !== null) return left < right ? -1 : 1
  if (left !== null || right !== null) return left === null ? 1 : -1
  return a.memberId < b.memberId ? -1 : 1
}

/** Without the claims of members that missed a generation: others own that by now. */
const withValidClaims = (members: readonly Subscriber[]): Subscriber[] => {
  const latest = Math.max(...members.map(({ generationId = -1 }) => generationId))
  return members.map((member) => {
    const { generationId = -1 } = member
    return generationId >= 0 && generationId < latest ? { ...member, owned: [] } : member
  })
}

const shareSticky = (
  subscribers: readonly Subscriber[],
  all: readonly number[],
): Map<string, number[]> => {
  const members = withValidClaims(subscribers)
  const shares = sharesOf(members, all.length)
  const shared = new Map<string, number[]>()
  const taken = new Set<number>()
  for (const { memberId, owned } of members) {
    const own = owned.filter((partition) => all.includes(partition) && !taken.has(partition))
    const kept = own.slice(0, shares.get(memberId))
    for (const partition of kept) taken.add(partition)
    shared.set(memberId, kept)
  }
  const held = new Set(members.flatMap(({ owned }) => owned))
  const free = all.filter((partition) => !held.has(partition))
  for (const [memberId, own] of shared) {
    own.push(...free.splice(0, (shares.get(memberId) ?? 0) - own.length))
    own.sort((a, b) => a - b)
  }
  return shared
}

/** Who owns most now gets the longer shares, so that the fewest partitions move. */
const sharesOf = (members: readonly Subscriber[], count: number): Map<string, number> => {
  const byOwned = members.toSorted((a, b) => b.owned.length - a.owned.length)
  const share = Math.floor(count / members.length)
  const longer = count % members.length
  return new Map(byOwned.map(({ memberId }, at) => [memberId, share + (at < longer ? 1 : 0)]))
}

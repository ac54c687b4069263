/** The partition assignors of kafkajs members, under Kafka's own protocol names so that other clients may join. */
import { AssignerProtocol, type PartitionAssigner, PartitionAssigners } from 'kafkajs'
import type { Assignor } from '../driver.ts'

const { MemberAssignment, MemberMetadata } = AssignerProtocol
const noUserData = Buffer.alloc(0)

/**
 * Partitions of one topic by member: consecutive ranges over the sorted member ids, the first ones longer by one.
 * Source: Kafka, RangeAssignor.
 */
export const assignRanges = (
  memberIds: readonly string[],
  partitions: readonly number[],
): Map<string, number[]> => {
  const members = memberIds.toSorted()
  const sorted = partitions.toSorted((a, b) => a - b)
  const size = Math.floor(sorted.length / members.length)
  const longer = sorted.length % members.length
  let from = 0
  return new Map(
    members.map((memberId, index) => {
      const to = from + size + (index < longer ? 1 : 0)
      const range = sorted.slice(from, to)
      from = to
      return [memberId, range]
    }),
  )
}

const range: PartitionAssigner = ({ cluster }) => ({
  name: 'range',
  version: 0,
  assign: ({ members, topics }) => {
    const assignments = new Map(members.map(({ memberId }) => [memberId, newAssignment()]))
    for (const topic of topics) {
      const subscribed = members.filter(({ memberMetadata }) =>
        MemberMetadata.decode(memberMetadata)?.topics.includes(topic),
      )
      const partitions = cluster.findTopicPartitionMetadata(topic).map((p) => p.partitionId)
      const ranges = assignRanges(
        subscribed.map(({ memberId }) => memberId),
        partitions,
      )
      for (const [memberId, own] of ranges) {
        const assignment = assignments.get(memberId)
        if (assignment !== undefined && own.length > 0) assignment[topic] = own
      }
    }
    return Promise.resolve(
      Array.from(assignments, ([memberId, assignment]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({ version: 0, assignment, userData: noUserData }),
      })),
    )
  },
  protocol: ({ topics }) => ({
    name: 'range',
    metadata: MemberMetadata.encode({ version: 0, topics, userData: noUserData }),
  }),
})

const newAssignment = (): Record<string, number[]> => ({})

/** kafkajs' own, which assigns as Kafka's RoundRobinAssignor does but calls itself RoundRobinAssigner. */
const roundRobin: PartitionAssigner = (surroundings) => {
  const assigner = PartitionAssigners.roundRobin(surroundings)
  return {
    name: 'roundrobin',
    version: assigner.version,
    assign: (group) => assigner.assign(group),
    protocol: (subscription) => ({ ...assigner.protocol(subscription), name: 'roundrobin' }),
  }
}

export const assigners: Partial<Record<Assignor, PartitionAssigner>> = {
  range,
  'round-robin': roundRobin,
}

/** Kafka's range assignor for @platformatic/kafka, which brings only its own round-robin. */
import type { Assignor } from '../driver.ts'

type Assigner = (
  current: string,
  members: ReadonlyMap<string, unknown>,
  topics: ReadonlySet<string>,
  cluster: { topics: ReadonlyMap<string, { partitionsCount: number }> },
) => { memberId: string; assignments: Map<string, { topic: string; partitions: number[] }> }[]

/** Of each topic, in the order of their ids, every member gets a range; the first ones get one partition more. */
export const rangeAssigner: Assigner = (_current, members, topics, cluster) => {
  const ids = [...members.keys()].toSorted()
  const shares = ids.map((memberId) => ({
    memberId,
    assignments: new Map<string, { topic: string; partitions: number[] }>(),
  }))
  for (const topic of topics) {
    const count = cluster.topics.get(topic)?.partitionsCount ?? 0
    const each = Math.floor(count / ids.length)
    const more = count % ids.length
    let next = 0
    shares.forEach(({ assignments }, index) => {
      const size = each + (index < more ? 1 : 0)
      if (size === 0) return
      const from = next
      next += size
      const partitions = Array.from({ length: size }, (_, place) => from + place)
      assignments.set(topic, { topic, partitions })
    })
  }
  return shares
}

/** The protocol's name as all clients know it, and what computes it; undefined is the library's own. */
export const protocols: Partial<
  Record<Assignor, { name: string; partitionAssigner: Assigner | undefined }>
> = {
  range: { name: 'range', partitionAssigner: rangeAssigner },
  'round-robin': { name: 'roundrobin', partitionAssigner: undefined },
}

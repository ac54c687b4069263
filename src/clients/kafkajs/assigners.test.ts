import { AssignerProtocol, type Cluster, type Logger } from 'kafkajs'
import { expect, test } from 'vitest'
import type { Assignor } from '../driver.ts'
import { assigners, assignRanges } from './assigners.ts'

const { MemberAssignment, MemberMetadata } = AssignerProtocol

const assign = async (assignor: Assignor, memberIds: string[], partitionCount: number) => {
  const cluster = {
    findTopicPartitionMetadata: () =>
      Array.from({ length: partitionCount }, (_, partitionId) => ({ partitionId })),
  } as unknown as Cluster
  const assigner = assigners[assignor]?.({ cluster, groupId: 'g', logger: {} as Logger })
  if (assigner === undefined) throw new Error(`no ${assignor}`)
  const { name, metadata } = assigner.protocol({ topics: ['t'] })
  const members = memberIds.map((memberId) => ({ memberId, memberMetadata: metadata }))
  const assignments = await assigner.assign({ members, topics: ['t'] })
  const decoded = assignments.map(({ memberId, memberAssignment }) => [
    memberId,
    MemberAssignment.decode(memberAssignment)?.assignment,
  ])
  return {
    name,
    topics: MemberMetadata.decode(metadata)?.topics,
    assigned: Object.fromEntries(decoded),
  }
}

test('ranges are consecutive and the first members get the odd partitions', () => {
  const ranges = assignRanges(['b', 'c', 'a'], [3, 1, 2, 0, 4, 6, 5])
  expect(Object.fromEntries(ranges)).toEqual({ a: [0, 1, 2], b: [3, 4], c: [5, 6] })
})

test('range: every member is in the answer, also without partitions', async () => {
  expect(await assign('range', ['b', 'a', 'c'], 2)).toEqual({
    name: 'range',
    topics: ['t'],
    assigned: { a: { t: [0] }, b: { t: [1] }, c: {} },
  })
})

test("round-robin deals in turn, under Kafka's protocol name", async () => {
  expect(await assign('round-robin', ['b', 'a'], 5)).toEqual({
    name: 'roundrobin',
    topics: ['t'],
    assigned: { a: { t: [0, 2, 4] }, b: { t: [1, 3] } },
  })
})

/** The port of a group member: its requests, sent, with what a member of one topic has to say in them. */
import type { Assignor } from '../driver.ts'
import { assignGroup, protocolNames, subscriptionBytes, topicsOf } from './assignment.ts'
import type { Answer, GroupPort } from './group-member.ts'
import type { GroupRequests } from './group-requests.ts'

export interface Subscription {
  readonly assignor: Assignor
  readonly topic: string
  readonly rackId: string | null
  /** What the member owns now. */
  readonly owned: () => readonly number[]
  /** As leader it shares out so many partitions of the topic. */
  readonly onShared: (partitionCount: number) => void
}

const answer = <Value>(work: Promise<Value>, done: (answer: Answer<Value>) => void): void => {
  void work.then(
    (value) => done({ value }),
    (error: unknown) => done({ error }),
  )
}

export const groupPort = (
  requests: GroupRequests,
  { assignor, topic, rackId, owned, onShared }: Subscription,
): GroupPort => ({
  join: (memberId, generationId, done) => {
    const metadata = subscriptionBytes(assignor, { topic, owned: owned(), generationId, rackId })
    answer(requests.join(memberId, { name: protocolNames[assignor], metadata }), done)
  },
  assign: (joined, done) => {
    const shared = async () => {
      const partitions = await requests.partitionsOf(topicsOf(joined))
      onShared(partitions.get(topic)?.length ?? 0)
      return assignGroup(assignor, joined, partitions)
    }
    answer(shared(), done)
  },
  sync: (identity, protocolName, assignments, done) =>
    answer(requests.sync(identity, protocolName, assignments), done),
  heartbeat: (identity, done) => answer(requests.heartbeat(identity), done),
})

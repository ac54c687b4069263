import type { Defect } from './defect.ts'
import { type FetchedOffsets, withFetchedOffsets } from './fetched-offsets.ts'

const repeatedRecords = 10

const lowered = (topics: FetchedOffsets): FetchedOffsets =>
  topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => ({
      ...partition,
      // -1 stays: nothing is committed there.
      committedOffset: Math.max(
        Math.min(partition.committedOffset, 0),
        partition.committedOffset - repeatedRecords,
      ),
    })),
  }))

const keyOf = (groupId: string, clientId: string | null): string => `${groupId}\n${clientId}`

/** What the last owner has read is read again by the next one, as if the last commit had come too late. */
export const duplicateDelivery: Defect = {
  name: 'duplicate-delivery',
  summary: `answers a member's first OffsetFetch after a rebalance up to ${repeatedRecords} records too low`,
  source: 'a commit that can be seen only some time after it was acknowledged',
  apply(parts) {
    /** Joins into a later generation that no OffsetFetch has followed yet, by group and client id. */
    const due = new Map<string, number>()
    const { handlers } = withFetchedOffsets(parts, (topics, { groupId, call }) => {
      const key = keyOf(groupId, call.clientId)
      const count = due.get(key) ?? 0
      if (count === 0) return topics
      due.set(key, count - 1)
      return lowered(topics)
    })
    return {
      ...parts,
      handlers: {
        ...handlers,
        async JoinGroup(request, call, broker) {
          const response = await parts.handlers.JoinGroup(request, call, broker)
          if (response?.errorCode === 0 && (response.generationId ?? -1) > 1) {
            const key = keyOf(request.groupId, call.clientId)
            due.set(key, (due.get(key) ?? 0) + 1)
          }
          return response
        },
      },
    }
  },
}

import type { OffsetFetchResponse } from '../../protocol/messages/offset-fetch.ts'
import type { Call } from '../context.ts'
import type { BrokerParts } from '../parts.ts'

/** What an OffsetFetch answers for one group. */
export type FetchedOffsets = NonNullable<OffsetFetchResponse['topics']>

export interface OffsetsAsked {
  readonly groupId: string
  /** Whether the request names no topics, so that all are meant. */
  readonly isForAll: boolean
  readonly call: Call
}

/** Parts whose OffsetFetch answers are changed, group by group. */
export const withFetchedOffsets = (
  parts: BrokerParts,
  change: (topics: FetchedOffsets, asked: OffsetsAsked) => FetchedOffsets,
): BrokerParts => ({
  ...parts,
  handlers: {
    ...parts.handlers,
    async OffsetFetch(request, call, broker) {
      const response = await parts.handlers.OffsetFetch(request, call, broker)
      if (response === null) return null
      if (call.version < 8) {
        const asked = { groupId: request.groupId, isForAll: request.topics === null, call }
        return { ...response, topics: change(response.topics ?? [], asked) }
      }
      const groups = (response.groups ?? []).map((group, i) => {
        const isForAll = request.groups[i]?.topics === null
        return {
          ...group,
          topics: change(group.topics, { groupId: group.groupId, isForAll, call }),
        }
      })
      return { ...response, groups }
    },
  },
})

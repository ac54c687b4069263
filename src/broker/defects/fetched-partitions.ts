import type { FetchResponse } from '../../protocol/messages/fetch.ts'
import type { BrokerParts } from '../parts.ts'

/** What a Fetch answers of one partition. */
export type FetchedPartition = FetchResponse['responses'][number]['partitions'][number]

/** Parts whose Fetch answers are changed, partition by partition. */
export const withFetchedPartitions = (
  parts: BrokerParts,
  change: (partition: FetchedPartition, topic: string) => FetchedPartition,
): BrokerParts => ({
  ...parts,
  handlers: {
    ...parts.handlers,
    async Fetch(request, call, broker) {
      const response = await parts.handlers.Fetch(request, call, broker)
      return (
        response && {
          ...response,
          responses: response.responses.map((topic) => ({
            ...topic,
            partitions: topic.partitions.map((partition) =>
              change(partition, topic.topic ?? topic.topicId ?? ''),
            ),
          })),
        }
      )
    },
  },
})

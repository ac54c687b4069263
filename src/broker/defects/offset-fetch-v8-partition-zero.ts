import type { Defect } from './defect.ts'

/** A client takes a partition that is not answered for one that it cannot read: librdkafka then fetched only partition 0. */
export const offsetFetchV8PartitionZero: Defect = {
  name: 'offset-fetch-v8-partition-zero',
  summary: 'answers OffsetFetch v8 and later for partition 0 of each topic only',
  source:
    'Chronik 2.4: the partitions of the request were read and thrown away; 46 % of records consumed',
  apply: (parts) => ({
    ...parts,
    handlers: {
      ...parts.handlers,
      OffsetFetch(request, call, broker) {
        const groups = request.groups.map((group) => ({
          ...group,
          topics:
            group.topics?.map(({ name }) => ({ name, partitionIndexes: [0] })) ?? group.topics,
        }))
        return parts.handlers.OffsetFetch({ ...request, groups }, call, broker)
      },
    },
  }),
}

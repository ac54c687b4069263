import type { Defect } from './defect.ts'
import { withFetchedOffsets } from './fetched-offsets.ts'

/** Whoever asks where a group stands, as tools do, sees it without most of its partitions. */
export const offsetFetchAllMeansZero: Defect = {
  name: 'offset-fetch-all-means-zero',
  summary: 'answers an OffsetFetch that asks for all partitions with partition 0 only',
  source: 'Chronik 2.5: an empty list of partitions was taken for partition 0',
  apply: (parts) =>
    withFetchedOffsets(parts, (topics, { isForAll }) =>
      isForAll
        ? topics.map(({ name, partitions }) => ({
            name,
            partitions: partitions.filter(({ partitionIndex }) => partitionIndex === 0),
          }))
        : topics,
    ),
}

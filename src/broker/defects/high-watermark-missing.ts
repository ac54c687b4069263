import type { Defect } from './defect.ts'
import { withFetchedPartitions } from './fetched-partitions.ts'

/** Consumers that compute their lag, or that wait for the end, are lost. */
export const highWatermarkMissing: Defect = {
  name: 'high-watermark-missing',
  summary: 'answers every Fetch with the high watermark -1 and no error',
  source: 'redpanda#580, franz-go#1222',
  apply: (parts) =>
    withFetchedPartitions(parts, (partition) => ({
      ...partition,
      highWatermark: -1,
      lastStableOffset: -1,
    })),
}

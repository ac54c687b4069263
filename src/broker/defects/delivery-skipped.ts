import { wholeBatchSize } from '../../protocol/record-batch.ts'
import type { Defect } from './defect.ts'
import { type FetchedPartition, withFetchedPartitions } from './fetched-partitions.ts'

const skippedEvery = 5

/** The records are in the log and in the watermark, but one reader in a while is not given them. */
export const deliverySkipped: Defect = {
  name: 'delivery-skipped',
  summary: `leaves the first batch out of every ${skippedEvery}th Fetch answer that has more than one`,
  source:
    'poll-skip of Jepsen’s Kafka workload; "lost on the way" of Kafka’s ProduceConsumeValidateTest',
  apply(parts) {
    let answers = 0
    const skipFirst = (partition: FetchedPartition): FetchedPartition => {
      const { records } = partition
      if (!Buffer.isBuffer(records)) return partition
      const size = wholeBatchSize(records, 0)
      if (typeof size !== 'number' || size === records.length) return partition
      answers++
      return answers % skippedEvery === 0
        ? { ...partition, records: records.subarray(size) }
        : partition
    }
    return withFetchedPartitions(parts, skipFirst)
  },
}

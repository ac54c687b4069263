import {
  baseOffsetOf,
  codecOf,
  decodeBatch,
  encodeBatch,
  wholeBatchSize,
} from '../../protocol/record-batch.ts'
import type { Defect } from './defect.ts'
import { withFetchedPartitions } from './fetched-partitions.ts'

const crcPosition = 17

/** One uncompressed batch encoded anew: what a client left unset (-1) has become 0, and the CRC is that of the old bytes. */
const reencode = (batch: Buffer): Buffer => {
  if (codecOf(batch) !== 0) return batch
  const again = encodeBatch([...decodeBatch(batch)], {
    baseOffset: baseOffsetOf(batch),
    producerId: 0,
    producerEpoch: 0,
    baseSequence: 0,
  })
  batch.copy(again, crcPosition, crcPosition, crcPosition + 4)
  return again
}

const reencodeAll = (records: Buffer): Buffer[] => {
  const batches: Buffer[] = []
  for (let start = 0; ; ) {
    const size = wholeBatchSize(records, start)
    if (typeof size !== 'number') return batches
    batches.push(reencode(records.subarray(start, start + size)))
    start += size
  }
}

/** Clients that check CRCs refuse every record; the others do not notice. */
export const reencodedBatches: Defect = {
  name: 'reencoded-batches',
  summary: 'answers uncompressed batches encoded anew, under the CRC that the producer computed',
  source: 'Chronik with Java clients and kafka-python: CRC errors on uncompressed batches',
  apply: (parts) =>
    withFetchedPartitions(parts, (partition) =>
      Buffer.isBuffer(partition.records)
        ? { ...partition, records: reencodeAll(partition.records) }
        : partition,
    ),
}

/**
 * Produce requests in place, and their answers without objects: versions 3 to 8, whose layout is fixed. The tables of
 * src/protocol say the same, slower, and read what is not as usual.
 */
import { decodeResponse } from '../../protocol/api.ts'
import { encodeRequestFrame } from '../../protocol/header.ts'
import { produce } from '../../protocol/messages/produce.ts'
import type { Acks } from '../driver.ts'

/** The last one that is not flexible; Kafka 4 and Redpanda have it, or the one before. */
export const lastVersion = 8

const correlationIdAt = 8
const twoTo32 = 2 ** 32

export interface ProducerId {
  readonly id: number
  readonly epoch: number
}

/** All requests of one producer to one broker begin alike: everything up to the count of partitions. */
export class ProducePrefix {
  readonly #bytes: Buffer

  constructor(
    version: number,
    clientId: string,
    { topic, acks, timeoutMs }: { topic: string; acks: Acks; timeoutMs: number },
  ) {
    const topicData = [{ name: topic, partitionData: [] }]
    const header = { correlationId: 0, clientId }
    const request = { acks, timeoutMs, topicData }
    this.#bytes = Buffer.concat(encodeRequestFrame(produce, version, header, request))
  }

  get sizeBytes(): number {
    return this.#bytes.length
  }

  /** Returns where the first partition begins. */
  write(bytes: Buffer, at: number, correlationId: number, partitions: number): number {
    const end = at + this.#bytes.length
    bytes.set(this.#bytes, at)
    bytes.writeInt32BE(correlationId, at + correlationIdAt)
    bytes.writeInt32BE(partitions, end - 4)
    return end
  }
}

export interface PartitionAnswer {
  partition: number
  errorCode: number
  baseOffset: number
  message: string | null
}

/** Calls `take` for each partition of the answer in `bytes[start, end)`; the object is used again. */
export const readProduceAnswer = (
  version: number,
  topic: string,
  bytes: Buffer,
  { start, end }: { start: number; end: number },
  take: (answer: PartitionAnswer) => void,
): void => {
  // Correlation id, count of topics, name, count of partitions.
  const first = start + 4 + 4 + 2 + Buffer.byteLength(topic) + 4
  const partitionBytes = 22 + (version >= 5 ? 8 : 0) + (version >= 8 ? 6 : 0)
  const count = end < first ? -1 : bytes.readInt32BE(first - 4)
  if (bytes.readInt32BE(start + 4) !== 1 || first + count * partitionBytes + 4 !== end) {
    return readUnusual(version, topic, bytes.subarray(start + 4, end), take)
  }
  const answer: PartitionAnswer = { partition: 0, errorCode: 0, baseOffset: 0, message: null }
  for (let at = first; at < end - 4; at += partitionBytes) {
    answer.partition = bytes.readInt32BE(at)
    answer.errorCode = bytes.readInt16BE(at + 4)
    answer.baseOffset = bytes.readInt32BE(at + 6) * twoTo32 + bytes.readUInt32BE(at + 10)
    take(answer)
  }
}

const readUnusual = (
  version: number,
  topic: string,
  body: Buffer,
  take: (answer: PartitionAnswer) => void,
): void => {
  for (const { name, partitionResponses } of decodeResponse(produce, version, body).responses) {
    if (name !== topic) continue
    for (const { index, errorCode, baseOffset, errorMessage } of partitionResponses) {
      take({ partition: index, errorCode, baseOffset, message: errorMessage })
    }
  }
}

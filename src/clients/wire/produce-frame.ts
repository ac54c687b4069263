/**
 * Produce requests in place, and their answers without objects: versions 3 to 8, whose layout is fixed. The tables of
 * src/protocol say the same, slower, and read what is not as usual.
 */
import { decodeResponse } from '../../protocol/api.ts'
import { int16At, int32At, int64At } from '../../protocol/big-endian.ts'
import { encodeRequestFrame } from '../../protocol/header.ts'
import { produce } from '../../protocol/messages/produce.ts'
import type { Acks } from '../driver.ts'
import type { Memory } from './send-ring.ts'

/** The last one that is not flexible; Kafka 4 and Redpanda have it, or the one before. */
export const lastVersion = 8

const correlationIdAt = 8

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

  /** Writes a request of `partitions`, `sizeBytes` in all, up to the first partition, and returns where that begins. */
  write({ bytes, view }: Memory, at: number, partitions: number, sizeBytes: number): number {
    const end = at + this.#bytes.length
    bytes.set(this.#bytes, at)
    view.setInt32(at, sizeBytes - 4)
    view.setInt32(end - 4, partitions)
    return end
  }

  /** Of the request that begins at `at`. */
  setCorrelationId({ view }: Memory, at: number, correlationId: number): void {
    view.setInt32(at + correlationIdAt, correlationId)
  }
}

/** An answer, read partition by partition without an object for each; used again for the next one. */
export class ProduceAnswer {
  partition = 0
  errorCode = 0
  baseOffset = 0
  message: string | null = null
  readonly #version: number
  readonly #topic: string
  /** Correlation id, count of topics, name, count of partitions. */
  readonly #headBytes: number
  readonly #partitionBytes: number
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0
  #unusual: UnusualPartition[] = []

  constructor(version: number, topic: string) {
    this.#version = version
    this.#topic = topic
    this.#headBytes = 4 + 4 + 2 + Buffer.byteLength(topic) + 4
    this.#partitionBytes = 22 + (version >= 5 ? 8 : 0) + (version >= 8 ? 6 : 0)
  }

  /** Begins with the answer in `bytes[start, end)`. */
  open(bytes: Buffer, start: number, end: number): void {
    const first = start + this.#headBytes
    const count = end < first ? -1 : int32At(bytes, first - 4)
    this.#bytes = bytes
    this.#at = first
    // Behind the partitions comes the throttle time.
    this.#end = first + count * this.#partitionBytes
    if (count >= 0 && this.#end + 4 === end && int32At(bytes, start + 4) === 1) return
    this.#at = this.#end
    this.#unusual = this.#decode(bytes.subarray(start + 4, end))
  }

  /** Moves on to the next partition; false when there is none. */
  next(): boolean {
    const at = this.#at
    if (at === this.#end) return this.#nextUnusual()
    const bytes = this.#bytes
    this.partition = int32At(bytes, at)
    this.errorCode = int16At(bytes, at + 4)
    this.baseOffset = int64At(bytes, at + 6)
    this.message = null
    this.#at = at + this.#partitionBytes
    return true
  }

  #decode(body: Buffer): UnusualPartition[] {
    const { responses } = decodeResponse(produce, this.#version, body)
    return responses.flatMap(({ name, partitionResponses }) =>
      name === this.#topic ? partitionResponses : [],
    )
  }

  #nextUnusual(): boolean {
    const next = this.#unusual.shift()
    if (next === undefined) return false
    this.partition = next.index
    this.errorCode = next.errorCode
    this.baseOffset = next.baseOffset
    this.message = next.errorMessage
    return true
  }
}

interface UnusualPartition {
  readonly index: number
  readonly errorCode: number
  readonly baseOffset: number
  readonly errorMessage: string | null
}

import { isFlexible } from '../protocol/api.ts'
import { int16At, int32At, putInt16, putInt32, putInt64 } from '../protocol/big-endian.ts'
import { errorCode } from '../protocol/errors.ts'
import { type ProduceRequest, type ProduceResponse, produce } from '../protocol/messages/produce.ts'
import type { AnswerBuffer } from './answer-buffer.ts'

/**
 * Reads and writes Produce as producers and brokers nearly always put it, several times as fast as the tables do: no
 * transaction, no tagged fields, no errors. Whatever else comes is left to the tables.
 */

type Topic = ProduceRequest['topicData'][number]
type Partition = Topic['partitionData'][number]
type TopicResponse = ProduceResponse['responses'][number]
type PartitionResponse = TopicResponse['partitionResponses'][number]

/** What a varint has in one byte, less the one that lengths have more. */
const shortLimit = 126
const logStartFromVersion = 5
const messageFromVersion = 8

const isPlainPartition = (response: PartitionResponse): boolean =>
  response.errorCode === errorCode.NONE &&
  response.errorMessage === undefined &&
  response.recordErrors === undefined &&
  response.currentLeader === undefined

/** Whether `known` lies in `bytes` from `start` on. */
export const isAt = (bytes: Buffer, start: number, known: Buffer): boolean => {
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false
  return true
}

/** A text that comes again and again: made of its bytes only when they differ from the last ones. */
export class RepeatedText {
  text = ''
  bytes: Buffer = Buffer.alloc(0)

  read(bytes: Buffer, start: number, end: number): string {
    if (end - start !== this.bytes.length || !isAt(bytes, start, this.bytes)) {
      this.bytes = Buffer.from(bytes.subarray(start, end))
      this.text = this.bytes.toString()
    }
    return this.text
  }
}

/** One for each connection: it knows the topic that was named last. */
export class PlainProduce {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0
  #isFlexible = false
  /** False once something has been met that is not plain. */
  #isPlain = true
  readonly #name = new RepeatedText()
  /** Where the last partition of the last request begins. */
  partitionAt = 0

  /** The request whose body is `bytes[start, end)`; record data are views. null when it is to be left to the tables. */
  read(bytes: Buffer, start: number, end: number, version: number): ProduceRequest | null {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.#isFlexible = isFlexible(produce, version)
    this.#isPlain = true
    if (this.#isFlexible) this.#expect(this.#byte(), 0)
    else this.#expect(this.#int16(), -1)
    const acks = this.#int16()
    const timeoutMs = this.#int32()
    const topicData: Topic[] = []
    for (let left = this.#count(); left > 0 && this.#isPlain; left--) topicData.push(this.#topic())
    this.#endStruct()
    return this.#isPlain ? { transactionalId: null, acks, timeoutMs, topicData } : null
  }

  /** Size, header and body; false, and nothing written, when it is to be left to the tables. */
  write(
    out: AnswerBuffer,
    version: number,
    correlationId: number,
    { responses, nodeEndpoints = [], throttleTimeMs = 0 }: ProduceResponse,
  ): boolean {
    const [topic] = responses
    if (topic === undefined || responses.length !== 1 || topic.name !== this.#name.text)
      return false
    if (nodeEndpoints.length > 0 || throttleTimeMs !== 0) return false
    const { partitionResponses } = topic
    const nameBytes = this.#name.bytes
    if (partitionResponses.length > shortLimit || nameBytes.length > shortLimit) return false
    if (!partitionResponses.every(isPlainPartition)) return false

    const isFlexibleVersion = isFlexible(produce, version)
    const partitionBytes = isFlexibleVersion
      ? 33
      : 22 + (version < logStartFromVersion ? 0 : 8) + (version < messageFromVersion ? 0 : 6)
    const frameBytes = isFlexibleVersion ? 18 : 22
    const sizeBytes = frameBytes + nameBytes.length + partitionResponses.length * partitionBytes
    let at = out.take(sizeBytes)
    const { bytes } = out
    at = putInt32(bytes, at, sizeBytes - 4)
    at = putInt32(bytes, at, correlationId)
    if (isFlexibleVersion) {
      bytes[at++] = 0
      bytes[at++] = 2
      bytes[at++] = nameBytes.length + 1
    } else {
      at = putInt32(bytes, at, 1)
      at = putInt16(bytes, at, nameBytes.length)
    }
    bytes.set(nameBytes, at)
    at += nameBytes.length
    if (isFlexibleVersion) bytes[at++] = partitionResponses.length + 1
    else at = putInt32(bytes, at, partitionResponses.length)
    for (const response of partitionResponses) at = writePartition(bytes, at, version, response)
    if (isFlexibleVersion) bytes[at++] = 0
    at = putInt32(bytes, at, 0)
    if (isFlexibleVersion) bytes[at] = 0
    return true
  }

  #topic(): Topic {
    const name = this.#topicName()
    const partitionData: Partition[] = []
    for (let left = this.#count(); left > 0 && this.#isPlain; left--) {
      this.partitionAt = this.#at
      const index = this.#int32()
      const sizeBytes = this.#length()
      const start = this.#take(sizeBytes)
      partitionData.push({ index, records: this.#bytes.subarray(start, start + sizeBytes) })
      this.#endStruct()
    }
    this.#endStruct()
    return { name, partitionData }
  }

  #topicName(): string {
    const sizeBytes = this.#isFlexible ? this.#length() : this.#int16()
    const start = this.#take(sizeBytes)
    return this.#isPlain ? this.#name.read(this.#bytes, start, start + sizeBytes) : ''
  }

  #count(): number {
    const count = this.#length()
    if (count < 0) this.#isPlain = false
    return count
  }

  /** Of an array or of records; -1 is null. */
  #length(): number {
    return this.#isFlexible ? this.#varint() - 1 : this.#int32()
  }

  #endStruct(): void {
    if (this.#isFlexible) this.#expect(this.#byte(), 0)
  }

  #expect(value: number, expected: number): void {
    if (value !== expected) this.#isPlain = false
  }

  /** Where the next `sizeBytes` bytes begin. */
  #take(sizeBytes: number): number {
    const start = this.#at
    if (!(sizeBytes >= 0 && start + sizeBytes <= this.#end)) {
      this.#isPlain = false
      return 0
    }
    this.#at = start + sizeBytes
    return start
  }

  #byte(): number {
    const start = this.#take(1)
    return this.#isPlain ? (this.#bytes[start] as number) : 0
  }

  #int16(): number {
    const start = this.#take(2)
    return this.#isPlain ? int16At(this.#bytes, start) : 0
  }

  #int32(): number {
    const start = this.#take(4)
    return this.#isPlain ? int32At(this.#bytes, start) : 0
  }

  /** In at most four bytes: nothing in a request is larger. */
  #varint(): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    this.#isPlain = false
    return 0
  }
}

export const writePartition = (
  bytes: Buffer,
  start: number,
  version: number,
  { index, baseOffset, logAppendTimeMs = -1, logStartOffset = -1 }: PartitionResponse,
): number => {
  let at = putInt32(bytes, start, index)
  at = putInt16(bytes, at, errorCode.NONE)
  at = putInt64(bytes, at, baseOffset)
  at = putInt64(bytes, at, logAppendTimeMs)
  if (version >= logStartFromVersion) at = putInt64(bytes, at, logStartOffset)
  if (isFlexible(produce, version)) {
    // No record errors, no message, no tagged fields.
    bytes[at] = 1
    bytes[at + 1] = 0
    bytes[at + 2] = 0
    return at + 3
  }
  if (version < messageFromVersion) return at
  at = putInt32(bytes, at, 0)
  return putInt16(bytes, at, -1)
}

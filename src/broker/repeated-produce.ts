import { isFlexible } from '../protocol/api.ts'
import { int32At, putInt32 } from '../protocol/big-endian.ts'
import { errorCode } from '../protocol/errors.ts'
import { encodeResponseFrame } from '../protocol/header.ts'
import { type ProduceRequest, produce } from '../protocol/messages/produce.ts'
import type { AnswerBuffer } from './answer-buffer.ts'
import type { BrokerContext } from './context.ts'
import { appendOrRefuse } from './handlers/produce.ts'
import { isAt, writePartition } from './plain-produce.ts'

/**
 * Answers a Produce that begins as an earlier one of its connection did, byte by byte, without a request or a response: what
 * is left of it is a partition and its batch. Whatever else comes is left to `PlainProduce` and the handler.
 */

/** In a request behind API key and version, in an answer behind the size. */
const correlationAt = 4
/** A request goes on with what is the same in the next. */
const headAt = 8
/** In an answer, behind size, correlation id, the count of topics and the size of the name. */
const nameAt = 14

export class RepeatedProduce {
  #keyAndVersion = 0
  /** From behind the correlation id to the partition; null when nothing has been learned. */
  #head: Buffer | null = null
  #name = ''
  #request = { version: 0, transactionalId: null }
  /** All of an answer without an error. */
  #answer: Buffer = Buffer.alloc(0)
  /** Where its partition begins. */
  #partitionAt = 0

  /** `begin` is that of a frame, up to its last partition; `handleProduce` has answered the request in it. */
  learn(begin: Buffer, version: number, { acks, topicData }: ProduceRequest): void {
    const [topic] = topicData
    if (topic === undefined || topicData.length > 1 || topic.partitionData.length !== 1) return
    if ((acks !== 1 && acks !== -1) || isFlexible(produce, version)) return
    const { name } = topic
    const isKnown = name === this.#name
    this.#name = name
    this.#head = null
    // Topics that take turns are not worth it.
    if (!isKnown) return
    this.#keyAndVersion = int32At(begin, 0)
    this.#head = Buffer.from(begin.subarray(headAt))
    this.#request = { version, transactionalId: null }
    this.#answer = this.#encode(0, { index: 0, errorCode: errorCode.NONE, baseOffset: 0 })
    this.#partitionAt = nameAt + Buffer.byteLength(name) + 4
  }

  /** False, and nothing done, when the frame `bytes[start, end)` is another. */
  answer(
    bytes: Buffer,
    start: number,
    end: number,
    out: AnswerBuffer,
    broker: BrokerContext,
  ): boolean {
    const head = this.#head
    if (head === null || int32At(bytes, start) !== this.#keyAndVersion) return false
    const indexAt = start + headAt + head.length
    const recordsAt = indexAt + 8
    if (recordsAt > end || int32At(bytes, recordsAt - 4) !== end - recordsAt) return false
    if (!isAt(bytes, start + headAt, head)) return false
    const records = bytes.subarray(recordsAt, end)
    const index = int32At(bytes, indexAt)
    const response = appendOrRefuse(this.#name, index, records, this.#request, broker)
    const correlationId = int32At(bytes, start + correlationAt)
    if (response.errorCode !== errorCode.NONE) {
      out.add([this.#encode(correlationId, response)])
      return true
    }
    const answer = this.#answer
    const at = out.take(answer.length)
    out.bytes.set(answer, at)
    putInt32(out.bytes, at + correlationAt, correlationId)
    writePartition(out.bytes, at + this.#partitionAt, this.#request.version, response)
    return true
  }

  #encode(correlationId: number, response: ReturnType<typeof appendOrRefuse>): Buffer {
    const responses = [{ name: this.#name, partitionResponses: [response] }]
    return Buffer.concat(
      encodeResponseFrame(produce, this.#request.version, correlationId, { responses }),
    )
  }
}

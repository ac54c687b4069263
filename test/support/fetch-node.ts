/** A broker to fetch from, without a network: it answers when, and what, a test says. */
import type { Exchange } from '../../src/clients/wire/connection.ts'
import { ConnectionError } from '../../src/clients/wire/errors.ts'
import { decodeRequest } from '../../src/protocol/api.ts'
import { decodeRequestHeader, encodeResponseFrame } from '../../src/protocol/header.ts'
import { type FetchRequest, type FetchResponse, fetch } from '../../src/protocol/messages/fetch.ts'
import { encodeBatch } from '../../src/protocol/record-batch.ts'

type Partition = FetchResponse['responses'][number]['partitions'][number]

/** `count` records from `fromOffset` on. */
export const recordsFrom = (fromOffset: number, count: number): Buffer =>
  encodeBatch(
    Array.from({ length: count }, (_, index) => ({
      key: null,
      value: Buffer.from(`v${fromOffset + index}`),
      timestampMs: 0,
    })),
    { baseOffset: fromOffset },
  )

/** A data connection whose Fetches the test answers, oldest first; the answers all lie in the same bytes. */
export class FetchNode {
  readonly asked: FetchRequest[] = []
  readonly #open: Exchange[] = []
  readonly #bytes = Buffer.alloc(64 * 1024)
  readonly topicId: string | null
  isOpen = true

  constructor(topicId: string | null) {
    this.topicId = topicId
  }

  get version(): number {
    return this.topicId === null ? 12 : 17
  }

  versionOf(_: unknown, maxVersion: number): number {
    return Math.min(17, maxVersion)
  }

  takeCorrelationId(): number {
    return 7
  }

  deadlineNs(): number {
    return 0
  }

  enqueue(exchange: Exchange, bytes: Buffer): void {
    const frame = bytes.subarray(4)
    const { bodyOffset } = decodeRequestHeader(frame, true)
    this.asked.push(decodeRequest(fetch, this.version, frame, bodyOffset))
    this.#open.push(exchange)
  }

  get openFetches(): number {
    return this.#open.length
  }

  /** `[partition, offset]` of the last Fetch. */
  get lastAsked(): [number, number][] {
    const partitions = this.asked.at(-1)?.topics[0]?.partitions ?? []
    return partitions.map(({ partition, fetchOffset }) => [partition, fetchOffset])
  }

  answer(...partitions: (Partial<Partition> & { partitionIndex: number })[]): void {
    const exchange = this.#open.shift()
    if (exchange === undefined) throw new Error('no Fetch is open')
    const { topic = '', topicId } = this.asked.at(-1)?.topics[0] ?? {}
    const told = partitions.map((one) => ({
      errorCode: 0,
      highWatermark: 0,
      abortedTransactions: null,
      records: null,
      ...one,
    }))
    const responses = [{ topic, ...(topicId === undefined ? {} : { topicId }), partitions: told }]
    const frame = Buffer.concat(
      encodeResponseFrame(fetch, this.version, 7, { errorCode: 0, responses }),
    )
    this.#bytes.fill(0xee)
    frame.copy(this.#bytes, 0, 4)
    exchange.onAnswer(this.#bytes, 0, frame.length - 4)
    this.#bytes.fill(0xee)
  }

  lose(): void {
    this.isOpen = false
    this.#open.shift()?.onLost(new ConnectionError('closed', 'x:1', 'gone'))
  }
}

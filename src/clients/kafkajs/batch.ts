/** A kafkajs batch seen through the seam's cursor. */
import type { BatchCursor } from '../driver.ts'
import type { InnerBatch, InnerMessage } from './internals.ts'

const noBytes = new Uint8Array(0)
const headerName = 'bench'

class MessageCursor implements BatchCursor {
  readonly partition: number
  readonly fromOffset: number
  readonly toOffset: number
  readonly receivedAtNs: number
  offset = -1
  bytes: Uint8Array = noBytes
  readonly valueStart = 0
  valueLength = -1
  readonly #messages: readonly InnerMessage[]
  #index = -1

  constructor(
    place: { partition: number; fromOffset: number; toOffset: number },
    messages: readonly InnerMessage[],
    receivedAtNs: number,
  ) {
    this.partition = place.partition
    this.fromOffset = place.fromOffset
    this.toOffset = place.toOffset
    this.#messages = messages
    this.receivedAtNs = receivedAtNs
  }

  next(): boolean {
    const message = this.#messages[++this.#index]
    if (message === undefined) return false
    this.offset = Number(message.offset)
    this.bytes = message.value ?? noBytes
    this.valueLength = message.value?.length ?? -1
    return true
  }

  benchHeader(): Uint8Array | null {
    const given = this.#messages[this.#index]?.headers?.[headerName]
    const value = Array.isArray(given) ? given[0] : given
    return typeof value === 'string' ? Buffer.from(value) : (value ?? null)
  }
}

export const cursorOf = (batch: InnerBatch, receivedAtNs: number): BatchCursor =>
  new MessageCursor(
    {
      partition: batch.partition,
      fromOffset: Number(batch.fetchedOffset),
      toOffset: Number(batch.lastOffset()) + 1,
    },
    batch.messages,
    receivedAtNs,
  )

/** For a batch in which everything was filtered out: only the position moves. */
export const emptyCursor = (
  place: { partition: number; fromOffset: number; toOffset: number },
  receivedAtNs: number,
): BatchCursor => new MessageCursor(place, [], receivedAtNs)

/** A kafkajs batch seen through the seam's cursor. */
import { type BatchCursor, benchHeaderName } from '../driver.ts'
import { type BatchPlace, ObjectCursor } from '../object-cursor.ts'
import type { InnerBatch, InnerMessage } from './internals.ts'

class MessageCursor extends ObjectCursor {
  readonly #messages: readonly InnerMessage[]
  #index = -1

  constructor(place: BatchPlace, messages: readonly InnerMessage[], receivedAtNs: number) {
    super(place, receivedAtNs)
    this.#messages = messages
  }

  next(): boolean {
    const message = this.#messages[++this.#index]
    if (message === undefined) return false
    this.show(Number(message.offset), message.value)
    return true
  }

  benchHeader(): Uint8Array | null {
    const given = this.#messages[this.#index]?.headers?.[benchHeaderName]
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
export const emptyCursor = (place: BatchPlace, receivedAtNs: number): BatchCursor =>
  new MessageCursor(place, [], receivedAtNs)

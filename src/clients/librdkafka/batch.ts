/** Messages of one partition, as node-rdkafka hands them out, seen through the seam's cursor. */
import { type BatchCursor, benchHeaderName } from '../driver.ts'
import { type BatchPlace, ObjectCursor } from '../object-cursor.ts'
import type { Message } from './library.ts'

class MessageCursor extends ObjectCursor {
  readonly #messages: readonly Message[]
  #index = -1

  constructor(place: BatchPlace, messages: readonly Message[], receivedAtNs: number) {
    super(place, receivedAtNs)
    this.#messages = messages
  }

  next(): boolean {
    const message = this.#messages[++this.#index]
    if (message === undefined) return false
    this.show(message.offset, message.value)
    return true
  }

  benchHeader(): Uint8Array | null {
    const headers = this.#messages[this.#index]?.headers ?? []
    return headers.find((header) => benchHeaderName in header)?.[benchHeaderName] ?? null
  }
}

/**
 * One cursor per partition. It begins where the last one of its partition ended, as `positions` says, or else with its
 * first message: librdkafka does not tell of control records.
 */
export const cursorsOf = (
  messages: readonly Message[],
  positions: ReadonlyMap<number, number>,
  receivedAtNs: number,
): BatchCursor[] => {
  const byPartition = new Map<number, Message[]>()
  for (const message of messages) {
    const own = byPartition.get(message.partition)
    if (own === undefined) byPartition.set(message.partition, [message])
    else own.push(message)
  }
  return Array.from(byPartition, ([partition, own]) => {
    const fromOffset = positions.get(partition) ?? own[0]?.offset ?? 0
    const toOffset = (own.at(-1)?.offset ?? fromOffset - 1) + 1
    return new MessageCursor({ partition, fromOffset, toOffset }, own, receivedAtNs)
  })
}

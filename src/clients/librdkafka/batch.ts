/** Messages of one partition, as node-rdkafka hands them out, seen through the seam's cursor. */
import type { BatchCursor } from '../driver.ts'
import type { Message } from './library.ts'

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
  readonly #messages: readonly Message[]
  #index = -1

  constructor(
    partition: number,
    fromOffset: number,
    messages: readonly Message[],
    receivedAtNs: number,
  ) {
    this.partition = partition
    this.fromOffset = fromOffset
    this.toOffset = (messages.at(-1)?.offset ?? fromOffset - 1) + 1
    this.receivedAtNs = receivedAtNs
    this.#messages = messages
  }

  next(): boolean {
    const message = this.#messages[++this.#index]
    if (message === undefined) return false
    this.offset = message.offset
    this.bytes = message.value ?? noBytes
    this.valueLength = message.value?.length ?? -1
    return true
  }

  benchHeader(): Uint8Array | null {
    const headers = this.#messages[this.#index]?.headers ?? []
    return headers.find((header) => headerName in header)?.[headerName] ?? null
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
    return new MessageCursor(partition, fromOffset, own, receivedAtNs)
  })
}

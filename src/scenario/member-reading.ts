/** What a scripted member reads between two rebalances, through the reader of a driver. */
import type { BatchCursor, Consumer, Driver } from '../clients/driver.ts'
import { type Clock, sleep } from '../clock.ts'
import type { MemberLink } from './member-link.ts'
import type { MemberOptions } from './member-protocol.ts'
import { recordRunsOf } from './member-records.ts'

const limitMs = 10_000
const fetchMaxWaitMs = 250
const maxPartitionFetchBytes = 2 ** 20

export interface ReadingParts {
  readonly driver: Driver
  readonly options: MemberOptions
  readonly link: MemberLink
  readonly clock: Clock
  /** Called after each batch that was handled. */
  readonly onHandled: () => Promise<void>
  readonly onCrash: (message: string) => void
}

/** One assignment being read: `positions` moves on with what was handled, and stands still from `end` on. */
export class MemberReading {
  readonly positions: Map<number, number>
  readonly #parts: ReadingParts
  #reader: Promise<Consumer | null> = Promise.resolve(null)
  #isOver = false

  constructor(parts: ReadingParts, positions: ReadonlyMap<number, number>) {
    this.#parts = parts
    this.positions = new Map(positions)
  }

  begin(): void {
    if (this.positions.size === 0) return
    this.#reader = this.#open().catch((error: unknown) => {
      if (!this.#isOver) this.#parts.onCrash(String(error))
      return null
    })
  }

  async end(): Promise<void> {
    this.#isOver = true
    const reader = await this.#reader
    await reader?.close()
  }

  async #open(): Promise<Consumer> {
    const { driver, options, onCrash } = this.#parts
    const { topic, isolation, bootstrapServers, clientId } = options
    const partitions = Array.from(this.positions, ([partition, fromOffset]) => ({
      partition,
      fromOffset,
    }))
    const reader = await driver.createReader(
      {
        bootstrapServers,
        clientId,
        connectTimeoutMs: limitMs,
        requestTimeoutMs: limitMs,
        security: { tls: null, sasl: null },
        properties: {},
      },
      { topic, partitions, isolation, fetchMinBytes: 1, fetchMaxWaitMs, maxPartitionFetchBytes },
      {
        onBatch: (batch) => this.#onBatch(batch),
        onGroupEvent: () => {},
        onFetch: () => {},
        onCrash: ({ message }) => {
          if (!this.#isOver) onCrash(message)
        },
      },
    )
    await reader.start()
    return reader
  }

  async #onBatch(batch: BatchCursor): Promise<void> {
    const { link, clock, options, onHandled } = this.#parts
    if (options.batchDelayMs > 0) await sleep(clock, options.batchDelayMs)
    // What is told counts as read: from here to the position nothing may come between.
    if (this.#isOver) return
    const { partition, fromOffset, toOffset } = batch
    const runs = recordRunsOf(batch)
    link.tell({ type: 'batch', partition, fromOffset, toOffset, runs, atMs: clock.epochMs() })
    this.positions.set(partition, toOffset)
    await onHandled()
  }
}

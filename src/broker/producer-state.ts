import {
  baseOffsetOf,
  baseSequenceOf,
  hasProducerId,
  lastOffsetDeltaOf,
  producerEpochOf,
  producerIdOf,
} from '../protocol/record-batch.ts'

/** What one partition knows of its idempotent producers: their epoch and last batches (Kafka: ProducerStateManager). */

interface ProducerBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
}

interface Producer {
  epoch: number
  /** Oldest first. */
  batches: ProducerBatch[]
}

/** `append` it, answer it with the offset it already has, or refuse it with a Kafka error code. */
export type Verdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number }
  | { readonly kind: 'refuse'; readonly errorCode: 45 | 47; readonly message: string }

const rememberedBatches = 5
const rememberedProducers = 10_000
const maxSequence = 2 ** 31 - 1

/** Sequences wrap from 2^31 - 1 to 0. */
const addToSequence = (sequence: number, increment: number): number =>
  (sequence + increment) % (maxSequence + 1)

const append: Verdict = { kind: 'append' }

export class ProducerState {
  /** The least recently used first. */
  readonly #producers = new Map<number, Producer>()

  /** Judges a batch by its header. Source: ProducerAppendInfo.checkSequence. */
  check(batch: Buffer): Verdict {
    if (!hasProducerId(batch)) return append
    const producerId = producerIdOf(batch)
    // An unknown producer may begin anywhere: its state may have gone with old segments.
    const producer = this.#producers.get(producerId)
    if (!producer) return append
    const epoch = producerEpochOf(batch)
    const firstSequence = baseSequenceOf(batch)
    const lastSequence = addToSequence(firstSequence, lastOffsetDeltaOf(batch))
    const refuse = (errorCode: 45 | 47, why: string): Verdict => ({
      kind: 'refuse',
      errorCode,
      message: `producer ${producerId}, epoch ${epoch}, sequence ${firstSequence}: ${why}`,
    })
    if (epoch < producer.epoch) return refuse(47, `the current epoch is ${producer.epoch}`)
    if (epoch > producer.epoch) {
      return firstSequence === 0 ? append : refuse(45, 'a new epoch begins at sequence 0')
    }
    const twin = producer.batches.find(
      (known) => known.firstSequence === firstSequence && known.lastSequence === lastSequence,
    )
    if (twin) return { kind: 'duplicate', baseOffset: twin.baseOffset }
    const last = producer.batches.at(-1)
    if (!last) return append
    const expected = addToSequence(last.lastSequence, 1)
    return firstSequence === expected ? append : refuse(45, `expected was sequence ${expected}`)
  }

  /** Takes note of a batch that was appended, its offset assigned; of one without a producer id it notes nothing. */
  note(bytes: Buffer, start = 0): void {
    if (!hasProducerId(bytes, start)) return
    const producerId = producerIdOf(bytes, start)
    const epoch = producerEpochOf(bytes, start)
    const firstSequence = baseSequenceOf(bytes, start)
    const known = this.#producers.get(producerId)
    const producer = known?.epoch === epoch ? known : { epoch, batches: [] }
    producer.batches.push({
      firstSequence,
      lastSequence: addToSequence(firstSequence, lastOffsetDeltaOf(bytes, start)),
      baseOffset: baseOffsetOf(bytes, start),
    })
    if (producer.batches.length > rememberedBatches) producer.batches.shift()
    this.#producers.delete(producerId)
    this.#producers.set(producerId, producer)
    if (this.#producers.size > rememberedProducers) {
      const [oldest] = this.#producers.keys()
      if (oldest !== undefined) this.#producers.delete(oldest)
    }
  }

  /** The state as text for `restore`; null when there is nothing to keep. */
  save(): string | null {
    return this.#producers.size === 0 ? null : JSON.stringify([...this.#producers])
  }

  /** Takes over what `save` returned; null is no state. */
  restore(saved: string | null): void {
    this.#producers.clear()
    if (saved === null) return
    for (const [id, producer] of JSON.parse(saved) as [number, Producer][]) {
      this.#producers.set(id, producer)
    }
  }
}

/** Makes a record batch of a run: from a template when its values allow, else record by record. */
import type { Clock } from '../../clock.ts'
import { type Codec, compress } from '../../protocol/compression.ts'
import { wrapRecords } from '../../protocol/record-batch.ts'
import type { Compression, RecordRun, ValueTemplate } from '../driver.ts'
import { type BatchIdentity, BatchTemplate } from './batch-template.ts'
import { RecordEncoder } from './record-encoder.ts'

export const codecs: Readonly<Record<Compression, Codec>> = {
  none: 0,
  gzip: 1,
  snappy: 2,
  lz4: 3,
  zstd: 4,
}

export class Batches {
  readonly #codec: Codec
  readonly #clock: Clock
  readonly #encoder = new RecordEncoder()
  #timestampAtNs = Number.NaN
  #timestampMs = 0
  #values: ValueTemplate | null = null
  #template: BatchTemplate | null = null

  /** `readyCompression` of the codec has resolved. */
  constructor(codec: Codec, clock: Clock) {
    this.#codec = codec
    this.#clock = clock
  }

  /** The template that `run` can be made from; null when it has to be encoded. */
  templateFor(run: RecordRun): BatchTemplate | null {
    const values = run.payload.template ?? null
    if (values === null || run.keys !== null || this.#codec !== 0) return null
    if (values !== this.#values) {
      this.#values = values
      this.#template = new BatchTemplate(values)
    }
    return this.#template?.canHold(run.count) === true ? this.#template : null
  }

  /** Wall-clock time of a batch that is made at `nowNs`, which is now. */
  timestampMs(nowNs: number): number {
    if (nowNs !== this.#timestampAtNs) {
      this.#timestampAtNs = nowNs
      this.#timestampMs = Math.floor(this.#clock.epochMs())
    }
    return this.#timestampMs
  }

  encode(run: RecordRun, { producer, sequence }: BatchIdentity, timestampMs: number): Buffer {
    const records = this.#encoder.encode(run)
    return wrapRecords(compress(this.#codec, records), {
      count: run.count,
      attributes: this.#codec,
      baseTimestampMs: timestampMs,
      maxTimestampMs: timestampMs,
      producerId: producer.id,
      producerEpoch: producer.epoch,
      baseSequence: sequence,
    })
  }
}

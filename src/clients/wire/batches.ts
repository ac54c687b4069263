/** Makes a record batch of a run: from a template when its values allow, else record by record. */
import type { Clock } from '../../clock.ts'
import { type Codec, compress } from '../../protocol/compression.ts'
import { encodeBatch, headerBytes, type RecordInput } from '../../protocol/record-batch.ts'
import type { Compression, RecordRun, ValueTemplate } from '../driver.ts'
import { headRegister, type ProducerId, setCrc, writeBatchHead } from './produce-frame.ts'
import { RecordTemplate } from './record-template.ts'

export const codecs: Readonly<Record<Compression, Codec>> = {
  none: 0,
  gzip: 1,
  snappy: 2,
  lz4: 3,
  zstd: 4,
}

/** Who the batch is from; id, epoch and sequence are -1 for a producer that is not idempotent. */
export interface BatchIdentity {
  readonly producer: ProducerId
  readonly sequence: number
}

export class Batches {
  readonly #codec: Codec
  readonly #clock: Clock
  #values: ValueTemplate | null = null
  #template: RecordTemplate | null = null

  /** `readyCompression` of the codec has resolved. */
  constructor(codec: Codec, clock: Clock) {
    this.#codec = codec
    this.#clock = clock
  }

  /** The template that `run` can be made from; null when it has to be encoded. */
  templateFor(run: RecordRun): RecordTemplate | null {
    const values = run.payload.template ?? null
    if (values === null || run.keys !== null || this.#codec !== 0) return null
    if (values !== this.#values) {
      this.#values = values
      this.#template = new RecordTemplate(values)
    }
    return this.#template?.canHold(run.count) === true ? this.#template : null
  }

  /** Writes a batch from `template` and returns its end; `headerBytes + template.sizeOf(count)` bytes are free. */
  writeFrom(
    template: RecordTemplate,
    bytes: Buffer,
    at: number,
    run: RecordRun,
    { producer, sequence }: BatchIdentity,
  ): number {
    const sizeBytes = headerBytes + template.sizeOf(run.count)
    const timestampMs = Math.floor(this.#clock.epochMs())
    const { count } = run
    writeBatchHead(bytes, at, sizeBytes, { count, attributes: 0, timestampMs, producer, sequence })
    const crc = template.write(bytes, at + headerBytes, run, headRegister(bytes, at))
    setCrc(bytes, at, ~crc >>> 0)
    return at + sizeBytes
  }

  encode(run: RecordRun, { producer, sequence }: BatchIdentity): Buffer {
    const timestampMs = Math.floor(this.#clock.epochMs())
    const codec = this.#codec
    return encodeBatch(
      Array.from({ length: run.count }, (_, index) => recordOf(run, index, timestampMs)),
      {
        attributes: codec,
        producerId: producer.id,
        producerEpoch: producer.epoch,
        baseSequence: sequence,
        ...(codec === 0 ? {} : { compress: (records) => compress(codec, records) }),
      },
    )
  }
}

const recordOf = (run: RecordRun, index: number, timestampMs: number): RecordInput => {
  const { value, header } = run.payload.render(run, index)
  const headers = header === null ? [] : [[header.name, header.value] as const]
  return { key: run.keys?.[index] ?? null, value, headers, timestampMs }
}

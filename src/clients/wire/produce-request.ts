/** One Produce request: laid out in the ring of its connection, and what its answer says of each run in it. */
import type { BatchTemplate } from './batch-template.ts'
import type { Batches } from './batches.ts'
import type { Exchange } from './connection.ts'
import type { ConnectionError } from './errors.ts'
import type { Lane, Link, Parcel } from './outbox.ts'
import type { ProducerId } from './produce-frame.ts'

/** Who waits for the answer. Each request ends in exactly one of these calls. */
export interface RequestOwner {
  onAnswer(request: ProduceRequest, bytes: Buffer, start: number, end: number): void
  /** With acks=0: the bytes are with the operating system. */
  onWritten(request: ProduceRequest): void
  onLost(request: ProduceRequest, error: ConnectionError): void
}

/** May be sent again, as another one, once it has been answered. */
export class ProduceRequest implements Exchange {
  lane: Lane
  link: Link
  readonly parcels: Parcel[] = []
  correlationId = 0
  deadlineNs = 0
  isWritten = false
  /** Where it lies, once it was written. */
  bytes: Buffer
  start = 0
  end = 0
  readonly #owner: RequestOwner

  constructor(owner: RequestOwner, lane: Lane, link: Link) {
    this.#owner = owner
    this.lane = lane
    this.link = link
    this.bytes = link.ring.bytes
  }

  /** Writes it with its parcels to the ring of its connection; `nowNs` is the time of its batches. */
  write(batches: Batches, producer: ProducerId, nowNs: number): void {
    const { ring, prefix, connection } = this.link
    const [only] = this.parcels
    const template =
      only === undefined || this.parcels.length > 1 ? null : batches.templateFor(only.run)
    const timestampMs = batches.timestampMs(nowNs)
    if (only === undefined || template === null) this.#writeAll(batches, producer, timestampMs)
    else this.#writeOne(only, template, producer, timestampMs)
    this.bytes = ring.bytes
    this.isWritten = false
    this.correlationId = connection.takeCorrelationId()
    this.deadlineNs = nowNs + connection.requestTimeoutMs * 1e6
    prefix.setCorrelationId(ring, this.start, this.correlationId)
    ring.commit(this.end)
  }

  /** Most bytes are there already when the last request at the same place was alike. */
  #writeOne(
    { run, sequence }: Parcel,
    template: BatchTemplate,
    producer: ProducerId,
    timestampMs: number,
  ): void {
    const { ring, prefix } = this.link
    const batchBytes = template.sizeOf(run.count)
    const sizeBytes = prefix.sizeBytes + 8 + batchBytes
    this.start = ring.reserve(sizeBytes)
    this.end = this.start + sizeBytes
    const at = this.start + prefix.sizeBytes
    if (!ring.isLaidOut(template, run.count, this.start, this.end)) {
      prefix.write(ring, this.start, 1, sizeBytes)
      ring.view.setInt32(at + 4, batchBytes)
      template.layOut(ring, at + 8, run.count)
    }
    ring.view.setInt32(at, run.partition)
    template.patch(ring, at + 8, run, { producer, sequence }, timestampMs)
  }

  #writeAll(batches: Batches, producer: ProducerId, timestampMs: number): void {
    const { ring, prefix } = this.link
    const sections = this.parcels.map((parcel) => sectionOf(parcel, batches, producer, timestampMs))
    let sizeBytes = prefix.sizeBytes
    for (const section of sections) sizeBytes += 8 + section.sizeBytes
    this.start = ring.reserve(sizeBytes)
    this.end = this.start + sizeBytes
    ring.forgetLayout()
    let at = prefix.write(ring, this.start, sections.length, sizeBytes)
    for (const { parcel, sizeBytes: batchBytes, template, encoded } of sections) {
      const { run, sequence } = parcel
      ring.view.setInt32(at, run.partition)
      ring.view.setInt32(at + 4, batchBytes)
      if (template === null) ring.bytes.set(encoded as Buffer, at + 8)
      else {
        template.layOut(ring, at + 8, run.count)
        template.patch(ring, at + 8, run, { producer, sequence }, timestampMs)
      }
      at += 8 + batchBytes
    }
  }

  onAnswer(bytes: Buffer, start: number, end: number): void {
    this.#owner.onAnswer(this, bytes, start, end)
  }

  onWritten(): void {
    this.#owner.onWritten(this)
  }

  onLost(error: ConnectionError): void {
    this.#owner.onLost(this, error)
  }
}

interface Section {
  readonly parcel: Parcel
  readonly sizeBytes: number
  readonly template: BatchTemplate | null
  readonly encoded: Buffer | null
}

const sectionOf = (
  parcel: Parcel,
  batches: Batches,
  producer: ProducerId,
  timestampMs: number,
): Section => {
  const { run, sequence } = parcel
  const template = batches.templateFor(run)
  if (template !== null) {
    return { parcel, sizeBytes: template.sizeOf(run.count), template, encoded: null }
  }
  const encoded = batches.encode(run, { producer, sequence }, timestampMs)
  return { parcel, sizeBytes: encoded.length, template, encoded }
}

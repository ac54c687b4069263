/** One Produce request: laid out in the ring of its connection, and what its answer says of each run in it. */

import type { RecordRun } from '../driver.ts'
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

export class ProduceRequest implements Exchange {
  readonly lane: Lane
  readonly link: Link
  readonly parcels: readonly Parcel[]
  readonly correlationId: number
  readonly deadlineNs: number
  isWritten = false
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly #owner: RequestOwner

  constructor(
    owner: RequestOwner,
    { lane, link }: { lane: Lane; link: Link },
    parcels: readonly Parcel[],
    deadlineNs: number,
    { batches, producer }: { batches: Batches; producer: ProducerId },
  ) {
    this.#owner = owner
    this.lane = lane
    this.link = link
    this.parcels = parcels
    this.deadlineNs = deadlineNs
    this.correlationId = link.connection.takeCorrelationId()
    const sections = parcels.map((parcel) => sectionOf(parcel, batches, producer))
    const { timestampMs } = batches
    let sizeBytes = link.prefix.sizeBytes
    for (const section of sections) sizeBytes += 8 + section.sizeBytes
    const start = link.ring.reserve(sizeBytes)
    const { bytes } = link.ring
    let at = link.prefix.write(bytes, start, this.correlationId, parcels.length)
    for (const { run, sizeBytes: batchBytes, template, encoded, sequence } of sections) {
      bytes.writeInt32BE(run.partition, at)
      bytes.writeInt32BE(batchBytes, at + 4)
      if (template === null) bytes.set(encoded as Buffer, at + 8)
      else template.write(bytes, at + 8, run, { producer, sequence }, timestampMs)
      at += 8 + batchBytes
    }
    bytes.writeInt32BE(at - start - 4, start)
    link.ring.commit(at)
    this.bytes = bytes
    this.start = start
    this.end = at
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
  readonly run: RecordRun
  readonly sequence: number
  readonly sizeBytes: number
  readonly template: BatchTemplate | null
  readonly encoded: Buffer | null
}

const sectionOf = ({ run, sequence }: Parcel, batches: Batches, producer: ProducerId): Section => {
  const template = batches.templateFor(run)
  if (template !== null) {
    const sizeBytes = template.sizeOf(run.count)
    return { run, sequence, sizeBytes, template, encoded: null }
  }
  const encoded = batches.encode(run, { producer, sequence })
  return { run, sequence, sizeBytes: encoded.length, template, encoded }
}

import type { BatchCursor } from './driver.ts'

/** What cursors over a client's record objects share: each value is a Buffer of its own. */

const noBytes = new Uint8Array(0)

/** Where a batch lies; edges as in `BatchCursor`. */
export interface BatchPlace {
  readonly partition: number
  readonly fromOffset: number
  readonly toOffset: number
}

export abstract class ObjectCursor implements BatchCursor {
  readonly partition: number
  readonly fromOffset: number
  readonly toOffset: number
  readonly receivedAtNs: number
  offset = -1
  bytes: Uint8Array = noBytes
  readonly valueStart = 0
  valueLength = -1
  readonly mostAlike = 0
  readonly strideBytes = 0

  constructor({ partition, fromOffset, toOffset }: BatchPlace, receivedAtNs: number) {
    this.partition = partition
    this.fromOffset = fromOffset
    this.toOffset = toOffset
    this.receivedAtNs = receivedAtNs
  }

  abstract next(): boolean
  abstract benchHeader(): Uint8Array | null

  countAlike(): number {
    return 0
  }

  pass(): void {}

  /** Makes this record the current one. */
  protected show(offset: number, value: Uint8Array | null | undefined): void {
    this.offset = offset
    this.bytes = value ?? noBytes
    this.valueLength = value?.length ?? -1
  }
}

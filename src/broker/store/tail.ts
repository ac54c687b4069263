/**
 * The end of a segment's file in memory: appends that wait to be written together, and what was written of late, for those who read
 * it at once.
 */

const KiB = 1024
/** Small at first, so that thousands of idle partitions cost little; each next one of a segment is larger. */
const firstBytes = 16 * KiB
const growth = 4
const largestBytes = 1024 * KiB

export class Tail {
  #bytes: Buffer = Buffer.alloc(0)
  /** Where it begins in the file. */
  #position = 0
  #endBytes = 0
  #writtenBytes = 0

  /** Of memory. */
  get capacityBytes(): number {
    return this.#bytes.length
  }

  /** Where in the file `waiting` belongs. */
  get waitingPosition(): number {
    return this.#position + this.#writtenBytes
  }

  /** What is to be written, a view; empty when there is nothing. */
  get waiting(): Buffer {
    return this.#bytes.subarray(this.#writtenBytes, this.#endBytes)
  }

  /** Whether so many bytes have room. Else it is to be written and begun anew. */
  hasRoom(sizeBytes: number): boolean {
    return this.#endBytes + sizeBytes <= this.#bytes.length
  }

  /** What waited has been written. */
  noteWritten(): void {
    this.#writtenBytes = this.#endBytes
  }

  /** Forgets all, and goes on at `position` of the file with room for `sizeBytes` at least. */
  beginAt(position: number, sizeBytes: number): void {
    const isFull = this.#endBytes > this.#bytes.length / 2
    const { length } = this.#bytes
    const grownBytes = isFull ? Math.min(length * growth, largestBytes) : length
    const neededBytes = Math.max(firstBytes, grownBytes, sizeBytes)
    if (neededBytes > length) this.#bytes = Buffer.allocUnsafeSlow(neededBytes)
    this.#position = position
    this.#endBytes = 0
    this.#writtenBytes = 0
  }

  /** Frees its memory; nothing must wait. */
  drop(): void {
    this.#bytes = Buffer.alloc(0)
    this.#endBytes = 0
    this.#writtenBytes = 0
  }

  add(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#endBytes)
    this.#endBytes += bytes.length
  }

  /** A copy of what lies at `position` of the file; null when part of it is not here. */
  read(position: number, sizeBytes: number): Buffer | null {
    const start = position - this.#position
    return start >= 0 && start + sizeBytes <= this.#endBytes
      ? Buffer.from(this.#bytes.subarray(start, start + sizeBytes))
      : null
  }
}

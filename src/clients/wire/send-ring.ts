/**
 * The memory that requests are built in, used again and again, so that no fresh page is touched while sending. Requests lie
 * side by side in the order of their answers, which is the order in which they are freed.
 */

const firstSizeBytes = 256 * 1024

/** Where a request lies. */
export interface Slot {
  readonly bytes: Buffer
  readonly end: number
}

export class SendRing {
  bytes: Buffer = Buffer.allocUnsafeSlow(firstSizeBytes)
  /** Where the oldest slot begins, and where the next one will. They are equal when the ring is full, or has no slot. */
  #head = 0
  #tail = 0
  #slots = 0

  /** Where `sizeBytes` are free in `bytes`, which may be another buffer after the call. */
  reserve(sizeBytes: number): number {
    if (this.#slots === 0) {
      this.#head = 0
      this.#tail = 0
    }
    const { length } = this.bytes
    const isWrapped = this.#slots > 0 && this.#tail <= this.#head
    if (this.#tail + sizeBytes <= (isWrapped ? this.#head : length)) return this.#tail
    if (!isWrapped && sizeBytes <= this.#head) {
      this.#tail = 0
      return 0
    }
    // What is in the old buffer stays there until it is answered.
    this.bytes = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(2 * Math.max(length, sizeBytes))))
    this.#head = 0
    this.#tail = 0
    this.#slots = 0
    return 0
  }

  /** The slot that `reserve` began ends here. */
  commit(end: number): void {
    this.#tail = end
    this.#slots += 1
  }

  /** Frees the oldest slot. */
  release({ bytes, end }: Slot): void {
    if (bytes !== this.bytes) return
    this.#head = end
    this.#slots -= 1
  }
}

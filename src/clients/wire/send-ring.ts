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

/** Bytes, and a view of the same. */
export interface Memory {
  readonly bytes: Buffer
  readonly view: DataView
}

export class SendRing implements Memory {
  bytes: Buffer = Buffer.allocUnsafeSlow(firstSizeBytes)
  view: DataView = new DataView(this.bytes.buffer)
  /** Where the oldest slot begins, and where the next one will. They are equal when the ring is full, or has no slot. */
  #head = 0
  #tail = 0
  #slots = 0
  /** Of the last request: what it was made from, null when it had none, and how many records. */
  #template: object | null = null
  #count = 0
  /** Requests laid out like it have come one after the other since the ring began at 0. */
  #isDense = false
  /** Up to here lie such requests side by side. */
  #laidOutTo = 0

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
    this.view = new DataView(this.bytes.buffer)
    this.#template = null
    this.#head = 0
    this.#tail = 0
    this.#slots = 0
    return 0
  }

  /**
   * Whether a request of as many records from the same template lay in [start, end) of `bytes` last, so that all that such
   * requests say alike is still there. To be asked before each request that has a template; those alike are of one size.
   */
  isLaidOut(template: object, count: number, start: number, end: number): boolean {
    if (template !== this.#template || count !== this.#count) {
      this.#template = template
      this.#count = count
      this.#isDense = false
      this.#laidOutTo = 0
    }
    if (start === 0) this.#isDense = true
    if (!this.#isDense) return false
    if (end <= this.#laidOutTo) return true
    this.#laidOutTo = end
    return false
  }

  /** The next request has no template. */
  forgetLayout(): void {
    this.#template = null
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

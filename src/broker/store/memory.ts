import { messageOf } from '../../errors.ts'
import { memoryJournal } from './journal.ts'
import { Lent } from './lent.ts'
import { type PartitionStore, type Segment, StorageError, type Store } from './store.ts'

/** Keeps segments in memory up to a bound: `memory` fails there, `ring` takes the oldest segment of all partitions away. */

export interface MemoryStoreOptions {
  readonly kind: 'memory' | 'ring'
  readonly maxBytes: number
  readonly segmentBytes: number
}

const KiB = 1024
const MiB = 1024 * KiB

// A partition's first segment is small so that thousands of idle ones cost little; each next one is larger.
const firstSegmentBytes = 64 * KiB
const growth = 4
const largestSegmentBytes = 16 * MiB
/** What waits for readers at most; more is left to the garbage collector. */
const lentLimitBytes = 64 * MiB
/** What is made ready before it is needed, and how much of it at a time: a fraction of a millisecond. */
const preparedBytes = 64 * MiB
const preparedAtOnceBytes = 256 * KiB

class MemorySegment implements Segment {
  readonly baseOffset: number
  readonly memory: Buffer
  sizeBytes = 0
  modifiedAtMs: number
  /** A view was handed out, perhaps to a socket that still writes it. */
  isShared = false

  constructor(baseOffset: number, memory: Buffer, nowMs: number) {
    this.baseOffset = baseOffset
    this.memory = memory
    this.modifiedAtMs = nowMs
  }

  get capacityBytes(): number {
    return this.memory.length
  }

  append(batch: Uint8Array, nowMs: number): void {
    this.memory.set(batch, this.sizeBytes)
    this.sizeBytes += batch.length
    this.modifiedAtMs = nowMs
  }

  read(position: number, lengthBytes: number): Buffer {
    this.isShared = true
    return this.memory.subarray(position, Math.min(position + lengthBytes, this.sizeBytes))
  }

  truncate(sizeBytes: number): void {
    this.sizeBytes = sizeBytes
  }
}

interface Owner {
  readonly topicId: string
  /** Told when one of its segments was taken away. */
  tell(segment: Segment): void
}

/** The memory of all segments of a store: what is held, and what was used and may be used again. */
class Memory {
  readonly #options: MemoryStoreOptions
  /** Oldest first. */
  readonly #held = new Map<MemorySegment, Owner>()
  #heldBytes = 0
  /** Used again because fresh pages cost the system far more than the copy into them. */
  #spare: Buffer[] = []
  #spareBytes = 0
  readonly lent = new Lent()
  /** Given up while a reader may have a view, oldest first; `mark` is null until the turn is over. */
  readonly #lentOut: { readonly memory: Buffer; mark: number | null }[] = []
  #lentOutBytes = 0
  /** Being made ready, its first `#touchedBytes` are. */
  #fresh: Buffer | null = null
  #touchedBytes = 0

  constructor(options: MemoryStoreOptions) {
    this.#options = options
  }

  /** Makes memory for segments of `segmentBytes` ready. False when there is enough. */
  prepare(segmentBytes: number): boolean {
    const limitBytes = Math.min(preparedBytes, this.#options.maxBytes)
    if (this.#fresh === null) {
      if (this.#heldBytes + this.#spareBytes + segmentBytes > limitBytes) return false
      this.#fresh = Buffer.allocUnsafeSlow(segmentBytes)
      this.#touchedBytes = 0
    }
    // The system gives memory only when it is written to.
    const endBytes = this.#touchedBytes + preparedAtOnceBytes
    this.#fresh.fill(0, this.#touchedBytes, Math.min(endBytes, segmentBytes))
    this.#touchedBytes = endBytes
    if (endBytes >= segmentBytes) {
      this.#keepSpare(this.#fresh)
      this.#fresh = null
    }
    return true
  }

  get sizeBytes(): number {
    let sum = 0
    for (const segment of this.#held.keys()) sum += segment.sizeBytes
    return sum
  }

  create(baseOffset: number, sizeBytes: number, nowMs: number, owner: Owner): MemorySegment {
    this.#makeRoom(sizeBytes)
    const segment = new MemorySegment(baseOffset, this.#take(sizeBytes), nowMs)
    this.#held.set(segment, owner)
    this.#heldBytes += sizeBytes
    return segment
  }

  release(segment: MemorySegment): void {
    if (!this.#held.delete(segment)) return
    this.#heldBytes -= segment.capacityBytes
    if (segment.isShared) this.#keepLent(segment.memory)
    else this.#keepSpare(segment.memory)
  }

  releaseTopic(topicId: string): void {
    for (const [segment, owner] of this.#held) if (owner.topicId === topicId) this.release(segment)
  }

  clear(): void {
    this.#held.clear()
    this.#spare = []
    this.#heldBytes = 0
    this.#spareBytes = 0
    this.#lentOut.length = 0
    this.#lentOutBytes = 0
    this.#fresh = null
  }

  #keepSpare(memory: Buffer): void {
    this.#spare.push(memory)
    this.#spareBytes += memory.length
  }

  #keepLent(memory: Buffer): void {
    const entry: { readonly memory: Buffer; mark: number | null } = { memory, mark: null }
    this.#lentOut.push(entry)
    this.#lentOutBytes += memory.length
    // Who was lent it in this turn, and has not sent it by its end, has a mark then.
    setImmediate(() => {
      entry.mark = this.lent.last
    })
    while (this.#lentOutBytes > lentLimitBytes) {
      this.#lentOutBytes -= this.#lentOut.shift()?.memory.length ?? 0
    }
  }

  #takeBack(): void {
    for (let entry = this.#lentOut[0]; entry !== undefined; entry = this.#lentOut[0]) {
      if (entry.mark === null || !this.lent.hasEnded(entry.mark)) return
      this.#lentOut.shift()
      this.#lentOutBytes -= entry.memory.length
      this.#keepSpare(entry.memory)
    }
  }

  #makeRoom(wantedBytes: number): void {
    const { kind, maxBytes } = this.#options
    while (this.#heldBytes + wantedBytes > maxBytes) {
      const oldest = this.#held.entries().next().value
      if (kind === 'memory' || !oldest) {
        throw new StorageError(
          `the ${kind} store is full: ${maxBytes} bytes are allowed (store.max.bytes), ${this.#heldBytes} are held`,
        )
      }
      const [segment, owner] = oldest
      this.release(segment)
      owner.tell(segment)
    }
  }

  #take(bytes: number): Buffer {
    this.#takeBack()
    const i = this.#spare.findIndex((memory) => memory.length === bytes)
    const reused = i < 0 ? undefined : this.#spare.splice(i, 1)[0]
    if (reused) {
      this.#spareBytes -= bytes
      return reused
    }
    // What is spare still occupies memory, so it must fit beside what is held.
    while (
      this.#spareBytes > 0 &&
      this.#heldBytes + bytes + this.#spareBytes > this.#options.maxBytes
    ) {
      this.#spareBytes -= this.#spare.shift()?.length ?? 0
    }
    try {
      return Buffer.allocUnsafeSlow(bytes)
    } catch (cause) {
      const text = `no memory for a segment of ${bytes} bytes: ${messageOf(cause)}`
      throw new StorageError(text, { cause })
    }
  }
}

const openPartitionIn = (
  memory: Memory,
  topicId: string,
  largestBytes: () => number,
): PartitionStore => {
  let callback: ((segment: Segment) => void) | null = null
  const owner: Owner = { topicId, tell: (segment) => callback?.(segment) }
  let nextBytes = firstSegmentBytes
  return {
    found: [],
    create(baseOffset, minBytes, nowMs) {
      const sizeBytes = Math.max(Math.min(nextBytes, largestBytes()), minBytes)
      const segment = memory.create(baseOffset, sizeBytes, nowMs, owner)
      nextBytes = Math.min(nextBytes * growth, largestSegmentBytes)
      return segment
    },
    remove: (segment) => memory.release(segment as MemorySegment),
    readState: () => null,
    writeState: () => {},
    onRecycled(next) {
      callback = next
    },
    close: () => {},
  }
}

export const memoryStore = (options: MemoryStoreOptions): Store => {
  const memory = new Memory(options)
  const boundBytes = Math.min(largestSegmentBytes, Math.floor(options.maxBytes / 8))
  return {
    kind: options.kind,
    lent: memory.lent,
    get sizeBytes() {
      return memory.sizeBytes
    },
    openPartition: (topicId, _index, segmentBytes = () => options.segmentBytes) =>
      openPartitionIn(memory, topicId, () => Math.min(boundBytes, segmentBytes())),
    deleteTopic: (topicId) => memory.releaseTopic(topicId),
    prepare: () => memory.prepare(Math.min(boundBytes, options.segmentBytes)),
    hold: () => {},
    write: () => {},
    journal: () => memoryJournal(),
    close: () => memory.clear(),
  }
}

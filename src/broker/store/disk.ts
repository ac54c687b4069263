import {
  existsSync,
  ftruncateSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { messageOf } from '../../errors.ts'
import { FreeSpace, type ReadSpace } from './free-space.ts'
import { diskJournal } from './journal.ts'
import { Lent } from './lent.ts'
import { OpenFiles } from './open-files.ts'
import { type PartitionStore, type Segment, StorageError, type Store } from './store.ts'
import { Tail } from './tail.ts'

/**
 * Keeps segments as files, `<folder>/topics/<topic id>/<partition>/<base offset>.log`. Data are written before an append
 * is acknowledged and never synced: they survive the end of the process, not of the power, as with Kafka's defaults.
 */

export interface DiskStoreOptions {
  readonly folder: string
  readonly segmentBytes: number
  readonly log: (line: string) => void
  readonly readSpace?: ReadSpace
  /** Writes all of `bytes` or throws; replaced in tests of a full disk. */
  readonly write?: (descriptor: number, bytes: Uint8Array, position: number) => void
}

const announceAtBytes = 2 * 2 ** 30
/** Of memory, of all segments. */
const tailsLimitBytes = 32 * 2 ** 20
/** From this size on a batch is worth a call of its own. */
const writtenAloneFromBytes = 64 * 1024

const writeAll = (descriptor: number, bytes: Uint8Array, position: number): void => {
  let written = 0
  while (written < bytes.length) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written)
  }
}

/** What the segments of one store share. */
interface Disk {
  readonly files: OpenFiles
  readonly space: FreeSpace
  readonly write: NonNullable<DiskStoreOptions['write']>
  readonly tails: Tails
  changeSize(bytes: number): void
}

/** Which segments have a part in memory, and which of those have something to write. */
class Tails {
  /** Whether appends wait for `write`. */
  isHolding = false
  readonly #waiting = new Set<DiskSegment>()
  /** The oldest first, with the size of its memory. */
  readonly #held = new Map<DiskSegment, number>()
  #heldBytes = 0

  /** `segment` has something to write. */
  wait(segment: DiskSegment): void {
    this.#waiting.add(segment)
  }

  /** Writes what waits. Throws a `StorageError`; what could not be written waits on. */
  write(): void {
    for (const segment of this.#waiting) segment.writeTail()
  }

  noteWritten(segment: DiskSegment): void {
    this.#waiting.delete(segment)
  }

  /** `segment` holds so much memory; others give theirs up when that is too much. */
  note(segment: DiskSegment, heldBytes: number): void {
    this.#heldBytes += heldBytes - (this.#held.get(segment) ?? 0)
    this.#held.delete(segment)
    if (heldBytes > 0) this.#held.set(segment, heldBytes)
    for (const oldest of this.#held.keys()) {
      if (this.#heldBytes <= tailsLimitBytes || oldest === segment) break
      oldest.dropTail()
    }
  }

  /** Those below `folder` are gone, with what they had to write: so many bytes. */
  forgetUnder(folder: string): number {
    let waitingBytes = 0
    for (const segment of new Set([...this.#waiting, ...this.#held.keys()])) {
      if (!segment.file.startsWith(folder + path.sep)) continue
      waitingBytes += segment.waitingBytes
      this.forget(segment)
    }
    return waitingBytes
  }

  forget(segment: DiskSegment): void {
    this.#waiting.delete(segment)
    this.note(segment, 0)
  }

  writeUnder(folder: string): void {
    for (const segment of this.#waiting) {
      if (segment.file.startsWith(folder + path.sep)) segment.writeTail()
    }
  }
}

class DiskSegment implements Segment {
  readonly baseOffset: number
  readonly capacityBytes: number
  readonly file: string
  readonly #disk: Disk
  readonly #tail = new Tail()
  /** What waits could not be written. */
  #hasFailed = false
  sizeBytes: number
  modifiedAtMs: number

  constructor(
    disk: Disk,
    file: string,
    state: Pick<Segment, 'baseOffset' | 'capacityBytes' | 'sizeBytes' | 'modifiedAtMs'>,
  ) {
    this.#disk = disk
    this.file = file
    this.baseOffset = state.baseOffset
    this.capacityBytes = state.capacityBytes
    this.sizeBytes = state.sizeBytes
    this.modifiedAtMs = state.modifiedAtMs
  }

  append(batch: Uint8Array, nowMs: number): void {
    this.#disk.space.claim(batch.length)
    if (this.#hasFailed) this.writeTail()
    if (this.#disk.tails.isHolding && batch.length < writtenAloneFromBytes) this.#hold(batch)
    else {
      this.writeTail()
      this.#write(batch, this.sizeBytes)
    }
    this.sizeBytes += batch.length
    this.modifiedAtMs = nowMs
    this.#disk.changeSize(batch.length)
  }

  get waitingBytes(): number {
    return this.#tail.waiting.length
  }

  /** Writes what waits. Throws a `StorageError`; it waits on then, and nothing more is taken. */
  writeTail(): void {
    const { waiting, waitingPosition } = this.#tail
    if (waiting.length > 0) {
      this.#hasFailed = true
      this.#write(waiting, waitingPosition)
      this.#hasFailed = false
      this.#tail.noteWritten()
    }
    this.#disk.tails.noteWritten(this)
  }

  /** Frees the memory of what has been written. */
  dropTail(): void {
    if (this.#tail.waiting.length > 0) return
    this.#tail.drop()
    this.#disk.tails.note(this, 0)
  }

  #hold(batch: Uint8Array): void {
    const { tails } = this.#disk
    const isNext = this.#tail.waitingPosition + this.#tail.waiting.length === this.sizeBytes
    if (!isNext || !this.#tail.hasRoom(batch.length)) {
      this.writeTail()
      this.#tail.beginAt(this.sizeBytes, batch.length)
      tails.note(this, this.#tail.capacityBytes)
    }
    this.#tail.add(batch)
    tails.wait(this)
  }

  #write(bytes: Uint8Array, position: number): void {
    try {
      this.#disk.write(this.#disk.files.get(this.file), bytes, position)
    } catch (cause) {
      // The next append overwrites what was written of this one; so does the cut of a torn tail at opening.
      throw new StorageError(`${this.file} cannot be written: ${messageOf(cause)}`, { cause })
    }
  }

  read(position: number, lengthBytes: number): Buffer {
    const wanted = Math.max(0, Math.min(lengthBytes, this.sizeBytes - position))
    const recent = this.#tail.read(position, wanted)
    if (recent !== null) return recent
    this.writeTail()
    const bytes = Buffer.allocUnsafe(wanted)
    let filled = 0
    try {
      const descriptor = this.#disk.files.get(this.file)
      while (filled < wanted) {
        const got = readSync(descriptor, bytes, filled, wanted - filled, position + filled)
        if (got === 0) break
        filled += got
      }
    } catch (cause) {
      throw new StorageError(`${this.file} cannot be read: ${messageOf(cause)}`, { cause })
    }
    return bytes.subarray(0, filled)
  }

  truncate(sizeBytes: number): void {
    this.writeTail()
    this.dropTail()
    ftruncateSync(this.#disk.files.get(this.file), sizeBytes)
    this.#disk.changeSize(sizeBytes - this.sizeBytes)
    this.sizeBytes = sizeBytes
  }
}

const digits = (offset: number): string => String(offset).padStart(20, '0')

/** The segments in `folder`, oldest first. */
const findSegments = (disk: Disk, folder: string, segmentBytes: number): DiskSegment[] =>
  readdirSync(folder)
    .filter((name) => /^\d{20}\.log$/.test(name))
    .toSorted()
    .map((name) => {
      const file = path.join(folder, name)
      const { size, mtimeMs } = statSync(file)
      return new DiskSegment(disk, file, {
        baseOffset: Number(name.slice(0, 20)),
        capacityBytes: segmentBytes,
        sizeBytes: size,
        modifiedAtMs: mtimeMs,
      })
    })

const openPartitionIn = (
  folder: string,
  disk: Disk,
  segmentBytes: () => number,
): PartitionStore => {
  let isMade = existsSync(folder)
  const make = (): void => {
    if (!isMade) mkdirSync(folder, { recursive: true })
    isMade = true
  }
  const stateFile = (baseOffset: number): string =>
    path.join(folder, `${digits(baseOffset)}.producers`)

  return {
    found: isMade ? findSegments(disk, folder, segmentBytes()) : [],
    create(baseOffset, minBytes, nowMs) {
      const file = path.join(folder, `${digits(baseOffset)}.log`)
      try {
        make()
        disk.files.get(file)
      } catch (cause) {
        throw new StorageError(`${file} cannot be made: ${messageOf(cause)}`, { cause })
      }
      const capacityBytes = Math.max(segmentBytes(), minBytes)
      return new DiskSegment(disk, file, {
        baseOffset,
        capacityBytes,
        sizeBytes: 0,
        modifiedAtMs: nowMs,
      })
    },
    remove(segment) {
      const { file, sizeBytes } = segment as DiskSegment
      disk.tails.forget(segment as DiskSegment)
      disk.files.close(file)
      unlinkSync(file)
      rmSync(stateFile(segment.baseOffset), { force: true })
      disk.changeSize(-sizeBytes)
    },
    readState(baseOffset) {
      const file = stateFile(baseOffset)
      return existsSync(file) ? readFileSync(file, 'utf8') : null
    },
    writeState(baseOffset, state) {
      const file = stateFile(baseOffset)
      try {
        make()
        writeFileSync(`${file}.new`, state)
        renameSync(`${file}.new`, file)
      } catch (cause) {
        throw new StorageError(`${file} cannot be written: ${messageOf(cause)}`, { cause })
      }
    },
    onRecycled: () => {},
    close() {
      disk.tails.writeUnder(folder)
      disk.tails.forgetUnder(folder)
      disk.files.closeUnder(folder)
    },
  }
}

/** Bytes of all files in `folder` and below. */
const sizeOfFolder = (folder: string): number => {
  if (!existsSync(folder)) return 0
  let sum = 0
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && entry.name.endsWith('.log')) {
      sum += statSync(path.join(entry.parentPath, entry.name)).size
    }
  }
  return sum
}

/** Throws a `StorageError` when the folder cannot be made or read. */
export const diskStore = (options: DiskStoreOptions): Store => {
  const { folder } = options
  const topicsFolder = path.join(folder, 'topics')
  let sizeBytes = 0
  let isAnnounced = false

  const changeSize = (bytes: number): void => {
    sizeBytes += bytes
    if (isAnnounced || sizeBytes < announceAtBytes) return
    isAnnounced = true
    options.log(
      `the data in ${folder} have passed 2 GiB; -X log.retention.bytes=N bounds each partition`,
    )
  }
  try {
    mkdirSync(topicsFolder, { recursive: true })
    changeSize(sizeOfFolder(topicsFolder))
  } catch (cause) {
    throw new StorageError(`${folder} cannot be used: ${messageOf(cause)}`, { cause })
  }
  const disk: Disk = {
    files: new OpenFiles(),
    space: new FreeSpace(folder, options.readSpace),
    tails: new Tails(),
    write: options.write ?? writeAll,
    changeSize,
  }

  return {
    kind: 'disk',
    lent: new Lent(),
    get sizeBytes() {
      return sizeBytes
    },
    openPartition: (topicId, index, segmentBytes = () => options.segmentBytes) =>
      openPartitionIn(path.join(topicsFolder, topicId, String(index)), disk, segmentBytes),
    deleteTopic(topicId) {
      const topicFolder = path.join(topicsFolder, topicId)
      sizeBytes -= disk.tails.forgetUnder(topicFolder)
      disk.files.closeUnder(topicFolder)
      sizeBytes -= sizeOfFolder(topicFolder)
      rmSync(topicFolder, { recursive: true, force: true })
    },
    prepare: () => false,
    hold() {
      disk.tails.isHolding = true
    },
    write() {
      disk.tails.isHolding = false
      disk.tails.write()
    },
    journal: (name) => diskJournal(path.join(folder, `${name}.jsonl`)),
    close() {
      disk.tails.write()
      disk.files.closeUnder(topicsFolder)
    },
  }
}

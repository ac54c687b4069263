import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
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
import { type PartitionStore, type Segment, StorageError, type Store } from './store.ts'

/**
 * Keeps segments as files, `<folder>/topics/<topic id>/<partition>/<base offset>.log`. Data are written before an append
 * returns and never synced: they survive the end of the process, not of the power, as with Kafka's defaults.
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
const openFilesLimit = 128

const writeAll = (descriptor: number, bytes: Uint8Array, position: number): void => {
  let written = 0
  while (written < bytes.length) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written)
  }
}

/** Open descriptors by file, the least recently used closed first. */
class OpenFiles {
  readonly #descriptors = new Map<string, number>()
  #lastFile = ''
  #lastDescriptor = -1

  get(file: string): number {
    if (file === this.#lastFile) return this.#lastDescriptor
    const descriptor = this.#descriptors.get(file) ?? openSync(file, existsSync(file) ? 'r+' : 'w+')
    this.#descriptors.delete(file)
    this.#descriptors.set(file, descriptor)
    if (this.#descriptors.size > openFilesLimit) {
      const [oldest] = this.#descriptors.keys()
      if (oldest !== undefined) this.close(oldest)
    }
    this.#lastFile = file
    this.#lastDescriptor = descriptor
    return descriptor
  }

  close(file: string): void {
    const descriptor = this.#descriptors.get(file)
    if (descriptor === undefined) return
    this.#descriptors.delete(file)
    if (this.#lastFile === file) this.#lastFile = ''
    closeSync(descriptor)
  }

  /** Closes all files in `folder`. */
  closeUnder(folder: string): void {
    for (const file of this.#descriptors.keys()) {
      if (file.startsWith(folder + path.sep)) this.close(file)
    }
  }
}

/** What the segments of one store share. */
interface Disk {
  readonly files: OpenFiles
  readonly space: FreeSpace
  readonly write: NonNullable<DiskStoreOptions['write']>
  changeSize(bytes: number): void
}

class DiskSegment implements Segment {
  readonly baseOffset: number
  readonly capacityBytes: number
  readonly file: string
  readonly #disk: Disk
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
    try {
      this.#disk.write(this.#disk.files.get(this.file), batch, this.sizeBytes)
    } catch (cause) {
      // The next append overwrites what was written of this one; so does the cut of a torn tail at opening.
      throw new StorageError(`${this.file} cannot be written: ${messageOf(cause)}`, { cause })
    }
    this.sizeBytes += batch.length
    this.modifiedAtMs = nowMs
    this.#disk.changeSize(batch.length)
  }

  read(position: number, lengthBytes: number): Buffer {
    const wanted = Math.max(0, Math.min(lengthBytes, this.sizeBytes - position))
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
    close: () => disk.files.closeUnder(folder),
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
      disk.files.closeUnder(topicFolder)
      sizeBytes -= sizeOfFolder(topicFolder)
      rmSync(topicFolder, { recursive: true, force: true })
    },
    prepare: () => false,
    journal: (name) => diskJournal(path.join(folder, `${name}.jsonl`)),
    close: () => disk.files.closeUnder(topicsFolder),
  }
}

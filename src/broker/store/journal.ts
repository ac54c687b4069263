import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { messageOf } from '../../errors.ts'
import { StorageError } from './store.ts'

/** A small append-only list of JSON objects: what the broker must remember besides record data. */

export interface Journal {
  /** The entries found at opening and those appended since. */
  entries(): readonly unknown[]
  /** Throws a `StorageError` when it cannot be written; the entry then counts as not appended. */
  append(entry: object): void
  /** Replaces all entries in one step. */
  rewrite(entries: readonly object[]): void
  close(): void
}

/** Keeps its entries only as long as it lives. */
export const memoryJournal = (): Journal => {
  let entries: unknown[] = []
  return {
    entries: () => entries,
    append: (entry) => void entries.push(entry),
    rewrite: (next) => {
      entries = [...next]
    },
    close: () => {},
  }
}

const lineOf = (entry: object): string => `${JSON.stringify(entry)}\n`

/** The entries of `file` and the length of its whole lines; what follows them is a write that was cut off. */
const readEntries = (file: string): { entries: unknown[]; sizeBytes: number } => {
  if (!existsSync(file)) return { entries: [], sizeBytes: 0 }
  const bytes = readFileSync(file)
  const sizeBytes = bytes.lastIndexOf(0x0a) + 1
  const lines = bytes.toString('utf8', 0, sizeBytes).split('\n').slice(0, -1)
  const entries = lines.map((line, i): unknown => {
    try {
      return JSON.parse(line)
    } catch (cause) {
      throw new StorageError(`${file} is damaged at line ${i + 1}`, { cause })
    }
  })
  return { entries, sizeBytes }
}

/** JSON lines in `file`: a torn last line is cut off at opening, a rewrite is a new file renamed over the old one. */
export const diskJournal = (file: string): Journal => {
  mkdirSync(path.dirname(file), { recursive: true })
  let { entries, sizeBytes } = readEntries(file)
  let descriptor = openSync(file, existsSync(file) ? 'r+' : 'w+')
  ftruncateSync(descriptor, sizeBytes)

  const write = (target: number, text: string, position: number): number => {
    const bytes = Buffer.from(text)
    try {
      let written = 0
      while (written < bytes.length) {
        written += writeSync(target, bytes, written, bytes.length - written, position + written)
      }
    } catch (cause) {
      throw new StorageError(`${file} cannot be written: ${messageOf(cause)}`, { cause })
    }
    return bytes.length
  }

  return {
    entries: () => entries,
    append(entry) {
      // A failed write leaves `sizeBytes`, so that the next one overwrites its remains.
      sizeBytes += write(descriptor, lineOf(entry), sizeBytes)
      entries.push(entry)
    },
    rewrite(next) {
      const replacement = openSync(`${file}.new`, 'w+')
      try {
        sizeBytes = write(replacement, next.map(lineOf).join(''), 0)
        fsyncSync(replacement)
        renameSync(`${file}.new`, file)
      } catch (error) {
        closeSync(replacement)
        throw error
      }
      closeSync(descriptor)
      descriptor = replacement
      entries = [...next]
    },
    close: () => closeSync(descriptor),
  }
}

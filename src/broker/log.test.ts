import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { batchOf } from '../../test/support/batches.ts'
import { tempFolder } from '../../test/support/temp-folder.ts'
import { assignOffset, baseOffsetOf, nextOffsetOf, sizeOf } from '../protocol/record-batch.ts'
import { Log } from './log.ts'
import { diskStore } from './store/disk.ts'
import { memoryStore } from './store/memory.ts'
import { StorageError, type Store } from './store/store.ts'

const plenty = () => ({ freeBytes: 1e12, totalBytes: 1e12 })
const openDisk = (folder: string, segmentBytes = 1_000): Store =>
  diskStore({ folder, segmentBytes, log: () => {}, readSpace: plenty })
const openMemory = (kind: 'memory' | 'ring', maxBytes = 1e9): Store =>
  memoryStore({ kind, maxBytes, segmentBytes: 1_000 })

const lines: string[] = []
const openLog = (store: Store, logStartOffset = 0): Log => {
  lines.length = 0
  const log = (line: string): void => void lines.push(line)
  return new Log(store.openPartition('id', 0), { name: 't-0', logStartOffset, log })
}

/** The base offsets of the batches in `bytes`, which must be whole. */
const baseOffsets = (bytes: Buffer): number[] => {
  const offsets: number[] = []
  for (let at = 0; at < bytes.length; at += sizeOf(bytes, at)) {
    expect(at + sizeOf(bytes, at)).toBeLessThanOrEqual(bytes.length)
    offsets.push(baseOffsetOf(bytes, at))
  }
  return offsets
}

const readAll = (log: Log): Buffer => {
  const parts: Buffer[] = []
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    const part = log.read(offset, 500, true)
    parts.push(part)
    for (let at = 0; at < part.length; at += sizeOf(part, at)) offset = nextOffsetOf(part, at)
  }
  return Buffer.concat(parts)
}

const stored = (batch: Buffer, baseOffset: number): Buffer => {
  const copy = Buffer.from(batch)
  assignOffset(copy, baseOffset)
  return copy
}

describe.each<[string, () => Store]>([
  ['disk', () => openDisk(tempFolder())],
  ['memory', () => openMemory('memory')],
  ['ring', () => openMemory('ring')],
])('a log on %s', (_kind, open) => {
  test('is empty at first', () => {
    const log = openLog(open())
    expect([log.logStartOffset, log.logEndOffset, log.sizeBytes]).toEqual([0, 0, 0])
    expect(log.read(0, 1_000, true)).toHaveLength(0)
    expect(log.batchAtTimestamp(0, 0)).toBeNull()
    expect(log.batchOfMaxTimestamp()).toBeNull()
  })

  test('stores batches byte for byte but for base offset and leader epoch, over many segments', () => {
    const log = openLog(open())
    const expected: Buffer[] = []
    let offset = 0
    for (let i = 0; i < 60; i++) {
      const batch = batchOf(1 + (i % 4), { valueBytes: i * 3 })
      expected.push(stored(batch, offset))
      expect(log.append(batch, 5)).toBe(offset)
      offset += 1 + (i % 4)
    }
    expect(log.logEndOffset).toBe(offset)
    expect(readAll(log).equals(Buffer.concat(expected))).toBe(true)
    expect(log.sizeBytes).toBe(Buffer.concat(expected).length)
  })

  test('reads from the batch that contains the offset, whole batches, at least one if first', () => {
    const log = openLog(open())
    const size = batchOf(3).length
    for (let i = 0; i < 4; i++) log.append(batchOf(3), 0)
    expect(baseOffsets(log.read(0, 1_000_000, true))).toEqual([0, 3, 6, 9])
    expect(baseOffsets(log.read(5, 1_000_000, true))).toEqual([3, 6, 9])
    expect(baseOffsets(log.read(3, 2 * size, true))).toEqual([3, 6])
    expect(baseOffsets(log.read(3, 2 * size - 1, true))).toEqual([3])
    expect(baseOffsets(log.read(3, 1, true))).toEqual([3])
    expect(baseOffsets(log.read(3, size - 1, false))).toEqual([])
    expect(baseOffsets(log.read(3, 0, false))).toEqual([])
    expect(log.read(12, 1_000, true)).toHaveLength(0)
  })

  test('finds every offset in large segments', () => {
    const store = open()
    const log = openLog(store)
    for (let i = 0; i < 500; i++) log.append(batchOf(2, { valueBytes: (i * 7) % 200 }), 0)
    for (let offset = 0; offset < 1_000; offset++) {
      expect(baseOffsetOf(log.read(offset, 1, true))).toBe(offset - (offset % 2))
    }
  })

  test('finds batches by timestamp, also when timestamps go back', () => {
    const log = openLog(open())
    const times = [100, 300, 200, 50, 400, 350]
    for (const timestampMs of times) log.append(batchOf(1, { timestampMs }), 0)
    for (let i = 0; i < 200; i++) log.append(batchOf(1, { timestampMs: 20 }), 0)
    log.append(batchOf(1, { timestampMs: 500 }), 0)
    const offsetAt = (timestampMs: number, from = 0): number | null => {
      const batch = log.batchAtTimestamp(timestampMs, from)
      return batch && baseOffsetOf(batch)
    }
    expect([0, 100, 101, 300, 301, 400, 401, 500].map((time) => offsetAt(time))).toEqual([
      0, 0, 1, 1, 4, 4, 206, 206,
    ])
    expect(offsetAt(501)).toBeNull()
    expect(offsetAt(100, 2)).toBe(2)
    expect(baseOffsetOf(log.batchOfMaxTimestamp() as Buffer)).toBe(206)
  })

  test('deleteBefore moves the start and drops segments below it', () => {
    const log = openLog(open())
    for (let i = 0; i < 100; i++) log.append(batchOf(1), 0)
    const before = log.sizeBytes
    log.deleteBefore(50)
    expect(log.logStartOffset).toBe(50)
    expect(log.sizeBytes).toBeLessThan(before)
    expect(baseOffsetOf(log.read(50, 1, true))).toBe(50)
    log.deleteBefore(20)
    expect(log.logStartOffset).toBe(50)
    log.deleteBefore(1_000)
    expect([log.logStartOffset, log.logEndOffset]).toEqual([100, 100])
    expect(log.append(batchOf(1), 0)).toBe(100)
  })

  test('retention by bytes keeps at least so many', () => {
    const log = openLog(open())
    for (let i = 0; i < 100; i++) log.append(batchOf(1), 0)
    log.enforce({ maxBytes: -1, maxAgeMs: -1 }, 1e12)
    expect(log.logStartOffset).toBe(0)
    log.enforce({ maxBytes: 2_500, maxAgeMs: -1 }, 1e12)
    expect(log.sizeBytes).toBeGreaterThanOrEqual(2_500)
    expect(log.sizeBytes).toBeLessThan(3_600)
    expect(log.logStartOffset).toBeGreaterThan(0)
    expect(baseOffsetOf(log.read(log.logStartOffset, 1, true))).toBe(log.logStartOffset)
  })

  test('retention by age drops closed segments, never the last one', () => {
    const log = openLog(open())
    for (let i = 0; i < 30; i++) log.append(batchOf(1), 1_000)
    log.append(batchOf(4, { valueBytes: 300 }), 2_000)
    log.enforce({ maxBytes: -1, maxAgeMs: 500 }, 1_600)
    expect([log.logStartOffset, log.logEndOffset]).toEqual([30, 34])
    log.enforce({ maxBytes: -1, maxAgeMs: 500 }, 9_000)
    expect(log.logStartOffset).toBe(30)
  })

  test('watchers hear of appends and of the end, until they stop', () => {
    const log = openLog(open())
    const heard: number[] = []
    const unwatch = log.watch((bytes) => void heard.push(bytes))
    const batch = batchOf(1)
    log.append(batch, 0)
    log.close()
    unwatch()
    log.append(batchOf(1), 0)
    expect(heard).toEqual([batch.length, Infinity])
  })
})

describe('ring', () => {
  test('the log start follows what was recycled', () => {
    const log = openLog(openMemory('ring', 10_000))
    for (let i = 0; i < 1_000; i++) {
      log.append(batchOf(1), 0)
      expect(baseOffsetOf(log.read(log.logStartOffset, 1, true))).toBe(log.logStartOffset)
    }
    expect(log.logEndOffset).toBe(1_000)
    expect(log.logStartOffset).toBeGreaterThan(800)
  })

  test('a log whose only segment was recycled goes on at its end', () => {
    const store = openMemory('ring', 10_000)
    const log = openLog(store)
    for (let i = 0; i < 5; i++) log.append(batchOf(1), 0)
    const other = store.openPartition('other', 0)
    for (let i = 0; i < 20; i++) other.create(i, 10, 0)
    expect([log.logStartOffset, log.logEndOffset]).toEqual([5, 5])
    expect(log.read(5, 100, true)).toHaveLength(0)
    expect(log.append(batchOf(1), 0)).toBe(5)
    expect(baseOffsets(log.read(5, 100, true))).toEqual([5])
  })
})

const fileOf = (folder: string, baseOffset: number): string =>
  path.join(folder, 'topics', 'id', '0', `${String(baseOffset).padStart(20, '0')}.log`)

/** A folder with 10 batches of 2 records in one segment; returns the bytes of the file. */
const filled = (folder: string): Buffer => {
  const store = openDisk(folder, 100_000)
  const log = openLog(store)
  for (let i = 0; i < 10; i++) log.append(batchOf(2), 0)
  log.close()
  store.close()
  return readFileSync(fileOf(folder, 0))
}

const idempotent = (sequence: number): Buffer =>
  batchOf(1, { producerId: 5, producerEpoch: 0, baseSequence: sequence, valueBytes: 150 })

describe('disk', () => {
  test('a log is found again with all its segments', () => {
    const folder = tempFolder()
    const store = openDisk(folder)
    const log = openLog(store)
    for (let i = 0; i < 50; i++) log.append(batchOf(2), 0)
    const all = Buffer.from(readAll(log))
    log.close()
    store.close()
    const again = openLog(openDisk(folder))
    expect([again.logStartOffset, again.logEndOffset]).toEqual([0, 100])
    expect(readAll(again).equals(all)).toBe(true)
    expect(again.append(batchOf(1), 0)).toBe(100)
    expect(lines).toEqual([])
  })

  test('a tail torn at any byte is cut off, and the log goes on there', () => {
    const folder = tempFolder()
    const whole = filled(folder)
    const size = whole.length / 10
    for (let length = 8 * size + 1; length < whole.length; length += 13) {
      writeFileSync(fileOf(folder, 0), whole)
      truncateSync(fileOf(folder, 0), length)
      const store = openDisk(folder, 100_000)
      const log = openLog(store)
      const batches = Math.floor(length / size)
      expect(log.logEndOffset).toBe(batches * 2)
      expect(readAll(log).equals(whole.subarray(0, batches * size))).toBe(true)
      expect(lines).toHaveLength(length % size === 0 ? 0 : 1)
      expect(log.append(batchOf(2), 0)).toBe(batches * 2)
      expect(baseOffsets(log.read(batches * 2, 1, true))).toEqual([batches * 2])
      log.close()
      store.close()
    }
  })

  test('a tail of zeros or of noise is cut off', () => {
    const folder = tempFolder()
    const whole = filled(folder)
    for (const tail of [Buffer.alloc(500), Buffer.alloc(500, 0xff), Buffer.alloc(30, 1)]) {
      writeFileSync(fileOf(folder, 0), Buffer.concat([whole, tail]))
      const store = openDisk(folder, 100_000)
      expect(openLog(store).logEndOffset).toBe(20)
      store.close()
      expect(readFileSync(fileOf(folder, 0)).equals(whole)).toBe(true)
    }
  })

  test('a flipped byte in the last batch cuts it off; its offset is given again', () => {
    const folder = tempFolder()
    const whole = filled(folder)
    const size = whole.length / 10
    // The magic, a byte of the header that the CRC covers, and the last byte of the records.
    for (const position of [16, 22, size - 1]) {
      const damaged = Buffer.from(whole)
      damaged[9 * size + position] = (damaged[9 * size + position] as number) ^ 0x40
      writeFileSync(fileOf(folder, 0), damaged)
      const store = openDisk(folder, 100_000)
      const log = openLog(store)
      expect(log.logEndOffset).toBe(18)
      expect(lines[0]).toMatch(/^t-0: cut \d+ bytes/)
      log.close()
      store.close()
    }
  })

  test('a closed segment that was cut short answers what is left, then a storage error', () => {
    const folder = tempFolder()
    const store = openDisk(folder)
    const log = openLog(store)
    for (let i = 0; i < 40; i++) log.append(batchOf(1), 0)
    log.close()
    store.close()
    const size = batchOf(1).length
    truncateSync(fileOf(folder, 0), 3 * size + 5)
    const again = openLog(openDisk(folder))
    expect(baseOffsets(again.read(0, 10_000, true))).toEqual([0, 1, 2])
    expect(() => again.read(3, 10_000, true)).toThrow(StorageError)
    expect(() => again.read(3, 10_000, true)).toThrow(/t-0: .* damaged/)
    expect(baseOffsetOf(again.read(39, 1, true))).toBe(39)
  })

  test('the start that DeleteRecords set holds after opening, also beyond a lost end', () => {
    const folder = tempFolder()
    filled(folder)
    expect(openLog(openDisk(folder, 100_000), 7).logStartOffset).toBe(7)
    truncateSync(fileOf(folder, 0), 0)
    const store = openDisk(folder, 100_000)
    const log = openLog(store, 15)
    expect([log.logStartOffset, log.logEndOffset]).toEqual([15, 15])
    expect(log.append(batchOf(1), 0)).toBe(15)
    store.close()
    expect(openLog(openDisk(folder, 100_000), 15).logEndOffset).toBe(16)
  })

  test('after a failed write nothing has changed and the next append takes the offset', () => {
    let isFull = false
    const folder = tempFolder()
    const written: number[] = []
    const store = diskStore({
      folder,
      segmentBytes: 1_000,
      log: () => {},
      readSpace: plenty,
      write(_descriptor, _bytes, position) {
        if (isFull) throw new Error('ENOSPC')
        written.push(position)
      },
    })
    const log = openLog(store)
    log.append(batchOf(2), 0)
    isFull = true
    expect(() => log.append(batchOf(2), 0)).toThrow(StorageError)
    expect(log.logEndOffset).toBe(2)
    isFull = false
    expect(log.append(batchOf(2), 0)).toBe(2)
    expect(written).toEqual([0, batchOf(2).length])
  })

  test('idempotent producers are known after opening, over a change of segments', () => {
    const folder = tempFolder()
    const store = openDisk(folder)
    const log = openLog(store)
    for (let i = 0; i < 10; i++) log.append(idempotent(i), 0)
    log.close()
    store.close()
    const { producers } = openLog(openDisk(folder))
    expect(producers.check(idempotent(10))).toEqual({ kind: 'append' })
    for (let i = 5; i < 10; i++) {
      expect(producers.check(idempotent(i))).toEqual({ kind: 'duplicate', baseOffset: i })
    }
    expect(producers.check(idempotent(4))).toMatchObject({ kind: 'refuse', errorCode: 45 })
    expect(producers.check(idempotent(11))).toMatchObject({ kind: 'refuse', errorCode: 45 })
  })
})

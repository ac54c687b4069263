import { readdirSync, readFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/support/temp-folder.ts'
import { type DiskStoreOptions, diskStore } from './disk.ts'
import { memoryStore } from './memory.ts'
import { type Segment, StorageError, type Store } from './store.ts'

const GiB = 2 ** 30
const plenty = () => ({ freeBytes: 100 * GiB, totalBytes: 1_000 * GiB })
const openDisk = (folder: string, options: Partial<DiskStoreOptions> = {}): Store =>
  diskStore({ folder, segmentBytes: 1_000, log: () => {}, readSpace: plenty, ...options })
const openMemory = (kind: 'memory' | 'ring', maxBytes = 1_000_000): Store =>
  memoryStore({ kind, maxBytes, segmentBytes: 1_000 })

const bytes = (length: number, fill: number): Buffer => Buffer.alloc(length, fill)

describe.each<[string, () => Store]>([
  ['disk', () => openDisk(tempFolder())],
  ['memory', () => openMemory('memory')],
  ['ring', () => openMemory('ring')],
])('a %s store', (kind, open) => {
  test('gives back what was appended, by position', () => {
    const store = open()
    expect(store.kind).toBe(kind)
    const partition = store.openPartition('id', 0)
    expect(partition.found).toEqual([])
    const segment = partition.create(7, 10, 5)
    expect([segment.baseOffset, segment.sizeBytes, segment.capacityBytes]).toEqual([7, 0, 1_000])
    segment.append(bytes(300, 1), 11)
    segment.append(bytes(200, 2), 12)
    expect([segment.sizeBytes, segment.modifiedAtMs, store.sizeBytes]).toEqual([500, 12, 500])
    expect(segment.read(299, 2)).toEqual(Buffer.from([1, 2]))
    expect(segment.read(400, 1_000)).toEqual(bytes(100, 2))
    expect(segment.read(500, 10)).toHaveLength(0)
    store.close()
  })

  test('a segment is at least as large as what it is made for', () => {
    const store = open()
    const segment = store.openPartition('id', 0).create(0, 5_000, 0)
    segment.append(bytes(5_000, 1), 0)
    expect(segment.read(4_999, 9)).toEqual(bytes(1, 1))
    store.close()
  })

  test('truncate forgets the tail', () => {
    const store = open()
    const segment = store.openPartition('id', 0).create(0, 10, 0)
    segment.append(bytes(100, 1), 0)
    segment.truncate(40)
    segment.append(bytes(10, 2), 0)
    expect(segment.sizeBytes).toBe(50)
    expect(segment.read(39, 2)).toEqual(Buffer.from([1, 2]))
    expect(store.sizeBytes).toBe(50)
    store.close()
  })

  test('removed segments and deleted topics count no more', () => {
    const store = open()
    const one = store.openPartition('one', 0)
    const other = store.openPartition('other', 3)
    const first = one.create(0, 10, 0)
    first.append(bytes(100, 1), 0)
    one.create(9, 10, 0).append(bytes(50, 1), 0)
    other.create(0, 10, 0).append(bytes(7, 1), 0)
    one.remove(first)
    expect(store.sizeBytes).toBe(57)
    store.deleteTopic('one')
    store.deleteTopic('unknown')
    expect(store.sizeBytes).toBe(7)
    store.close()
  })

  test('journals keep their entries in order', () => {
    const store = open()
    const journal = store.journal('things')
    journal.append({ a: 1 })
    journal.append({ b: 'zwei\n' })
    expect(journal.entries()).toEqual([{ a: 1 }, { b: 'zwei\n' }])
    journal.rewrite([{ c: 3 }])
    journal.append({ d: 4 })
    expect(journal.entries()).toEqual([{ c: 3 }, { d: 4 }])
    journal.close()
    store.close()
  })
})

describe('disk', () => {
  test('finds segments, states and sizes again', () => {
    const folder = tempFolder()
    const before = openDisk(folder)
    const partition = before.openPartition('id', 2)
    partition.create(0, 10, 0).append(bytes(100, 1), 0)
    partition.create(1_000, 10, 0).append(bytes(60, 2), 0)
    partition.writeState(1_000, 'state')
    before.close()

    const store = openDisk(folder)
    expect(store.sizeBytes).toBe(160)
    const again = store.openPartition('id', 2)
    expect(again.found.map((segment) => [segment.baseOffset, segment.sizeBytes])).toEqual([
      [0, 100],
      [1_000, 60],
    ])
    expect(again.found[1]?.read(0, 100)).toEqual(bytes(60, 2))
    expect([again.readState(0), again.readState(1_000)]).toEqual([null, 'state'])
    again.remove(again.found[1] as Segment)
    expect(again.readState(1_000)).toBeNull()
    store.close()
  })

  test('makes no files for partitions without records and removes those of a deleted topic', () => {
    const folder = tempFolder()
    const store = openDisk(folder)
    const partition = store.openPartition('id', 0)
    expect(readdirSync(path.join(folder, 'topics'))).toEqual([])
    partition.create(0, 10, 0).append(bytes(1, 1), 0)
    expect(readdirSync(path.join(folder, 'topics'))).toEqual(['id'])
    store.deleteTopic('id')
    expect(readdirSync(path.join(folder, 'topics'))).toEqual([])
    store.close()
  })

  test('serves more segments than it keeps files open', () => {
    const store = openDisk(tempFolder())
    const segments = Array.from({ length: 300 }, (_, i) => {
      const segment = store.openPartition('id', i).create(0, 10, 0)
      segment.append(bytes(3, i), 0)
      return segment
    })
    for (const [i, segment] of segments.entries()) {
      segment.append(bytes(1, 255), 0)
      expect(segment.read(0, 9)).toEqual(Buffer.from([i % 256, i % 256, i % 256, 255]))
    }
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(250)
    store.close()
  })

  test('a full disk is a storage error that leaves nothing behind', () => {
    let isFull = true
    const write = (): void => {
      if (isFull) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
    }
    const store = openDisk(tempFolder(), { write })
    const segment = store.openPartition('id', 0).create(0, 10, 0)
    expect(() => segment.append(bytes(10, 1), 0)).toThrow(StorageError)
    expect(() => segment.append(bytes(10, 1), 0)).toThrow('ENOSPC')
    expect([segment.sizeBytes, store.sizeBytes]).toEqual([0, 0])
    isFull = false
    segment.append(bytes(10, 1), 0)
    expect(segment.sizeBytes).toBe(10)
    store.close()
  })

  describe('that holds back', () => {
    const open = (options: Partial<DiskStoreOptions> = {}) => {
      const written: [number, number][] = []
      let isFull = false
      const store = openDisk(tempFolder(), {
        write(descriptor, data, position) {
          if (isFull) throw new Error('ENOSPC')
          written.push([position, data.length])
          writeSync(descriptor, data, 0, data.length, position)
        },
        ...options,
      })
      const setFull = (next: boolean): void => {
        isFull = next
      }
      return { store, written, setFull, partition: store.openPartition('id', 0) }
    }
    const file = (segment: Segment): Buffer =>
      readFileSync((segment as { file?: string }).file ?? '')

    test('writes what waits in one go, and what comes after at once', () => {
      const { store, written, partition } = open()
      const segment = partition.create(0, 10, 0)
      store.hold()
      for (let i = 0; i < 5; i++) segment.append(bytes(100, i), 0)
      expect(written).toEqual([])
      expect([segment.sizeBytes, store.sizeBytes]).toEqual([500, 500])
      store.write()
      expect(written).toEqual([[0, 500]])
      segment.append(bytes(10, 5), 0)
      store.hold()
      segment.append(bytes(10, 6), 0)
      store.write()
      expect(written.slice(1)).toEqual([
        [500, 10],
        [510, 10],
      ])
      expect(file(segment)).toEqual(
        Buffer.concat([0, 1, 2, 3, 4].map((i) => bytes(100, i)).concat(bytes(10, 5), bytes(10, 6))),
      )
      store.close()
    })

    test('reads what waits, from memory or from the file', () => {
      const { store, written, partition } = open()
      const segment = partition.create(0, 10, 0)
      segment.append(bytes(10, 1), 0)
      store.hold()
      segment.append(bytes(10, 2), 0)
      expect(segment.read(12, 100)).toEqual(bytes(8, 2))
      expect(written).toHaveLength(1)
      expect(segment.read(5, 100)).toEqual(Buffer.concat([bytes(5, 1), bytes(10, 2)]))
      expect(written).toHaveLength(2)
      const view = segment.read(12, 100)
      for (let i = 0; i < 3_000; i++) segment.append(bytes(100, 3), 0)
      expect(view).toEqual(bytes(8, 2))
      expect(segment.read(20 + 2_999 * 100, 200)).toEqual(bytes(100, 3))
      expect(segment.read(20, 200)).toEqual(bytes(200, 3))
      store.write()
      expect(file(segment)).toHaveLength(20 + 3_000 * 100)
      // Far fewer calls than batches.
      expect(written.length).toBeLessThan(20)
      store.close()
    })

    test('writes large batches by themselves, in their order', () => {
      const { store, written, partition } = open()
      const segment = partition.create(0, 10, 0)
      store.hold()
      segment.append(bytes(10, 1), 0)
      segment.append(bytes(100_000, 2), 0)
      segment.append(bytes(10, 3), 0)
      store.write()
      expect(written).toEqual([
        [0, 10],
        [10, 100_000],
        [100_010, 10],
      ])
      expect(file(segment)).toEqual(Buffer.concat([bytes(10, 1), bytes(100_000, 2), bytes(10, 3)]))
      store.close()
    })

    test('keeps what cannot be written, and takes nothing more until it can', () => {
      const { store, partition, setFull } = open()
      const segment = partition.create(0, 10, 0)
      store.hold()
      segment.append(bytes(10, 1), 0)
      setFull(true)
      expect(() => store.write()).toThrow(StorageError)
      expect(() => segment.append(bytes(10, 2), 0)).toThrow(StorageError)
      store.hold()
      expect(() => segment.append(bytes(10, 2), 0)).toThrow(StorageError)
      expect(segment.sizeBytes).toBe(10)
      setFull(false)
      segment.append(bytes(10, 3), 0)
      store.write()
      expect(file(segment)).toEqual(Buffer.concat([bytes(10, 1), bytes(10, 3)]))
      store.close()
    })

    test('writes what waits at its end, but not of a topic or segment that is gone', () => {
      const { store, written, partition } = open()
      const [first, second] = [partition.create(0, 10, 0), partition.create(10, 10, 0)]
      const other = store.openPartition('other', 0).create(0, 10, 0)
      store.hold()
      for (const segment of [first, second, other]) segment.append(bytes(10, 1), 0)
      store.deleteTopic('other')
      partition.remove(first)
      expect(store.sizeBytes).toBe(10)
      store.close()
      expect(written).toEqual([[0, 10]])
      expect(file(second)).toHaveLength(10)
    })

    test('bounds its memory by what was written first', () => {
      // Nothing reaches a file, so what can be read is in memory.
      const { store } = open({ write: () => {} })
      const lengths = (segments: readonly Segment[]) =>
        segments.map((segment) => segment.read(segment.sizeBytes - 1_000, 1_000).length)
      const segments = Array.from({ length: 60 }, (_, i) => {
        const segment = store.openPartition('id', i).create(0, 10, 0)
        store.hold()
        for (let j = 0; j < 60; j++) segment.append(bytes(40_000, 1), 0)
        store.write()
        return segment
      })
      expect(lengths(segments.slice(0, 20))).toEqual(Array(20).fill(0))
      expect(lengths(segments.slice(-20))).toEqual(Array(20).fill(1_000))
      store.close()
    })
  })

  test('refuses while too little space is free and takes up again', () => {
    let freeBytes = 100 * GiB
    let asked = 0
    const readSpace = () => {
      asked++
      return { freeBytes, totalBytes: 40 * GiB }
    }
    const store = openDisk(tempFolder(), { readSpace, write: () => {} })
    const segment = store.openPartition('id', 0).create(0, 10, 0)
    const megabyte = bytes(2 ** 20, 0)
    for (let i = 0; i < 32; i++) segment.append(megabyte, 0)
    expect(asked).toBe(2)
    freeBytes = 2 * GiB
    expect(() => {
      for (let i = 0; i < 17; i++) segment.append(megabyte, 0)
    }).toThrow(/too little free space .* 2048 MiB are free, 2048 MiB must stay free/)
    expect(() => segment.append(bytes(1, 0), 0)).toThrow(StorageError)
    freeBytes = 3 * GiB
    segment.append(bytes(1, 0), 0)
    store.close()
  })

  test('says once where the data are when they pass 2 GiB', () => {
    const lines: string[] = []
    const folder = tempFolder()
    const store = openDisk(folder, { log: (line) => void lines.push(line), write: () => {} })
    const segment = store.openPartition('id', 0).create(0, 10, 0)
    const large = bytes(2 ** 28, 0)
    for (let i = 0; i < 7; i++) segment.append(large, 0)
    expect(lines).toEqual([])
    for (let i = 0; i < 5; i++) segment.append(large, 0)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(folder)
    store.close()
  })

  test('a folder that cannot be used is a storage error', () => {
    expect(() => openDisk('/dev/null/data')).toThrow(/\/dev\/null\/data cannot be used/)
  })
})

describe('memory', () => {
  test('fails at its bound, naming it, and has room again after a deletion', () => {
    const store = openMemory('memory', 2_500)
    const partition = store.openPartition('id', 0)
    // An eighth of the bound is the largest segment.
    for (let i = 0; i < 8; i++) partition.create(i, 300, 0)
    expect(() => partition.create(9, 300, 0)).toThrow(
      /memory store is full: 2500 bytes are allowed \(store\.max\.bytes\)/,
    )
    store.deleteTopic('id')
    partition.create(10, 300, 0)
    store.close()
  })
})

test.each(['memory', 'ring'] as const)('%s makes memory ready up to its bound', (kind) => {
  const segmentBytes = 2 ** 18
  const store = memoryStore({ kind, maxBytes: 8 * segmentBytes, segmentBytes })
  const partition = store.openPartition('id', 0)
  const first = partition.create(0, segmentBytes, 0)
  let steps = 0
  while (store.prepare()) steps++
  // The seven beside the one that is held.
  expect(steps).toBe(7)
  for (let i = 1; i < 8; i++) partition.create(i, segmentBytes, 0)
  partition.remove(first)
  expect(store.prepare()).toBe(false)
  store.close()
})

describe('ring', () => {
  test('takes the oldest segments of all partitions away and tells their owner', () => {
    const store = openMemory('ring', 2_500)
    const taken: [string, number][] = []
    const open = (id: string) => {
      const partition = store.openPartition(id, 0)
      partition.onRecycled((segment) => void taken.push([id, segment.baseOffset]))
      return partition
    }
    const [a, b] = [open('a'), open('b')]
    for (let i = 0; i < 4; i++) {
      a.create(i, 300, 0)
      b.create(i, 300, 0)
    }
    expect(taken).toEqual([])
    a.create(4, 300, 0)
    b.create(4, 600, 0)
    expect(taken).toEqual([
      ['a', 0],
      ['b', 0],
      ['a', 1],
    ])
    store.close()
  })

  test('uses memory again, but not what a reader may still hold', () => {
    const store = openMemory('ring', 2_500)
    const partition = store.openPartition('id', 0)
    const first = partition.create(0, 10, 0)
    first.append(bytes(100, 1), 0)
    const view = first.read(0, 100)
    for (let i = 1; i < 40; i++) partition.create(i, 10, 0).append(bytes(100, 9), 0)
    expect(view).toEqual(bytes(100, 1))
    store.close()
  })

  test('what was read is used again once all that was lent is sent', async () => {
    const store = openMemory('ring', 2_500)
    const partition = store.openPartition('id', 0)
    const make = (offset: number, fill: number): Segment => {
      const segment = partition.create(offset, 10, 0)
      segment.append(bytes(100, fill), 0)
      return segment
    }
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    const view = make(0, 1).read(0, 100)
    const mark = store.lent.begin()
    // A ring of eight.
    for (let i = 1; i < 9; i++) make(i, 2)
    await turn()
    for (let i = 9; i < 30; i++) make(i, 3)
    expect(view).toEqual(bytes(100, 1))
    store.lent.end(mark)
    for (let i = 30; i < 40; i++) make(i, 4)
    expect(view).toEqual(bytes(100, 4))
    store.close()
  })

  test('that is read all the time lives in its bound and what is lent', async () => {
    const store = openMemory('ring', 2_500)
    const partition = store.openPartition('id', 0)
    const memories = new Set<ArrayBufferLike>()
    for (let i = 0; i < 200; i++) {
      const segment = partition.create(i, 10, 0)
      segment.append(bytes(100, 1), 0)
      memories.add(segment.read(0, 100).buffer)
      if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    // Eight of the ring, and those given up in the turns that are not over.
    expect(memories.size).toBeLessThanOrEqual(8 + 4)
    store.close()
  })

  test('a segment larger than the bound is a storage error', () => {
    const store = openMemory('ring', 2_500)
    const partition = store.openPartition('id', 0)
    expect(() => partition.create(0, 3_000, 0)).toThrow(StorageError)
    store.close()
  })
})

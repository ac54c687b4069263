import { readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { batchOf } from '../../test/support/batches.ts'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { tempFolder } from '../../test/support/temp-folder.ts'
import { parseSettings } from './settings.ts'
import { diskStore } from './store/disk.ts'
import { memoryStore } from './store/memory.ts'
import type { Store } from './store/store.ts'
import { Topics } from './topics.ts'

const memory = (): Store => memoryStore({ kind: 'memory', maxBytes: 1e9, segmentBytes: 1_000 })
const disk = (folder: string): Store =>
  diskStore({
    folder,
    segmentBytes: 1_000,
    log: () => {},
    readSpace: () => ({ freeBytes: 1e12, totalBytes: 1e12 }),
  })
const open = (store = memory(), clock = new ManualClock(), given: Record<string, string> = {}) =>
  new Topics({ store, settings: parseSettings(given), clock, log: () => {} })

test('topics are made, found, listed and deleted', () => {
  const topics = open()
  const a = topics.create('a', 2, { 'retention.ms': '5' })
  const b = topics.create('b', 1)
  expect(a).toMatchObject({ name: 'a', partitionCount: 2, configs: { 'retention.ms': '5' } })
  expect(a.id).toMatch(/^[\w-]{22}$/)
  expect(topics.list()).toEqual([a, b])
  expect(topics.get('a')).toBe(a)
  expect(topics.getById(b.id)).toBe(b)
  expect(topics.partition('a', 1)).toBe(topics.partition('a', 1))
  for (const index of [-1, 2, 0.5]) expect(topics.partition('a', index)).toBeNull()
  expect(topics.partition('c', 0)).toBeNull()

  const deleted: string[] = []
  topics.onDeleted((topic) => void deleted.push(topic.id))
  expect([topics.delete('a'), topics.delete('a')]).toEqual([true, false])
  expect(deleted).toEqual([a.id])
  expect([topics.get('a'), topics.getById(a.id), topics.partition('a', 0)]).toEqual([
    null,
    null,
    null,
  ])
})

test('a topic made again has a new id and begins at offset 0', () => {
  const topics = open()
  const before = topics.create('a', 1)
  topics.partition('a', 0)?.append(batchOf(3), 0)
  topics.delete('a')
  expect(topics.create('a', 1).id).not.toBe(before.id)
  expect(topics.partition('a', 0)?.logEndOffset).toBe(0)
})

test('partitions are added and configs replaced', () => {
  const topics = open()
  topics.create('a', 1, { 'retention.ms': '5' })
  topics.partition('a', 0)?.append(batchOf(3), 0)
  topics.addPartitions('a', 3)
  topics.setConfigs('a', { 'max.message.bytes': '77' })
  expect(topics.get('a')).toMatchObject({
    partitionCount: 3,
    configs: { 'max.message.bytes': '77' },
    limits: { maxMessageBytes: 77 },
  })
  expect(topics.partition('a', 0)?.logEndOffset).toBe(3)
  expect(topics.partition('a', 2)?.logEndOffset).toBe(0)
})

describe('names', () => {
  test.each(['a', 'A-b_c.9', 'x'.repeat(249), '...', '__consumer_offsets'])(
    '%s is legal',
    (name) => {
      expect(open().nameFault(name)).toBeNull()
    },
  )
  test.each([
    ['', 'empty string'],
    ['.', "'.' or '..'"],
    ['..', "'.' or '..'"],
    ['x'.repeat(250), 'longer than the max allowed length 249'],
    ['a b', 'other than ASCII alphanumerics'],
    ['ä', 'other than ASCII alphanumerics'],
    ['a/b', 'other than ASCII alphanumerics'],
    ['a\n', 'other than ASCII alphanumerics'],
  ])('%j is not', (name, reason) => {
    expect(open().nameFault(name)).toContain(reason)
  })
  test('a.b and a_b collide, until one is deleted', () => {
    const topics = open()
    topics.create('a.b', 1)
    expect(topics.nameFault('a_b')).toBe("Topic 'a_b' collides with existing topics: a.b")
    expect(topics.nameFault('a.b')).toBeNull()
    topics.delete('a.b')
    expect(topics.nameFault('a_b')).toBeNull()
  })
})

test('all is restored from disk, in its order', () => {
  const folder = tempFolder()
  const store = disk(folder)
  const topics = open(store)
  topics.create('gone', 1)
  topics.partition('gone', 0)?.append(batchOf(1), 0)
  const kept = topics.create('kept', 1)
  topics.create('other', 2)
  topics.addPartitions('kept', 4)
  topics.setConfigs('kept', { 'retention.bytes': '9' })
  for (let i = 0; i < 9; i++) topics.partition('kept', 3)?.append(batchOf(2), 0)
  topics.deleteRecords('kept', 3, 5)
  topics.delete('gone')
  const before = topics.list()
  topics.close()
  store.close()

  for (let restart = 0; restart < 2; restart++) {
    const again = open(disk(folder))
    expect(again.list()).toEqual(before)
    expect(again.getById(kept.id)?.name).toBe('kept')
    const log = again.partition('kept', 3)
    expect([log?.logStartOffset, log?.logEndOffset]).toEqual([5, 18])
    again.close()
  }
})

test('retention holds after a restart for partitions that nobody has used since', () => {
  const folder = tempFolder()
  const store = disk(folder)
  const topics = open(store)
  const { id } = topics.create('a', 2, { 'retention.bytes': '1', 'segment.bytes': '300' })
  for (let i = 0; i < 40; i++) topics.partition('a', 1)?.append(batchOf(2), 0)
  topics.close()
  store.close()
  const segments = () => {
    const files = readdirSync(path.join(folder, 'topics', id), {
      recursive: true,
      encoding: 'utf8',
    })
    return files.filter((file) => file.endsWith('.log')).length
  }
  expect(segments()).toBeGreaterThan(2)

  const clock = new ManualClock()
  const again = open(disk(folder), clock)
  clock.advance(1_000)
  expect(segments()).toBe(1)
  again.close()
})

test('data of a topic whose deletion was cut off go at the next opening', () => {
  const folder = tempFolder()
  const store = disk(folder)
  const topics = open({ ...store, deleteTopic: () => {} })
  topics.create('a', 1)
  topics.partition('a', 0)?.append(batchOf(1), 0)
  topics.delete('a')
  topics.close()
  expect(readdirSync(path.join(folder, 'topics'))).toHaveLength(1)
  open(disk(folder)).close()
  expect(readdirSync(path.join(folder, 'topics'))).toHaveLength(0)
})

test('retention runs by the clock, with the settings of broker and topic', () => {
  const clock = new ManualClock()
  const topics = open(memory(), clock, {
    'log.retention.bytes': '3000',
    'log.segment.bytes': '1000',
  })
  topics.create('a', 1)
  topics.create('b', 1, { 'retention.bytes': '-1', 'retention.ms': '60000' })
  for (const name of ['a', 'b']) {
    for (let i = 0; i < 100; i++) topics.partition(name, 0)?.append(batchOf(1), clock.epochMs())
  }
  expect(topics.partition('a', 0)?.logStartOffset).toBe(0)
  clock.advance(1_000)
  expect(topics.partition('a', 0)?.logStartOffset).toBeGreaterThan(0)
  expect(topics.partition('b', 0)?.logStartOffset).toBe(0)
  clock.advance(61_000)
  expect(topics.partition('b', 0)?.logStartOffset).toBeGreaterThan(0)
  topics.close()
  expect(clock.timerCount).toBe(0)
})

test('segment.bytes of the topic holds for its next segment', () => {
  const topics = open()
  topics.create('a', 1, { 'segment.bytes': '300', 'retention.bytes': '300' })
  const log = topics.partition('a', 0)
  for (let i = 0; i < 40; i++) log?.append(batchOf(1), 0)
  log?.enforce({ maxBytes: 300, maxAgeMs: -1 }, 0)
  expect(log?.sizeBytes).toBeLessThan(600)
  topics.setConfigs('a', { 'segment.bytes': '5000' })
  for (let i = 0; i < 40; i++) log?.append(batchOf(1), 0)
  log?.enforce({ maxBytes: 300, maxAgeMs: -1 }, 0)
  expect(log?.sizeBytes).toBeGreaterThan(2_000)
})

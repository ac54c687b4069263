import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryJournal } from '../store/journal.ts'
import { StorageError } from '../store/store.ts'
import { CommittedOffsets } from './offsets.ts'

const at = (offset: number, partition = 0, topic = 't') => ({
  topic,
  partition,
  offset,
  leaderEpoch: 0,
  metadata: '',
})
const ignore = (): void => {}

test('the journal is rewritten when it is mostly outdated, and then says the same', () => {
  const journal = memoryJournal()
  const offsets = new CommittedOffsets(journal, ignore)
  let longest = 0
  for (let n = 0; n < 10_000; n++) {
    offsets.commit('g', [at(n, n % 3)])
    longest = Math.max(longest, journal.entries().length)
  }
  expect(longest).toBeGreaterThan(1_000)
  expect(longest).toBeLessThan(1_100)
  expect(new CommittedOffsets(journal, ignore).all('g')).toEqual(offsets.all('g'))
  expect(offsets.get('g', 't', 0)?.offset).toBe(9_999)
})

test('a rewrite that fails loses nothing and is not tried at every commit', () => {
  const kept = memoryJournal()
  const lines: string[] = []
  let tries = 0
  const offsets = new CommittedOffsets(
    {
      ...kept,
      rewrite() {
        tries++
        throw new StorageError('no space left')
      },
    },
    (line) => void lines.push(line),
  )
  for (let n = 0; n < 2_500; n++) offsets.commit('g', [at(n)])
  expect(tries).toBe(2)
  expect(lines[0]).toBe('committed offsets: no space left')
  expect(new CommittedOffsets(kept, ignore).get('g', 't', 0)?.offset).toBe(2_499)
})

test('an entry of another kind is damage, told by its number', () => {
  const journal = memoryJournal()
  new CommittedOffsets(journal, ignore).commit('g', [at(1)])
  journal.append({ surprise: true })
  expect(() => new CommittedOffsets(journal, ignore)).toThrow('entry 2 is damaged')
  expect(() => new CommittedOffsets(journal, ignore)).toThrow(StorageError)
})

test('any history is restored as it was', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const partition = fc.nat(3)
  const step = fc.oneof(
    fc.record({ does: fc.constant('commit' as const), group: name, topic: name, partition }),
    fc.record({ does: fc.constant('remove' as const), group: name, topic: name, partition }),
    fc.record({ does: fc.constant('removeGroup' as const), group: name }),
    fc.record({ does: fc.constant('removeTopic' as const), topic: name }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const journal = memoryJournal()
      const offsets = new CommittedOffsets(journal, ignore)
      steps.forEach((each, n) => {
        switch (each.does) {
          case 'commit':
            return offsets.commit(each.group, [at(n, each.partition, each.topic)])
          case 'remove':
            return offsets.remove(each.group, [{ topic: each.topic, partitions: [each.partition] }])
          case 'removeGroup':
            return offsets.removeGroup(each.group)
          case 'removeTopic':
            return offsets.removeTopic(each.topic)
        }
      })
      const restored = new CommittedOffsets(journal, ignore)
      expect(restored.groupIds()).toEqual(offsets.groupIds())
      for (const group of ['a', 'b', 'c']) expect(restored.all(group)).toEqual(offsets.all(group))
    }),
    { seed: 3, numRuns: 200 },
  )
})

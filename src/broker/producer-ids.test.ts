import { expect, test } from 'vitest'
import { ProducerIds } from './producer-ids.ts'
import { memoryJournal } from './store/journal.ts'

test('ids count up and never repeat after a restart', () => {
  const journal = memoryJournal()
  const seen = new Set<number>()
  let taken = 0
  for (const count of [1, 2_500, 0, 1_000, 3]) {
    const ids = new ProducerIds(journal)
    for (let i = 0; i < count; i++) seen.add(ids.next())
    taken += count
  }
  expect(seen.size).toBe(taken)
  expect(new ProducerIds(memoryJournal()).next()).toBe(0)
})

test('no id is given out that could not be reserved', () => {
  const journal = memoryJournal()
  const ids = new ProducerIds({
    ...journal,
    rewrite: () => {
      throw new Error('full')
    },
  })
  expect(() => ids.next()).toThrow('full')
  expect(() => ids.next()).toThrow('full')
})

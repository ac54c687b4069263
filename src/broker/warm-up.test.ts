import { expect, test } from 'vitest'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { warmUp } from './warm-up.ts'

test('waits for the first client, then does a little at a time until all is done', () => {
  const clock = new ManualClock()
  const lines: string[] = []
  let steps = 0
  const prepareStore = (): boolean => ++steps < 4
  warmUp({ clock, prepareStore, log: (line) => void lines.push(line) })
  clock.advance(49)
  expect([steps, lines]).toEqual([0, []])
  clock.advance(1)
  expect([steps, lines]).toEqual([1, ['CRC-32C by WebAssembly']])
  clock.advance(1)
  expect(steps).toBe(2)
  clock.advance(100)
  expect(steps).toBe(4)
})

test('ends when it is cancelled', () => {
  const clock = new ManualClock()
  let steps = 0
  const warming = warmUp({ clock, prepareStore: () => ++steps > 0, log: () => {} })
  clock.advance(60)
  expect(steps).toBeGreaterThan(1)
  const done = steps
  warming.cancel()
  clock.advance(60)
  expect(steps).toBe(done)
})

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { SendRing, type Slot } from './send-ring.ts'

interface Held extends Slot {
  start: number
  mark: number
}

test('no slot is written over before it is released, through wraps and growth', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 1, max: 120_000 }), fc.constant(-1), fc.constant(-1)), {
        maxLength: 200,
      }),
      (steps) => {
        const ring = new SendRing()
        const held: Held[] = []
        steps.forEach((step, mark) => {
          if (step < 0) {
            const oldest = held.shift()
            if (oldest !== undefined) ring.release(oldest)
            return
          }
          // More is reserved than is used, as for a batch whose size is not known exactly.
          const start = ring.reserve(step + 10)
          const { bytes } = ring
          expect(start + step + 10).toBeLessThanOrEqual(bytes.length)
          bytes.fill(mark % 251, start, start + step)
          ring.commit(start + step)
          held.push({ bytes, start, end: start + step, mark: mark % 251 })
          for (const slot of held) {
            expect(slot.bytes[slot.start]).toBe(slot.mark)
            expect(slot.bytes[slot.end - 1]).toBe(slot.mark)
          }
        })
      },
    ),
    { numRuns: 200 },
  )
})

test('slots that follow one another lie side by side, and memory does not grow while they are released', () => {
  const ring = new SendRing()
  const { bytes } = ring
  const held: Slot[] = []
  let neighbours = 0
  for (let step = 0; step < 1_000; step++) {
    const start = ring.reserve(1_000)
    const last = held.at(-1)
    if (start === last?.end) neighbours += 1
    ring.commit(start + 1_000)
    if (last !== undefined) ring.release(last)
    held.push({ bytes: ring.bytes, end: start + 1_000 })
  }
  expect(ring.bytes).toBe(bytes)
  expect(neighbours).toBeGreaterThan(990)
})

import type { Socket } from 'node:net'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AnswerBuffer } from './answer-buffer.ts'

/** A socket that takes what it is given at once, or holds it until it is told to. */
class Sink {
  readonly received: Buffer[] = []
  #held: Buffer[] = []
  writes = 0
  isSlow = false

  get writableLength(): number {
    return this.#held.reduce((sum, { length }) => sum + length, 0)
  }

  write(piece: Buffer): void {
    this.writes++
    this.#held.push(piece)
    if (!this.isSlow) this.take()
  }

  take(): void {
    for (const piece of this.#held) this.received.push(Buffer.from(piece))
    this.#held = []
  }

  cork(): void {}
  uncork(): void {}
}

const flushTo = (buffer: AnswerBuffer, sink: Sink): void => buffer.flush(sink as unknown as Socket)

test('connections that share memory never write over what another has not sent', () => {
  const step = fc.record({
    who: fc.nat(2),
    what: fc.constantFrom('add', 'add', 'add', 'flush', 'slow', 'fast'),
    sizeBytes: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 70_000 })),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const sides = [0, 1, 2].map(() => ({
        buffer: new AnswerBuffer(),
        sink: new Sink(),
        sent: [] as Buffer[],
      }))
      let fill = 0
      for (const { who, what, sizeBytes } of steps) {
        const { buffer, sink, sent } = sides[who] as (typeof sides)[number]
        if (what === 'add') {
          const part = Buffer.alloc(sizeBytes, ++fill)
          sent.push(part)
          buffer.add([part])
        } else if (what === 'flush') flushTo(buffer, sink)
        else {
          sink.isSlow = what === 'slow'
          if (!sink.isSlow) sink.take()
        }
      }
      for (const { buffer, sink, sent } of sides) {
        flushTo(buffer, sink)
        sink.take()
        expect(Buffer.concat(sink.received).equals(Buffer.concat(sent))).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
})

test('small answers of a turn are one write, and their memory is used again', () => {
  const buffer = new AnswerBuffer()
  const sink = new Sink()
  const starts = [1, 2, 3].map(() => {
    const start = buffer.take(10)
    buffer.add([Buffer.alloc(20), Buffer.alloc(30)])
    flushTo(buffer, sink)
    return start
  })
  expect(sink.writes).toBe(3)
  expect(new Set(starts).size).toBe(1)
})

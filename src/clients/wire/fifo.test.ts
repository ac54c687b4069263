import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fifo } from './fifo.ts'

test('is a queue, through growth and wraps', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (pushes) => {
      const fifo = new Fifo<number>()
      const expected: number[] = []
      pushes.forEach((isPush, number) => {
        if (isPush) {
          fifo.push(number)
          expected.push(number)
        } else expect(fifo.shift()).toBe(expected.shift())
        expect(fifo.size).toBe(expected.length)
        expect(fifo.peek()).toBe(expected[0])
        expect([...fifo]).toEqual(expected)
      })
    }),
  )
})

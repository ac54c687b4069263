import { describe, expect, test } from 'vitest'
import { batchOf } from '../../test/support/batches.ts'
import { assignOffset } from '../protocol/record-batch.ts'
import { ProducerState } from './producer-state.ts'

const batch = (baseSequence: number, count = 1, producerEpoch = 0, producerId = 9): Buffer =>
  batchOf(count, { producerId, producerEpoch, baseSequence })

let nextOffset = 0
const append = (state: ProducerState, appended: Buffer): void => {
  assignOffset(appended, nextOffset++)
  state.note(appended)
}

const after = (...batches: Buffer[]): ProducerState => {
  nextOffset = 100
  const state = new ProducerState()
  for (const one of batches) append(state, one)
  return state
}

const refused = (errorCode: number) => expect.objectContaining({ kind: 'refuse', errorCode })

describe('BROKER 3.2', () => {
  const max = 2 ** 31 - 1
  test.each<[string, ProducerState, Buffer, unknown]>([
    ['no producer id', after(), batchOf(1), { kind: 'append' }],
    ['an unknown producer at sequence 7', after(), batch(7), { kind: 'append' }],
    ['the next sequence', after(batch(0, 3)), batch(3), { kind: 'append' }],
    ['a gap', after(batch(0, 3)), batch(4), refused(45)],
    ['an overlap', after(batch(0, 3)), batch(2, 3), refused(45)],
    ['a duplicate', after(batch(0, 3)), batch(0, 3), { kind: 'duplicate', baseOffset: 100 }],
    ['the same first sequence but fewer records', after(batch(0, 3)), batch(0, 2), refused(45)],
    ['a new epoch from 0', after(batch(0), batch(1)), batch(0, 1, 1), { kind: 'append' }],
    ['a new epoch from 2', after(batch(0), batch(1)), batch(2, 1, 1), refused(45)],
    ['an old epoch', after(batch(0, 1, 3)), batch(1, 1, 2), refused(47)],
    ['an old epoch, a duplicate otherwise', after(batch(0, 1, 3)), batch(0, 1, 2), refused(47)],
    ['a wrap to 0', after(batch(max)), batch(0), { kind: 'append' }],
    ['no wrap to 1', after(batch(max)), batch(1), refused(45)],
    ['a batch over the wrap', after(batch(max - 1, 4)), batch(2), { kind: 'append' }],
    ['another producer', after(batch(0, 3)), batch(8, 1, 0, 10), { kind: 'append' }],
  ])('%s', (_name, state, next, verdict) => {
    expect(state.check(next)).toEqual(verdict)
  })

  test('the last five batches are remembered, older duplicates are refused', () => {
    const state = after(...[0, 1, 2, 3, 4, 5].map((sequence) => batch(sequence)))
    for (const sequence of [1, 2, 3, 4, 5]) {
      expect(state.check(batch(sequence))).toEqual({
        kind: 'duplicate',
        baseOffset: 100 + sequence,
      })
    }
    expect(state.check(batch(0))).toEqual(refused(45))
  })

  test('a new epoch forgets the old one', () => {
    const state = after(batch(0), batch(0, 1, 1))
    expect(state.check(batch(1, 1, 1))).toEqual({ kind: 'append' })
    expect(state.check(batch(0, 1, 1))).toEqual({ kind: 'duplicate', baseOffset: 101 })
    expect(state.check(batch(1, 1, 0))).toEqual(refused(47))
  })

  test('what was saved is restored', () => {
    const state = new ProducerState()
    expect(state.save()).toBeNull()
    state.restore(after(batch(0, 2), batch(0, 1, 0, 10)).save())
    expect(state.check(batch(0, 2))).toEqual({ kind: 'duplicate', baseOffset: 100 })
    expect(state.check(batch(2))).toEqual({ kind: 'append' })
    expect(state.check(batch(3, 1, 0, 10))).toEqual(refused(45))
  })

  test('the producers that were longest silent are forgotten', () => {
    const state = new ProducerState()
    for (let id = 0; id <= 10_000; id++) {
      append(state, batch(0, 1, 0, id))
      if (id === 9_000) append(state, batch(1, 1, 0, 0))
    }
    expect(state.check(batch(5, 1, 0, 1))).toEqual({ kind: 'append' })
    expect(state.check(batch(5, 1, 0, 0))).toEqual(refused(45))
  })
})

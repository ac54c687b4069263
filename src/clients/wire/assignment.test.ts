import { expect, test } from 'vitest'
import { shareOut } from './assignment.ts'

const six = [5, 4, 3, 2, 1, 0]
const nobodyOwns = (...ids: string[]) => ids.map((memberId) => ({ memberId, owned: [] }))
const share = (...given: Parameters<typeof shareOut>) => Object.fromEntries(shareOut(...given))

test('range: consecutive, the first ones by id get one more', () => {
  expect(share('range', nobodyOwns('b', 'a', 'd', 'c'), six)).toEqual({
    a: [0, 1],
    b: [2, 3],
    c: [4],
    d: [5],
  })
})

test('round robin: in turn, and everyone is in the answer', () => {
  expect(share('round-robin', nobodyOwns('b', 'a'), six)).toEqual({ a: [0, 2, 4], b: [1, 3, 5] })
  expect(share('round-robin', nobodyOwns('b', 'a'), [0])).toEqual({ a: [0], b: [] })
})

test('cooperative: what is given up goes to nobody yet, and in the next generation to the new one', () => {
  const first = [
    { memberId: 'z', owned: [0, 1, 2, 3] },
    { memberId: 'a', owned: [] },
  ]
  expect(share('cooperative-sticky', first, [0, 1, 2, 3])).toEqual({ z: [0, 1], a: [] })
  const second = [
    { memberId: 'z', owned: [0, 1] },
    { memberId: 'a', owned: [] },
  ]
  expect(share('cooperative-sticky', second, [0, 1, 2, 3])).toEqual({ z: [0, 1], a: [2, 3] })
})

test('cooperative: nothing moves where it need not, and what two claim has one owner', () => {
  const uneven = [
    { memberId: 'a', owned: [3] },
    { memberId: 'b', owned: [0, 1] },
  ]
  expect(share('cooperative-sticky', uneven, [0, 1, 3])).toEqual({ a: [3], b: [0, 1] })
  const both = [
    { memberId: 'a', owned: [0] },
    { memberId: 'b', owned: [0] },
  ]
  expect(share('cooperative-sticky', both, [0, 1])).toEqual({ a: [0], b: [1] })
})

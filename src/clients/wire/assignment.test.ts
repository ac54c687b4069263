import { expect, test } from 'vitest'
import { encodeSubscription } from '../../protocol/consumer-protocol.ts'
import { assignGroup, partitionsIn, shareOut, subscriptionBytes, topicsOf } from './assignment.ts'

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

test('static members come first, by their instance ids', () => {
  const members = [
    { memberId: 'a', owned: [] },
    { memberId: 'z', groupInstanceId: 'one', owned: [] },
    { memberId: 'b', groupInstanceId: 'two', owned: [] },
  ]
  expect(share('range', members, [0, 1, 2])).toEqual({ z: [0], b: [1], a: [2] })
})

test('cooperative: who missed a generation owns nothing any more', () => {
  const members = [
    { memberId: 'a', owned: [0, 1], generationId: 3 },
    { memberId: 'b', owned: [0], generationId: 4 },
  ]
  expect(share('cooperative-sticky', members, [0, 1])).toEqual({ a: [1], b: [0] })
})

test('a subscription has the bytes of the Java client', () => {
  const owned = { topic: 't', owned: [0, 2], generationId: 5, rackId: null }
  // Version 3, one topic, user data, one topic with two owned partitions, generation, no rack.
  const start = '0003' + '00000001' + '000174'
  const end = '00000001' + '000174' + '00000002' + '00000000' + '00000002' + '00000005' + 'ffff'
  const cooperative = `${start}0000000400000005${end}`
  expect(subscriptionBytes('cooperative-sticky', owned).toString('hex')).toBe(cooperative)
  expect(subscriptionBytes('range', owned).toString('hex')).toBe(`${start}ffffffff${end}`)
})

test('a leader shares out each topic among those that subscribe to it, whatever version they speak', () => {
  const joined = {
    members: [
      { memberId: 'a', groupInstanceId: null, metadata: encodeSubscription(0, { topics: ['t'] }) },
      {
        memberId: 'b',
        groupInstanceId: null,
        metadata: encodeSubscription(3, { topics: ['t', 'u'], rackId: 'r' }),
      },
    ],
  }
  expect(topicsOf(joined)).toEqual(['t', 'u'])
  const partitions = new Map([
    ['t', [0, 1]],
    ['u', [0]],
  ])
  const shares = assignGroup('range', joined, partitions)
  const told = shares.map(({ memberId, assignment }) => [
    memberId,
    partitionsIn(assignment, 't'),
    partitionsIn(assignment, 'u'),
  ])
  expect(told).toEqual([
    ['a', [0], []],
    ['b', [1], [0]],
  ])
})

import { expect, test } from 'vitest'
import { assigned, evidenceOf, lifeOf } from '../../test/support/scenario-evidence.ts'
import { timelineOf } from './timeline.ts'

test('spans of ownership end with the next assignment, a revocation, the end of a life and of the story', () => {
  const lives = [
    lifeOf('a', {
      endedAtMs: 1_500,
      end: 'crashed',
      events: [
        assigned('a', 1, [1, 0], 200),
        { type: 'revoked', partitions: [0], atMs: 600 },
        assigned('a', 2, [1], 800),
      ],
    }),
    lifeOf('a', { number: 2, clientId: 'a.2', startedAtMs: 1_800, endedAtMs: null, end: null }),
    lifeOf('b', { endedAtMs: null, end: null, events: [assigned('b', 2, [0], 800)] }),
  ]
  const { rows, endMs } = timelineOf(evidenceOf({ lives }))
  expect(endMs).toBe(2_000)
  expect(rows).toEqual([
    {
      member: 'a',
      lives: [
        { fromMs: 0, toMs: 1_500 },
        { fromMs: 1_800, toMs: 2_000 },
      ],
      owned: [
        { fromMs: 200, toMs: 600, partitions: [0, 1] },
        { fromMs: 600, toMs: 800, partitions: [1] },
        { fromMs: 800, toMs: 1_500, partitions: [1] },
      ],
    },
    {
      member: 'b',
      lives: [{ fromMs: 0, toMs: 2_000 }],
      owned: [{ fromMs: 800, toMs: 2_000, partitions: [0] }],
    },
  ])
})

test('marks steps, faults and members that gave up, in their order; generations by the clock of the timeline', () => {
  const { marks, generations } = timelineOf(
    evidenceOf({
      recordingStartMs: -100,
      faults: [{ atMs: 300, member: 'b', text: 'JoinGroup answer lost' }],
      lives: [lifeOf('b', { end: 'gave-up', endedAtMs: 900, problem: 'no broker' })],
    }),
  )
  expect(marks.map(({ atMs, member, kind }) => [atMs, member, kind])).toEqual([
    [0, 'a', 'start'],
    [0, 'b', 'start'],
    [300, 'b', 'fault'],
    [900, 'b', 'end'],
  ])
  expect(generations).toEqual([{ atMs: 300, generation: 1 }])
})

test('what members did when they were told to leave is not part of it', () => {
  const [generation] = evidenceOf().generations
  const late = { ...generation, generationId: 2, beganAtUs: 2_500_000 }
  const generations = [generation, late] as ReturnType<typeof evidenceOf>['generations']
  expect(timelineOf(evidenceOf({ generations })).generations).toHaveLength(1)
})

import { describe, expect, test } from 'vitest'
import type { Handlers } from '../../src/broker/apis.ts'
import type { GroupRules } from '../../src/broker/group/rules.ts'
import { type BrokerParts, kafkaParts } from '../../src/broker/parts.ts'
import { shareBytes } from './assignor.ts'
import { groupDefects, partsWith, runTask } from './battery.ts'
import { directedSchedules } from './directed.ts'
import { drawSchedule } from './draw.ts'
import { topicOf } from './exchange.ts'
import type { Schedule } from './schedule.ts'
import { type InvariantName, invariants } from './violation.ts'
import { play } from './world.ts'

// A part of `npm run simulate`, and that each of its judgements can be had.

const seedCount = 300

const schedules = function* (): Generator<Schedule> {
  yield* directedSchedules
  for (let seed = 1; seed <= seedCount; seed++) yield drawSchedule(seed)
}

const directed = (name: string): Schedule => {
  const found = directedSchedules.find((schedule) => schedule.name === name)
  if (found === undefined) throw new Error(`no schedule ${name}`)
  return found
}

describe('the correct coordinator', () => {
  test.each(directedSchedules.map((schedule) => [schedule.name, schedule]))(
    '%s',
    async (_, each) => {
      expect((await play(kafkaParts, each)).violation).toBeNull()
    },
  )

  test('is never blamed', async () => {
    const task = { defect: null, isDirected: false, from: 1, count: seedCount }
    expect((await runTask(task)).first).toBeNull()
  })
})

describe('defects', () => {
  test('are those of what is simulated', () => {
    expect(groupDefects).toContain('canary')
    expect(groupDefects).toContain('stable-join-early-return')
    expect(groupDefects).not.toContain('record-lost')
  })

  test.each(groupDefects)('%s is found', async (defect) => {
    for (const schedule of schedules()) {
      if ((await play(partsWith(defect), schedule)).violation !== null) return
    }
    expect.unreachable(`${defect} is not found`)
  })
})

test.each([1, 9, 35])('seed %i replays exactly', async (seed) => {
  const traceOf = async (defect: string | null): Promise<string[]> => {
    const trace: string[] = []
    await play(partsWith(defect), drawSchedule(seed), trace)
    return trace
  }
  const trace = await traceOf(null)
  expect(trace.length).toBeGreaterThan(20)
  expect(await traceOf(null)).toEqual(trace)
  expect(await traceOf('canary')).not.toEqual(trace)
})

test('another seed is another schedule', () => {
  expect(drawSchedule(1)).toEqual(drawSchedule(1))
  expect(drawSchedule(2)).not.toEqual({ ...drawSchedule(1), name: 'seed 2', seed: 2 })
})

const withRules = (rules: Partial<GroupRules>): BrokerParts => ({
  ...kafkaParts,
  groupRules: { ...kafkaParts.groupRules, ...rules },
})
const withHandlers = (handlers: Partial<Handlers>): BrokerParts => ({
  ...kafkaParts,
  handlers: { ...kafkaParts.handlers, ...handlers },
})

/** For each invariant a coordinator that violates it before any other. */
const violators: Record<InvariantName, BrokerParts> = {
  I1: withHandlers({
    async SyncGroup(request, call, broker) {
      const answer = await kafkaParts.handlers.SyncGroup(request, call, broker)
      const everything = shareBytes({ topic: topicOf(6), partitions: [0, 1, 2, 3, 4, 5] })
      return answer && { ...answer, assignment: everything }
    },
  }),
  I2: partsWith('leader-sync-lost'),
  I3: partsWith('stable-join-early-return'),
  I4: partsWith('canary'),
  I5: withHandlers({
    async JoinGroup(request, call, broker) {
      const answer = await kafkaParts.handlers.JoinGroup(request, call, broker)
      return answer && { ...answer, generationId: (answer.generationId ?? 0) * 2 }
    },
  }),
  I6: partsWith('leader-sync-lost'),
  I7: partsWith('no-expire'),
  I8: partsWith('heartbeat-any-generation'),
  I9: partsWith('commit-lost'),
  I10: withRules({
    selectProtocol: (roster) =>
      roster.state === 'Stable' ? null : kafkaParts.groupRules.selectProtocol(roster),
  }),
}

test.each(Object.keys(invariants) as InvariantName[])('%s can be violated', async (invariant) => {
  for (const schedule of schedules()) {
    const { violation } = await play(violators[invariant], schedule)
    if (violation?.invariant === invariant) return
  }
  expect.unreachable(`${invariant} is not violated`)
})

test('rebalance after rebalance is counted', async () => {
  const limited = { ...directed('5-s-apart'), generationLimit: 2 }
  expect((await play(kafkaParts, limited)).violation?.text).toMatch(/^3 generations/)
})

test('a fair share is more than every partition owned once', async () => {
  const fair = directed('together')
  const clients = fair.clients.map((traits) => ({ ...traits, assignors: ['all-to-one'] as const }))
  const { violation } = await play(kafkaParts, { ...fair, clients })
  expect(violation).toMatchObject({ invariant: 'I2', text: expect.stringMatching(/owns 0 of/) })
})

describe('a leader that never brings its assignment', () => {
  /** When the first of the others is told its share, in s after they came, and the bytes of it. */
  const firstShare = async (name: string): Promise<{ sec: number; bytes: string }> => {
    const trace: string[] = []
    await play(kafkaParts, directed(name), trace)
    const told = /^ *([\d.]+) client [12] is told SyncGroup .*"errorCode":0.*"assignment":"(.*)"/
    const [, sec, bytes = ''] = trace.map((line) => told.exec(line)).find(Boolean) ?? []
    return { sec: Number(sec) - 3, bytes }
  }
  const shareOf = (...partitions: number[]): string =>
    shareBytes({ topic: topicOf(6), partitions }).toString('base64')

  test('is removed with the rebalance timeout, as in Kafka', async () => {
    const { sec, bytes } = await firstShare('leader-never-syncs')
    expect(sec).toBeGreaterThan(10)
    expect([shareOf(0, 1, 2), shareOf(3, 4, 5)]).toContain(bytes)
  })

  test('or the coordinator shares out in its place', async () => {
    const { sec, bytes } = await firstShare('leader-never-syncs-and-the-broker-assigns')
    expect(sec).toBeGreaterThan(5)
    expect(sec).toBeLessThan(9)
    expect([shareOf(1, 4), shareOf(2, 5)]).toContain(bytes)
  })
})

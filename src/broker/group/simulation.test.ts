import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { SimulatedMember } from '../../../test/support/simulated-member.ts'
import type { Clock } from '../../clock.ts'
import { Group } from './group.ts'
import type { JoinAnswer } from './requests.ts'
import { kafkaGroupRules } from './rules.ts'

// Random schedules of members that come, go, go silent, dawdle and change their minds. What must hold at every moment and
// in every generation is checked all along; what must hold in the end, once no one dawdles any more.

const partitionCount = 6
const memberCount = 5

const action = fc.record({
  does: fc.constantFrom(
    'start',
    'start',
    'start',
    'leave',
    'crash',
    'dawdle before syncs',
    'dawdle before joins',
    'change protocols',
  ),
  who: fc.nat(memberCount - 1),
  thenMs: fc.constantFrom(0, 1, 40, 100, 900, 3_000, 7_000, 12_000),
})
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

/** Counts the timers that the group has set, apart from those of the members. */
const countingClock = (clock: Clock) => {
  const live = new Set<object>()
  const counting: Clock = {
    nowNs: () => clock.nowNs(),
    epochMs: () => clock.epochMs(),
    setTimer(delayMs, run) {
      const key = {}
      live.add(key)
      const timer = clock.setTimer(delayMs, () => {
        live.delete(key)
        run()
      })
      return {
        cancel() {
          live.delete(key)
          timer.cancel()
        },
      }
    },
  }
  return { counting, live }
}

const simulation = (isMemberIdRequired: boolean) => {
  const clock = new ManualClock()
  const { counting, live } = countingClock(clock)
  const lines: string[] = []
  let nextId = 1
  const group = new Group('g', {
    clock: counting,
    rules: kafkaGroupRules,
    initialRebalanceDelayMs: 100,
    maxSize: 100,
    newMemberId: (prefix) => `${prefix}-${nextId++}`,
    log: (line) => void lines.push(line),
  })
  const members = Array.from(
    { length: memberCount },
    (_, n) =>
      new SimulatedMember(group, clock, {
        clientId: String.fromCharCode(65 + n),
        // The last one is static.
        groupInstanceId: n === memberCount - 1 ? 'instance' : null,
        partitionCount,
        isMemberIdRequired,
      }),
  )
  return { clock, live, lines, group, members }
}

type Simulation = ReturnType<typeof simulation>

const act = ({ members }: Simulation, { does, who }: Action): void => {
  const member = members[who]
  if (member === undefined) return
  switch (does) {
    case 'start':
      if (!member.isRunning) member.start()
      return
    case 'leave':
      return member.leave()
    case 'crash':
      return member.crash()
    case 'dawdle before syncs':
      member.conduct.syncDelayMs = member.conduct.syncDelayMs === 0 ? 11_000 : 0
      return
    case 'dawdle before joins':
      member.conduct.rejoinDelayMs = member.conduct.rejoinDelayMs === 0 ? 4_000 : 0
      return
    case 'change protocols':
      member.conduct.topics += '.'
  }
}

const checkMoment = ({ group: { roster }, live }: Simulation): void => {
  const { members, leaderId, pendingJoin, pendingSync, state } = roster
  if (members.size === 0) expect(leaderId).toBeNull()
  else expect([...members.keys()]).toContain(leaderId)
  // A static member that came back leaves its earlier id behind.
  for (const memberId of pendingSync) expect(isStatic(memberId) || members.has(memberId)).toBe(true)
  for (const memberId of pendingJoin.keys()) expect([...members.keys()]).not.toContain(memberId)
  for (const { parkedJoin, parkedSync } of members.values()) {
    if (parkedJoin !== null) expect(state).toBe('PreparingRebalance')
    if (parkedSync !== null) expect(state).toBe('CompletingRebalance')
  }
  const ownTimers = [...members.values()].filter(({ sessionTimer }) => sessionTimer !== null)
  const phaseTimers = live.size - ownTimers.length - pendingJoin.size
  const hasPhaseTimer = state === 'PreparingRebalance' || pendingSync.size > 0
  expect(phaseTimers).toBe(hasPhaseTimer ? 1 : 0)
}

/** In each generation all name one leader, and it alone was given the members: those that this generation answered. */
const checkGenerations = ({ members, lines }: Simulation): void => {
  const answers = members
    .flatMap(({ joins }) => joins.map(({ answer }) => answer))
    .filter(({ errorCode }) => errorCode === 0)
  for (const generation of new Set(answers.map(({ generationId }) => generationId))) {
    checkGeneration(answers.filter(({ generationId }) => generationId === generation))
  }
  const numbers = lines.flatMap((line) => /^generation (\d+) (?:has|is)/.exec(line)?.[1] ?? [])
  expect(numbers).toEqual(numbers.map((_, i) => String(i + 1)))
}

const isStatic = (memberId: string): boolean => memberId.startsWith('instance')

const checkGeneration = (answers: JoinAnswer[]): void => {
  const leaders = new Set(answers.map(({ leader }) => leader))
  const given = answers.filter(({ members }) => members.length > 0)
  for (const { memberId, leader } of given) expect(memberId).toBe(leader)
  // A static leader that comes back is told its former id.
  if (![...leaders].some(isStatic)) expect(leaders.size).toBe(1)
  const listed = new Set(given.flatMap(({ members }) => members.map(({ memberId }) => memberId)))
  for (const { memberId } of answers) {
    if (!isStatic(memberId)) expect([...listed]).toContain(memberId)
  }
  const answered = answers.map(({ memberId }) => memberId)
  for (const memberId of listed) if (!isStatic(memberId)) expect(answered).toContain(memberId)
}

const checkCalm = ({ group: { roster }, members, live }: Simulation): void => {
  const running = members.filter(({ isRunning }) => isRunning)
  expect([...roster.members.keys()].toSorted()).toEqual(
    running.map(({ memberId }) => memberId).toSorted(),
  )
  expect(roster.state).toBe(running.length === 0 ? 'Empty' : 'Stable')
  expect(live.size).toBe(running.length)
  const partitions = running.flatMap(({ assigned }) => assigned?.partitions ?? [])
  expect(partitions.toSorted((a, b) => a - b)).toEqual(
    running.length === 0 ? [] : [0, 1, 2, 3, 4, 5],
  )
  for (const { memberId, assigned } of running) {
    expect(assigned?.generationId).toBe(roster.generationId)
    expect(Buffer.from(assigned?.partitions ?? [])).toEqual(
      roster.members.get(memberId)?.assignment,
    )
  }
}

test('whatever members do, and in the end everyone has its share', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 3, maxLength: 25 }),
      fc.boolean(),
      async (actions, isMemberIdRequired) => {
        const sim = simulation(isMemberIdRequired)
        for (const each of actions) {
          act(sim, each)
          checkMoment(sim)
          for (let ms = 0; ms < each.thenMs; ms += 1_000) {
            await sim.clock.advanceAsync(Math.min(1_000, each.thenMs - ms))
            checkMoment(sim)
          }
        }
        for (const { conduct } of sim.members)
          Object.assign(conduct, { syncDelayMs: 0, rejoinDelayMs: 0 })
        await sim.clock.advanceAsync(90_000)
        checkMoment(sim)
        checkGenerations(sim)
        checkCalm(sim)
        sim.group.close()
        for (const member of sim.members) member.crash()
        await sim.clock.advanceAsync(60_000)
        expect(sim.live.size).toBe(0)
        expect(sim.members.map(({ openRequests }) => openRequests)).toEqual([0, 0, 0, 0, 0])
      },
    ),
    { seed: 20, numRuns: 150 },
  )
})

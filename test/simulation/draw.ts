import { createRandom, type Random } from '../../src/bench/random.ts'
import type { Assignor, ClientTraits, Event, Faults, Schedule } from './schedule.ts'

/** A schedule from a seed. Each has its own mix of what may happen, so that rare combinations do come up. */

class Dice {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = createRandom(seed, 1)
  }

  chance(probability: number): boolean {
    return this.#random.nextFraction() < probability
  }

  /** Both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.#random.nextFraction() * (to - from + 1))
  }

  oneOf<T>(...values: readonly [T, ...T[]]): T {
    return values[this.between(0, values.length - 1)] ?? values[0]
  }
}

/** What may happen in one schedule. */
interface Mix {
  readonly isCalm: boolean
  readonly hasCrashes: boolean
  readonly hasPauses: boolean
  readonly hasDawdlers: boolean
  readonly hasChanges: boolean
  readonly hasCoordinatorRestarts: boolean
  readonly staticShare: number
  /** Clients that join without fetching an id first, as before KIP-394. */
  readonly oldShare: number
  readonly commitShare: number
  readonly assignors: readonly [Assignor, ...Assignor[]]
}

const drawMix = (dice: Dice): Mix => {
  const isCalm = dice.chance(0.3)
  const may = (probability: number): boolean => !isCalm && dice.chance(probability)
  return {
    isCalm,
    hasCrashes: may(0.6),
    hasPauses: may(0.4),
    hasDawdlers: may(0.4),
    hasChanges: dice.chance(0.2),
    hasCoordinatorRestarts: may(0.1),
    staticShare: may(0.4) ? dice.oneOf(0.3, 1) : 0,
    oldShare: dice.chance(0.2) ? 0.5 : 0,
    commitShare: dice.chance(0.7) ? 0.6 : 0,
    assignors: dice.oneOf<readonly [Assignor, ...Assignor[]]>(
      ['range'],
      ['range', 'roundrobin'],
      ['cooperative-sticky'],
    ),
  }
}

/** Of those that Kafka does not have; most schedules go without. */
const drawSettings = (dice: Dice): Record<string, string> => {
  if (dice.chance(0.7)) return {}
  const leaderLimit = {
    'leader.sync.timeout.ms': dice.oneOf('1500', '4000'),
    'leader.sync.fallback': dice.oneOf('remove', 'assign'),
  }
  return {
    'group.initial.rebalance.expected.members': String(dice.between(0, 4)),
    'group.initial.rebalance.adaptive': dice.oneOf('true', 'false'),
    ...(dice.chance(0.5) ? leaderLimit : {}),
  }
}

const drawFaults = (dice: Dice, { isCalm }: Mix): Faults => {
  if (isCalm) return { delayMs: dice.oneOf(5, 50), lostRequests: 0, lostAnswers: 0 }
  return {
    delayMs: dice.oneOf(5, 50, 400),
    lostRequests: dice.oneOf(0, 0, 0.03),
    lostAnswers: dice.oneOf(0, 0, 0.05, 0.1),
  }
}

const drawTraits = (dice: Dice, mix: Mix, index: number): ClientTraits => {
  const isStatic = dice.chance(mix.staticShare)
  const isOld = !isStatic && dice.chance(mix.oldShare)
  // Static members are given time to come back.
  const sessionTimeoutMs = isStatic ? dice.oneOf(6_000, 30_000) : dice.oneOf(6_000, 6_000, 10_000)
  const rebalanceTimeoutMs = dice.oneOf(5_000, 8_000, 12_000)
  const joinVersion = isOld ? dice.between(0, 3) : dice.between(isStatic ? 5 : 4, 9)
  const isPatient = isOld || mix.isCalm || dice.chance(0.7)
  return {
    groupInstanceId: isStatic ? `s${index}` : null,
    assignors: dice.chance(0.5) ? mix.assignors : mix.assignors.toReversed(),
    joinVersion,
    syncVersion: dice.between(3, joinVersion >= 7 ? 5 : 4),
    leaveVersion: dice.oneOf(0, 2, 3, 5),
    commitVersion: dice.between(isStatic ? 7 : 2, 9),
    offsetFetchVersion: dice.between(1, 9),
    sessionTimeoutMs,
    rebalanceTimeoutMs: joinVersion === 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
    heartbeatMs: dice.oneOf(1_000, 2_000),
    joinRequestTimeoutMs: isPatient ? 20_000 : dice.oneOf(1_500, 4_000),
    commitMs: dice.chance(mix.commitShare) ? dice.oneOf(700, 1_500) : 0,
  }
}

/** Each client comes, and then comes and goes, and what else the mix allows. */
const drawEvents = (dice: Dice, mix: Mix, clientCount: number, lengthMs: number): Event[] => {
  const events: Event[] = []
  const staggerMs = dice.oneOf(0, 50, 1_000, 5_000)
  for (let who = 0; who < clientCount; who++) {
    const atMs = Math.min(who * staggerMs + dice.between(0, 40), lengthMs - 1)
    events.push({ does: 'start', who, atMs })
  }
  const deeds: ((who: number, atMs: number) => Event)[] = [
    (who, atMs) => ({ does: 'leave', who, atMs }),
    (who, atMs) => ({ does: 'start', who, atMs }),
  ]
  if (mix.hasCrashes) {
    deeds.push(
      (who, atMs) => ({ does: 'crash', who, atMs }),
      (who, atMs) => ({ does: 'restart', who, atMs }),
      (who, atMs) => ({ does: 'start', who, atMs }),
    )
  }
  if (mix.hasPauses) {
    deeds.push((who, atMs) => ({
      does: 'pause',
      who,
      atMs,
      ms: dice.oneOf(500, 3_000, 9_000, 15_000),
    }))
  }
  if (mix.hasDawdlers) {
    deeds.push(
      (who, atMs) => ({ does: 'dawdle to join', who, atMs, ms: dice.oneOf(0, 2_000, 7_000) }),
      (who, atMs) => ({ does: 'dawdle to assign', who, atMs, ms: dice.oneOf(0, 1_000, 9_000) }),
    )
  }
  if (!mix.isCalm) {
    deeds.push((who, atMs) => ({ does: 'lose join answers', who, atMs, count: dice.between(1, 4) }))
  }
  if (mix.hasChanges) deeds.push((who, atMs) => ({ does: 'resubscribe', who, atMs }))
  const count = dice.between(0, 8)
  for (let i = 0; i < count; i++) {
    const deed = deeds[dice.between(0, deeds.length - 1)]
    const event = deed?.(dice.between(0, clientCount - 1), dice.between(0, lengthMs - 1))
    if (event !== undefined) events.push(event)
  }
  if (mix.hasCoordinatorRestarts) {
    events.push({ does: 'restart coordinator', who: -1, atMs: dice.between(0, lengthMs - 1) })
  }
  return events.toSorted((a, b) => a.atMs - b.atMs)
}

/** How many generations members may bring about by coming, going and changing what they want. */
const limitOf = (events: readonly Event[], { assignors }: Mix): number => {
  const changes = events.filter(({ does }) => ['start', 'leave', 'resubscribe'].includes(does))
  // Cooperative members give up partitions in one generation and get them in the next (KIP-429).
  return changes.length * (assignors.includes('cooperative-sticky') ? 2 : 1)
}

export const drawSchedule = (seed: number): Schedule => {
  const dice = new Dice(seed)
  const mix = drawMix(dice)
  const clientCount = dice.between(1, 6)
  const faultsEndMs = dice.oneOf(8_000, 15_000, 25_000)
  const partitionCount = dice.between(1, 12)
  const initialDelayMs = dice.oneOf(0, 100, 3_000)
  const settings = drawSettings(dice)
  const clients = Array.from({ length: clientCount }, (_, i) => drawTraits(dice, mix, i))
  const faults = drawFaults(dice, mix)
  const events = drawEvents(dice, mix, clientCount, faultsEndMs)
  return {
    name: `seed ${seed}`,
    seed,
    partitionCount,
    settings: { 'group.initial.rebalance.delay.ms': String(initialDelayMs), ...settings },
    clients,
    faults,
    events,
    faultsEndMs,
    isCalm: mix.isCalm,
    generationLimit: mix.isCalm ? limitOf(events, mix) : null,
  }
}

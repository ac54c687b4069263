import { createRandom, type Random } from '../../src/bench/random.ts'
import type { BrokerParts } from '../../src/broker/parts.ts'
import { errorCode } from '../../src/protocol/errors.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { SimulatedClient } from './client.ts'
import { Endpoint } from './endpoint.ts'
import { Network, type Note } from './network.ts'
import type { Event, Schedule } from './schedule.ts'
import type { Violation } from './violation.ts'
import { Witness } from './witness.ts'

/** One simulated life of a group: a schedule played against a coordinator on virtual time, under a witness. */

export interface Outcome {
  /** The first; null: the coordinator has done nothing wrong. */
  readonly violation: Violation | null
  readonly elapsedMs: number
  readonly generationCount: number
}

/** How often, in virtual time, it is looked whether the group has come to rest. */
const lookMs = 500
/** How long a group has to stay at rest. */
const restMs = 4_000

/** What may be answered to a member in good standing. */
const usualCodes: readonly number[] = [errorCode.REBALANCE_IN_PROGRESS]
const knownCodes: readonly number[] = [
  ...usualCodes,
  errorCode.NOT_COORDINATOR,
  errorCode.COORDINATOR_NOT_AVAILABLE,
  errorCode.ILLEGAL_GENERATION,
  errorCode.UNKNOWN_MEMBER_ID,
  errorCode.FENCED_INSTANCE_ID,
]

export class SimulatedWorld {
  readonly clock = new ManualClock()
  readonly random: Random
  readonly network: Network
  readonly clients: readonly SimulatedClient[]
  readonly witness: Witness
  readonly endpoint: Endpoint
  readonly #schedule: Schedule
  readonly #note: Note

  constructor(parts: BrokerParts, schedule: Schedule, trace: string[] | null) {
    this.#schedule = schedule
    this.random = createRandom(schedule.seed, 2)
    this.#note =
      trace === null
        ? () => {}
        : (text) => void trace.push(`${(this.nowMs / 1_000).toFixed(3).padStart(8)} ${text()}`)
    this.witness = new Witness(schedule, () => this.nowMs)
    this.endpoint = new Endpoint(parts, schedule, this.clock, this.witness)
    this.network = new Network(this.endpoint, this.clock, this.random, schedule.faults, (text) =>
      this.#note(text),
    )
    this.clients = schedule.clients.map((traits, i) => new SimulatedClient(this, i, traits))
  }

  get nowMs(): number {
    return this.clock.elapsedMs
  }

  get partitionCount(): number {
    return this.#schedule.partitionCount
  }

  onRefusal({ clientId, memberId }: SimulatedClient, code: number): void {
    const { isCalm } = this.#schedule
    if ((isCalm ? usualCodes : knownCodes).includes(code)) return
    const invariant = code === errorCode.UNKNOWN_MEMBER_ID ? 'I7' : 'I8'
    this.witness.blame(invariant, `client ${clientId}, member ${memberId}, was refused: ${code}`)
  }

  async play(): Promise<Outcome> {
    for (const event of this.#schedule.events) {
      this.clock.setTimer(event.atMs, () => this.#act(event))
    }
    await this.#advance(this.#schedule.faultsEndMs)
    this.network.heal()
    for (const client of this.clients) client.heal()
    this.#note(() => 'the faults end')
    await this.#comeToRest()
    this.witness.checkEnd()
    const { count } = this.witness.generations
    const { elapsedMs } = this.clock
    for (const client of this.clients) client.crash()
    this.endpoint.close()
    if (this.endpoint.openAnswers > 0) await settled()
    this.#checkClosed()
    const { violation } = this.witness
    if (violation !== null) this.#note(() => `${violation.invariant} violated: ${violation.text}`)
    return { violation, elapsedMs, generationCount: count }
  }

  async #advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms
    while (this.witness.violation === null && this.clock.runNext(untilMs)) {
      // Only parked answers are promises; all else has happened when the timer has run.
      if (this.endpoint.openAnswers > 0) await settled()
    }
    if (this.witness.violation === null) this.clock.advance(untilMs - this.nowMs)
  }

  async #comeToRest(): Promise<void> {
    const { clients } = this.#schedule
    const longestMs = (of: (traits: (typeof clients)[number]) => number): number =>
      Math.max(0, ...clients.map(of))
    // What is left behind is found out in up to a session and a rebalance, and each may have to wait for the one before.
    const limitMs =
      3 *
        (longestMs((each) => each.sessionTimeoutMs) +
          longestMs((each) => each.rebalanceTimeoutMs)) +
      20_000
    const endMs = this.nowMs + limitMs
    let [restedMs, generationId] = [0, -1]
    while (restedMs < restMs && this.nowMs < endMs && this.witness.violation === null) {
      await this.#advance(lookMs)
      const { currentId } = this.witness.generations
      const isAtRest = this.#unrest() === null && currentId === generationId
      restedMs = isAtRest ? restedMs + lookMs : 0
      generationId = currentId
    }
    if (restedMs < restMs) {
      const [invariant, text] = this.#unrest() ?? ['I5' as const, 'one rebalance follows another']
      this.witness.blame(invariant, text)
    }
  }

  /** What is not as it should be at rest; null when all is. */
  #unrest(): ['I2' | 'I7', string] | null {
    const live = this.clients.filter(({ isUp }) => isUp)
    const group = this.witness.group
    const members = (group?.members ?? []).map(({ memberId }) => memberId).toSorted()
    const liveIds = live.map(({ memberId }) => memberId).toSorted()
    if (members.join() !== liveIds.join()) {
      return [
        'I7',
        `the group has the members [${members.join()}], and live are [${liveIds.join()}]`,
      ]
    }
    if (live.length === 0) return null
    const restless = live.find(({ isSettled }) => !isSettled)
    if (restless !== undefined || group?.state !== 'Stable') {
      return ['I2', `client ${restless?.clientId} has not settled; the group is ${group?.state}`]
    }
    const { currentId } = this.witness.generations
    const behind = live.find(({ generationId }) => generationId !== currentId)
    if (behind !== undefined) {
      return [
        'I2',
        `client ${behind.clientId} is in generation ${behind.generationId} of ${currentId}`,
      ]
    }
    return this.#unfairness(live)
  }

  #unfairness(live: readonly SimulatedClient[]): ['I2', string] | null {
    const { partitionCount } = this
    const owned = live.flatMap((client) => client.owned).toSorted((a, b) => a - b)
    const isWhole = owned.length === partitionCount && owned.every((each, i) => each === i)
    if (!isWhole) return ['I2', `owned are partitions ${owned.join()} of ${partitionCount}`]
    const floor = Math.floor(partitionCount / live.length)
    const poor = live.find((client) => client.owned.length < floor)
    return poor === undefined
      ? null
      : ['I2', `client ${poor.clientId} owns ${poor.owned.length} of at least ${floor} partitions`]
  }

  #checkClosed(): void {
    const { openAnswers, timerCount } = this.endpoint
    if (openAnswers > 0) this.witness.blame('I6', `${openAnswers} requests were never answered`)
    if (timerCount > 0) this.witness.blame('I6', `${timerCount} timers outlive the coordinator`)
  }

  #act(event: Event): void {
    const client = this.clients[event.who]
    this.#note(
      () =>
        `${event.does === 'restart coordinator' ? '' : `client ${event.who}: `}${JSON.stringify(event)}`,
    )
    if (event.does === 'restart coordinator') return this.endpoint.restart()
    if (client === undefined) return
    switch (event.does) {
      case 'start':
        return client.start()
      case 'leave':
        return client.leave()
      case 'crash':
        return client.crash()
      case 'restart':
        client.crash()
        return client.start()
      case 'resubscribe':
        return client.resubscribe()
      case 'pause':
        return client.pause(Math.min(event.ms, this.#schedule.faultsEndMs - this.nowMs))
      case 'dawdle to join':
        client.rejoinMs = event.ms
        return
      case 'dawdle to assign':
        client.assignMs = event.ms
        return
      case 'lose join answers':
        return this.network.loseJoins(client.clientId, event.count)
    }
  }
}

/** `parts` serve this schedule only: a defect may remember things. `trace` takes a line for all that happens. */
export const play = (
  parts: BrokerParts,
  schedule: Schedule,
  trace: string[] | null = null,
): Promise<Outcome> => new SimulatedWorld(parts, schedule, trace).play()

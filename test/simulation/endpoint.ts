import type { BrokerContext, Call } from '../../src/broker/context.ts'
import { GroupCoordinator } from '../../src/broker/group/coordinator.ts'
import type { BrokerParts } from '../../src/broker/parts.ts'
import { parseSettings } from '../../src/broker/settings.ts'
import { memoryJournal } from '../../src/broker/store/journal.ts'
import type { Clock, Timer } from '../../src/clock.ts'
import { messageOf } from '../../src/errors.ts'
import type { RequestOf } from '../../src/protocol/messages/index.ts'
import { dataContext } from '../support/broker-context.ts'
import { type AnswerOf, type Exchange, type GroupApi, groupId, topicOf } from './exchange.ts'
import type { Schedule } from './schedule.ts'
import type { Witness } from './witness.ts'

/** The broker's handlers and coordinator under a witness, without bytes and connections. */

/** How long after its deadline an answer is missing, and not just late in the order of timers. */
const graceMs = 1

/** Topics do not change, so all simulations of a process share them. */
const { broker: shared } = dataContext()

type Handle<N extends GroupApi> = (
  request: RequestOf<N>,
  call: Call,
  broker: BrokerContext,
) => AnswerOf<N> | null | Promise<AnswerOf<N> | null>

export class Endpoint {
  readonly #parts: BrokerParts
  readonly #clock: Clock
  readonly #witness: Witness
  readonly #context: BrokerContext
  readonly #coordinator: () => GroupCoordinator
  #groups: GroupCoordinator
  /** Counts what the coordinator has been made to do: requests, and timers that came due. */
  #step = 0
  #timerCount = 0
  /** Promised and not given yet. */
  openAnswers = 0
  readonly #parkedLimitMs: number

  constructor(parts: BrokerParts, schedule: Schedule, clock: Clock, witness: Witness) {
    this.#parts = parts
    this.#clock = clock
    this.#witness = witness
    const settings = parseSettings(schedule.settings)
    const journal = memoryJournal()
    let nextId = 1
    this.#coordinator = () =>
      new GroupCoordinator({
        clock: this.#watchedClock(),
        settings,
        journal,
        log: () => {},
        rules: parts.groupRules,
        newMemberId: (prefix) => `${prefix}-${nextId++}`,
        partitionCountOf: (topic) => shared.topics.get(topic)?.partitionCount ?? 0,
      })
    this.#groups = this.#coordinator()
    const topic = topicOf(schedule.partitionCount)
    if (shared.topics.get(topic) === null) shared.topics.create(topic, schedule.partitionCount)
    this.#context = { ...shared, clock, settings, groups: this.#groups }
    this.#parkedLimitMs =
      settings['group.initial.rebalance.delay.ms'] +
      Math.max(...schedule.clients.map((each) => each.rebalanceTimeoutMs), 0)
  }

  /** Timers of the coordinator that are set. */
  get timerCount(): number {
    return this.#timerCount
  }

  handle<N extends GroupApi>(
    api: N,
    call: Call,
    request: RequestOf<N>,
    onAnswer: (answer: AnswerOf<N>) => void,
  ): void {
    const step = ++this.#step
    const atMs = this.#clock.nowNs() / 1e6
    const { group: before, generations } = this.#witness
    const { currentId: generationId } = generations
    const exchange: Exchange<N> = { api, call, request, atMs, generationId, before }
    this.#witness.onRequest(exchange)
    const give = (answer: AnswerOf<N> | null): void => {
      if (answer === null) return this.#witness.blame('I6', `${api} was not answered`)
      this.#witness.onAnswer(exchange, answer, step === this.#step)
      onAnswer(answer)
    }
    this.#guard(() => {
      const answer = (this.#parts.handlers[api] as Handle<N>)(request, call, this.#context)
      this.#witness.see(this.#groups.describeGroup(groupId))
      if (answer instanceof Promise) this.#await(api, answer, give)
      else give(answer)
    })
  }

  restart(): void {
    this.#step++
    this.#groups.close()
    this.#groups = this.#coordinator()
    Object.assign(this.#context, { groups: this.#groups })
    this.#witness.onRestart()
    this.#witness.see(this.#groups.describeGroup(groupId))
  }

  close(): void {
    this.#step++
    this.#groups.close()
  }

  #await<N extends GroupApi>(
    api: N,
    answer: Promise<AnswerOf<N> | null>,
    give: (answer: AnswerOf<N> | null) => void,
  ): void {
    this.openAnswers++
    const limitMs = this.#parkedLimitMs + graceMs
    const deadline = this.#clock.setTimer(limitMs, () =>
      this.#witness.blame('I6', `${api} was not answered within ${limitMs} ms`),
    )
    const settle = (run: () => void): void => {
      deadline.cancel()
      this.openAnswers--
      this.#guard(run)
    }
    answer.then(
      (value) => settle(() => give(value)),
      (error) =>
        settle(() => {
          throw error
        }),
    )
  }

  /** The coordinator's clock: what its timers do is seen as well. */
  #watchedClock(): Clock {
    const clock = this.#clock
    return {
      nowNs: () => clock.nowNs(),
      epochMs: () => clock.epochMs(),
      setTimer: (delayMs, run): Timer => {
        let isSet = true
        const end = (): void => {
          if (isSet) this.#timerCount--
          isSet = false
        }
        this.#timerCount++
        const timer = clock.setTimer(delayMs, () => {
          end()
          this.#step++
          this.#witness.beforeStep()
          this.#guard(run)
          this.#witness.see(this.#groups.describeGroup(groupId))
        })
        return {
          cancel() {
            end()
            timer.cancel()
          },
        }
      },
    }
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#witness.blame('I6', `the coordinator failed: ${messageOf(error)}`)
    }
  }
}

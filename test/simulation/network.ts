import type { Random } from '../../src/bench/random.ts'
import type { Call } from '../../src/broker/context.ts'
import type { Clock } from '../../src/clock.ts'
import type { RequestOf } from '../../src/protocol/messages/index.ts'
import type { Endpoint } from './endpoint.ts'
import type { AnswerOf, GroupApi } from './exchange.ts'
import type { Faults } from './schedule.ts'

/** Carries requests and answers, each on its own, late or not at all. */

/** What is said, for the trace. */
export type Note = (text: () => string) => void

const soundDelayMs = 5

export class Network {
  faults: Faults
  readonly #endpoint: Endpoint
  readonly #clock: Clock
  readonly #random: Random
  readonly #note: Note
  /** By client id: how many more join answers get lost. */
  readonly #lostJoins = new Map<string, number>()

  constructor(endpoint: Endpoint, clock: Clock, random: Random, faults: Faults, note: Note) {
    this.#endpoint = endpoint
    this.#clock = clock
    this.#random = random
    this.faults = faults
    this.#note = note
  }

  /** `onAnswer` is called once: with the answer, or with null when none has come in time. */
  ask<N extends GroupApi>(
    api: N,
    call: Call,
    request: RequestOf<N>,
    timeoutMs: number,
    onAnswer: (answer: AnswerOf<N> | null) => void,
  ): void {
    const who = `client ${call.clientId}`
    let isOver = false
    const timeout = this.#clock.setTimer(timeoutMs, () => {
      isOver = true
      this.#note(() => `${who} gives ${api} up`)
      onAnswer(null)
    })
    if (this.#chance(this.faults.lostRequests)) {
      return this.#note(() => `${who} says ${api}, which gets lost`)
    }
    this.#clock.setTimer(this.#delayMs(), () => {
      this.#note(() => `${who} says ${api} v${call.version} ${brief(request)}`)
      this.#endpoint.handle(api, call, request, (answer) => {
        const isLost = this.#isJoinLost(api, call) || this.#chance(this.faults.lostAnswers)
        this.#note(() => `${who} is told ${api} ${brief(answer)}${isLost ? ', lost' : ''}`)
        if (isLost) return
        this.#clock.setTimer(this.#delayMs(), () => {
          if (isOver) return
          isOver = true
          timeout.cancel()
          onAnswer(answer)
        })
      })
    })
  }

  loseJoins(clientId: string, count: number): void {
    this.#lostJoins.set(clientId, count)
  }

  /** From now on nothing is late or lost. */
  heal(): void {
    this.faults = { delayMs: soundDelayMs, lostRequests: 0, lostAnswers: 0 }
    this.#lostJoins.clear()
  }

  #isJoinLost(api: GroupApi, { clientId }: Call): boolean {
    const left = this.#lostJoins.get(clientId ?? '') ?? 0
    if (api !== 'JoinGroup' || left === 0) return false
    this.#lostJoins.set(clientId ?? '', left - 1)
    return true
  }

  /** Most are quick, some take as long as can be. */
  #delayMs(): number {
    const fraction = this.#random.nextFraction()
    return fraction < 0.9
      ? Math.ceil(fraction * 3)
      : Math.ceil(this.faults.delayMs * (fraction * 10 - 9))
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random.nextFraction() < probability
  }
}

const brief = (value: object): string =>
  JSON.stringify(value, (_key, each: unknown) => {
    const bytes = (each as { type?: string; data?: number[] } | null)?.type === 'Buffer'
    return bytes ? Buffer.from((each as { data: number[] }).data).toString('base64') : each
  })

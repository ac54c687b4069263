/**
 * A member of a classic group as a state machine: requests go out through a port, answers come back by callback, time is
 * the clock's. Nothing in it waits. What was assigned, and what is read, is its host's affair.
 *
 * preparing (the host gives up what it must) → joining → syncing → stable → preparing …
 */
import type { Clock, Timer } from '../../clock.ts'
import { errorCode, isRetriable } from '../../protocol/errors.ts'
import { BrokerError } from './errors.ts'
import type { JoinAnswer, MemberAssignment, MemberIdentity, SyncAnswer } from './group-requests.ts'

/** An answer, or what prevented it. */
export type Answer<Value> = { readonly value: Value } | { readonly error: unknown }

type Callback<Value> = (answer: Answer<Value>) => void

/** Each call ends in exactly one callback. */
export interface GroupPort {
  join(memberId: string, generationId: number, done: Callback<JoinAnswer>): void
  /** As leader: everyone's share. */
  assign(joined: JoinAnswer, done: Callback<readonly MemberAssignment[]>): void
  sync(
    identity: MemberIdentity,
    protocolName: string,
    assignments: readonly MemberAssignment[],
    done: Callback<SyncAnswer>,
  ): void
  heartbeat(identity: MemberIdentity, done: Callback<number>): void
}

export interface GroupHost {
  /** To give up what has to be given up before a join, commits included; then `done`. */
  onRejoin(done: () => void): void
  /** The group does not know the member any more: what it read belongs to others, and is not committed. */
  onLost(): void
  /** Join and sync are done. */
  onAssigned(assignment: Buffer): void
  /** The member has given up. `error` is what it met last. */
  onCrash(error: unknown): void
}

export interface GroupTimes {
  readonly heartbeatIntervalMs: number
  /** The host is not waited for any longer before a join. */
  readonly rebalanceTimeoutMs: number
  readonly retries: number
  readonly firstBackoffMs: number
  readonly longestBackoffMs: number
}

type State = 'idle' | 'preparing' | 'joining' | 'syncing' | 'stable' | 'stopped'

const {
  COORDINATOR_LOAD_IN_PROGRESS,
  COORDINATOR_NOT_AVAILABLE,
  NOT_COORDINATOR,
  ILLEGAL_GENERATION,
  UNKNOWN_MEMBER_ID,
  REBALANCE_IN_PROGRESS,
  MEMBER_ID_REQUIRED,
} = errorCode

const notACoordinator: readonly number[] = [
  COORDINATOR_LOAD_IN_PROGRESS,
  COORDINATOR_NOT_AVAILABLE,
  NOT_COORDINATOR,
]

export class GroupMember {
  memberId = ''
  /** -1 outside of a generation. */
  generationId = -1
  readonly #port: GroupPort
  readonly #host: GroupHost
  readonly #times: GroupTimes
  readonly #clock: Clock
  #state: State = 'idle'
  /** Answers of an earlier turn are not looked at. */
  #turn = 0
  #timer: Timer | null = null
  #heartbeatTimer: Timer | null = null
  #failures = 0

  constructor(port: GroupPort, host: GroupHost, times: GroupTimes, clock: Clock) {
    this.#port = port
    this.#host = host
    this.#times = times
    this.#clock = clock
  }

  get isStable(): boolean {
    return this.#state === 'stable'
  }

  /** Between two generations: what it says of the last one may be refused. */
  get isJoining(): boolean {
    return this.#state === 'joining' || this.#state === 'syncing'
  }

  get identity(): MemberIdentity {
    return { memberId: this.memberId, generationId: this.generationId }
  }

  start(): void {
    if (this.#state === 'idle') this.#join()
  }

  /** Takes no more part; what is open is not looked at. */
  stop(): void {
    this.#enter('stopped')
    this.#heartbeatTimer?.cancel()
  }

  /** Joins again once the host is ready: it gave up partitions, or the topic has changed. */
  rejoin(): void {
    if (this.#state !== 'stable') return
    const turn = this.#enter('preparing')
    const join = (): void => {
      if (turn === this.#turn) this.#join()
    }
    this.#timer = this.#clock.setTimer(this.#times.rebalanceTimeoutMs, join)
    this.#host.onRejoin(join)
  }

  /** What the coordinator said to a heartbeat, or to a commit of `identity`. */
  onCode(code: number, { generationId, memberId }: MemberIdentity): void {
    if (generationId !== this.generationId || memberId !== this.memberId) return
    if (this.#state === 'stopped' || this.#state === 'joining') return
    if (code === REBALANCE_IN_PROGRESS) this.rejoin()
    else if (isForgotten(code)) this.#forget(code)
    else if (code !== 0 && !notACoordinator.includes(code)) this.#crash(new BrokerError(code))
  }

  /** The turn that begins. */
  #enter(state: State): number {
    this.#timer?.cancel()
    this.#timer = null
    this.#state = state
    this.#turn += 1
    return this.#turn
  }

  #join(): void {
    const turn = this.#enter('joining')
    this.#heartbeatTimer?.cancel()
    this.#port.join(this.memberId, this.generationId, (answer) => {
      if (turn !== this.#turn) return
      if ('error' in answer) this.#onError(answer.error)
      else this.#onJoined(answer.value)
    })
  }

  #onJoined(answer: JoinAnswer): void {
    const { errorCode: code } = answer
    if (code === 0) return this.#sync(answer)
    if (code === MEMBER_ID_REQUIRED) {
      this.memberId = answer.memberId
      this.#join()
    } else if (isForgotten(code)) {
      this.#forget(code)
    } else if (code === REBALANCE_IN_PROGRESS || notACoordinator.includes(code)) {
      this.#joinLater(new BrokerError(code))
    } else {
      this.#crash(new BrokerError(code))
    }
  }

  #sync(joined: JoinAnswer): void {
    const turn = this.#enter('syncing')
    this.memberId = joined.memberId
    this.generationId = joined.generationId
    this.#beatLater(this.#times.heartbeatIntervalMs)
    const send = (assignments: readonly MemberAssignment[]): void => {
      this.#port.sync(this.identity, joined.protocolName ?? '', assignments, (answer) => {
        if (turn !== this.#turn) return
        if ('error' in answer) this.#onError(answer.error)
        else this.#onSynced(answer.value)
      })
    }
    if (joined.leader !== joined.memberId || joined.skipAssignment) return send([])
    this.#port.assign(joined, (answer) => {
      if (turn !== this.#turn) return
      if ('error' in answer) this.#onError(answer.error)
      else send(answer.value)
    })
  }

  #onSynced({ errorCode: code, assignment }: SyncAnswer): void {
    if (code === 0) {
      this.#failures = 0
      this.#enter('stable')
      this.#host.onAssigned(assignment)
    } else if (code === REBALANCE_IN_PROGRESS) {
      this.#join()
    } else if (isForgotten(code)) {
      this.#forget(code)
    } else if (notACoordinator.includes(code)) {
      this.#joinLater(new BrokerError(code))
    } else {
      this.#crash(new BrokerError(code))
    }
  }

  #beatLater(delayMs: number): void {
    this.#heartbeatTimer?.cancel()
    this.#heartbeatTimer = this.#clock.setTimer(delayMs, () => this.#beat())
  }

  #beat(): void {
    const { identity } = this
    this.#port.heartbeat(identity, (answer) => {
      if (identity.generationId !== this.generationId || identity.memberId !== this.memberId) return
      if (this.#state === 'stopped' || this.#state === 'joining') return
      const code = 'error' in answer ? COORDINATOR_NOT_AVAILABLE : answer.value
      if (code === 0 || code === REBALANCE_IN_PROGRESS) {
        this.#failures = 0
        this.#beatLater(this.#times.heartbeatIntervalMs)
      } else if (notACoordinator.includes(code)) {
        this.#failures += 1
        if (this.#failures > this.#times.retries) {
          return this.#crash('error' in answer ? answer.error : new BrokerError(code))
        }
        this.#beatLater(this.#backoffMs)
      }
      this.onCode(code, identity)
    })
  }

  /** Out of the group. It comes back with its id where that is still known. Source: Kafka, AbstractCoordinator. */
  #forget(code: number): void {
    this.#heartbeatTimer?.cancel()
    if (code === UNKNOWN_MEMBER_ID) this.memberId = ''
    this.generationId = -1
    this.#enter('joining')
    this.#host.onLost()
    this.#joinLater(new BrokerError(code))
  }

  #onError(error: unknown): void {
    const isFinal = error instanceof BrokerError && !isRetriable(error.kafkaCode)
    if (isFinal) this.#crash(error)
    else this.#joinLater(error)
  }

  #joinLater(error: unknown): void {
    this.#failures += 1
    if (this.#failures > this.#times.retries) return this.#crash(error)
    this.#enter('joining')
    this.#timer = this.#clock.setTimer(this.#backoffMs, () => this.#join())
  }

  get #backoffMs(): number {
    const { firstBackoffMs, longestBackoffMs } = this.#times
    return Math.min(firstBackoffMs * 2 ** Math.max(0, this.#failures - 1), longestBackoffMs)
  }

  #crash(error: unknown): void {
    this.stop()
    this.#host.onCrash(error)
  }
}

const isForgotten = (code: number): boolean =>
  code === UNKNOWN_MEMBER_ID || code === ILLEGAL_GENERATION

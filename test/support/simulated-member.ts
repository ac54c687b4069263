import type {
  HeartbeatRequest,
  JoinAnswer,
  JoinRequest,
  MemberIdentity,
  SyncAnswer,
  SyncRequest,
} from '../../src/broker/group/requests.ts'
import { type Clock, sleep } from '../../src/clock.ts'

/** A group member as a client library runs one: join, sync, heartbeat, rejoin when told, on a given clock. */

/** What a member talks to: a `Group`, or a coordinator behind the same four calls. */
export interface MemberPort {
  join(request: JoinRequest): JoinAnswer | Promise<JoinAnswer>
  sync(request: SyncRequest): SyncAnswer | Promise<SyncAnswer>
  heartbeat(request: HeartbeatRequest): number
  leave(identities: readonly MemberIdentity[]): number[]
}

export interface Conduct {
  clientId: string
  groupInstanceId: string | null
  partitionCount: number
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  heartbeatMs: number
  /** How long the member takes from being told to rejoin until it does. */
  rejoinDelayMs: number
  /** How long it takes from the join's answer to its sync. */
  syncDelayMs: number
  topics: string
  isMemberIdRequired: boolean
}

const usualConduct: Conduct = {
  clientId: 'member',
  groupInstanceId: null,
  partitionCount: 6,
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  heartbeatMs: 3_000,
  rejoinDelayMs: 0,
  syncDelayMs: 0,
  topics: 't',
  isMemberIdRequired: true,
}

export interface Assigned {
  readonly atMs: number
  readonly generationId: number
  readonly partitions: readonly number[]
}

export interface Joined {
  readonly atMs: number
  readonly answer: JoinAnswer
}

export class SimulatedMember {
  readonly conduct: Conduct
  /** Every answer to a join, the errors included, also those that come after a crash. */
  readonly joins: Joined[] = []
  /** Every assignment that came without an error. */
  readonly assignments: Assigned[] = []
  readonly errorCodes: number[] = []
  memberId = ''
  isRunning = false
  openRequests = 0
  readonly #port: MemberPort
  readonly #clock: Clock
  readonly #startNs: number
  #generationId = -1
  /** Counts starts, so that what an earlier life still waits for does not act for the present one. */
  #life = 0

  constructor(port: MemberPort, clock: Clock, conduct: Partial<Conduct> = {}) {
    this.#port = port
    this.#clock = clock
    this.#startNs = clock.nowNs()
    this.conduct = { ...usualConduct, ...conduct }
  }

  get assigned(): Assigned | null {
    return this.assignments.at(-1) ?? null
  }

  get elapsedMs(): number {
    return (this.#clock.nowNs() - this.#startNs) / 1e6
  }

  /** Joins as a new member. */
  start(): void {
    this.memberId = ''
    this.isRunning = true
    this.#life++
    void this.#live(this.#life)
  }

  /** Goes silent without a word. */
  crash(): void {
    this.isRunning = false
    this.#life++
  }

  leave(): void {
    this.crash()
    const identity = { memberId: this.memberId, groupInstanceId: this.conduct.groupInstanceId }
    if (this.memberId !== '') this.#port.leave([identity])
  }

  async #live(life: number): Promise<void> {
    while (this.#life === life) {
      const joined = await this.#join(life)
      if (joined === null) continue
      await sleep(this.#clock, this.conduct.syncDelayMs)
      if (this.#life !== life) return
      if (!(await this.#sync(life, joined))) continue
      await this.#heartbeatUntilTold(life)
      await sleep(this.#clock, this.conduct.rejoinDelayMs)
    }
  }

  async #join(life: number): Promise<JoinAnswer | null> {
    const { conduct, memberId } = this
    const answer = await this.#track(
      this.#port.join({
        ...conduct,
        groupId: 'g',
        memberId,
        clientHost: '127.0.0.1',
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.from(conduct.topics) }],
        canSkipAssignment: false,
      }),
    )
    this.joins.push({ atMs: this.elapsedMs, answer })
    if (this.#life !== life) return null
    if (answer.errorCode === 0 || answer.errorCode === 79) this.memberId = answer.memberId
    if (answer.errorCode === 0) {
      this.#generationId = answer.generationId
      return answer
    }
    await this.#noteError(answer.errorCode)
    return null
  }

  /** Whether an assignment came. */
  async #sync(life: number, joined: JoinAnswer): Promise<boolean> {
    const answer = await this.#track(
      this.#port.sync({
        ...this.#identity(),
        protocolType: null,
        protocolName: null,
        assignments: joined.leader === this.memberId ? this.#assign(joined) : [],
      }),
    )
    if (this.#life !== life) return false
    if (answer.errorCode !== 0) {
      await this.#noteError(answer.errorCode)
      return false
    }
    this.assignments.push({
      atMs: this.elapsedMs,
      generationId: this.#generationId,
      partitions: answer.assignment.length === 0 ? [] : [...answer.assignment],
    })
    return true
  }

  /** Round robin over the members in the order of their ids; a partition is one byte. */
  #assign({ members }: JoinAnswer): { memberId: string; assignment: Buffer }[] {
    const memberIds = members.map(({ memberId }) => memberId).toSorted()
    const partitions = Array.from({ length: this.conduct.partitionCount }, (_, i) => i)
    return memberIds.map((memberId, n) => ({
      memberId,
      assignment: Buffer.from(partitions.filter((i) => i % memberIds.length === n)),
    }))
  }

  async #heartbeatUntilTold(life: number): Promise<void> {
    for (;;) {
      await sleep(this.#clock, this.conduct.heartbeatMs)
      if (this.#life !== life) return
      const code = this.#port.heartbeat(this.#identity())
      if (code !== 0) return this.#noteError(code)
    }
  }

  async #noteError(code: number): Promise<void> {
    this.errorCodes.push(code)
    if (code === 25 || code === 22 || code === 82) this.memberId = ''
    // Clients back off before they retry what did not go by the book.
    if (code !== 27 && code !== 79) await sleep(this.#clock, 100)
  }

  #identity(): HeartbeatRequest {
    return {
      groupId: 'g',
      memberId: this.memberId,
      groupInstanceId: this.conduct.groupInstanceId,
      generationId: this.#generationId,
    }
  }

  async #track<T>(answer: T | Promise<T>): Promise<T> {
    this.openRequests++
    try {
      return await answer
    } finally {
      this.openRequests--
    }
  }
}

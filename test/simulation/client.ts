import type { Call } from '../../src/broker/context.ts'
import { errorCode } from '../../src/protocol/errors.ts'
import type { RequestOf } from '../../src/protocol/messages/index.ts'
import { ownedIn, partitionsIn, shareBytes, shareOut, wishBytes } from './assignor.ts'
import { type AnswerOf, type GroupApi, groupId, topicOf } from './exchange.ts'
import type { Assignor, ClientTraits } from './schedule.ts'
import type { SimulatedWorld } from './world.ts'

/** A member as client libraries run one: joins, syncs, reads from the committed offsets on, heartbeats, rejoins when told. */

const requestTimeoutMs = 2_000
const backoffMs = 100
const soundRejoinMs = 10

/** Of the subscription, by assignor. */
const versionOf = { range: 0, roundrobin: 1, 'cooperative-sticky': 2, 'all-to-one': 1 }

const { signal: closed } = new AbortController()

export class SimulatedClient {
  readonly clientId: string
  readonly traits: ClientTraits
  isUp = false
  /** Whether it has its share and nothing else to do but to read. */
  isSettled = false
  memberId = ''
  generationId = -1
  owned: readonly number[] = []
  rejoinMs = soundRejoinMs
  assignMs = 0
  readonly #world: SimulatedWorld
  readonly #positions = new Map<number, number>()
  /** Whether it asks for a topic that there is not, too. */
  #wantsMore = false
  #pausedUntilMs = 0
  /** Counts starts and stops: what an earlier life waits for does not act for the present one. */
  #life = 0
  /** Counts generations that the client has settled in and dropped out of. */
  #tenure = 0

  constructor(world: SimulatedWorld, index: number, traits: ClientTraits) {
    this.#world = world
    this.clientId = String(index)
    this.traits = traits
  }

  start(): void {
    if (this.isUp) return
    this.isUp = true
    this.#life++
    this.#become('')
    this.#pausedUntilMs = 0
    this.#join()
  }

  /** Goes without a word. */
  crash(): void {
    this.isUp = false
    this.isSettled = false
    this.#life++
    this.#tenure++
  }

  /** Static members do not say when they go, so that they keep their place (KIP-345). */
  leave(): void {
    if (!this.isUp) return
    this.crash()
    const { memberId } = this
    const { leaveVersion, groupInstanceId } = this.traits
    if (memberId === '' || groupInstanceId !== null) return
    const members = leaveVersion < 3 ? [] : [{ memberId, groupInstanceId, reason: null }]
    const request = { groupId, memberId: leaveVersion < 3 ? memberId : '', members }
    const ignore = (): void => {}
    this.#world.network.ask('LeaveGroup', this.#call(leaveVersion), request, 1, ignore)
  }

  pause(ms: number): void {
    this.#pausedUntilMs = this.#world.nowMs + ms
  }

  resubscribe(): void {
    this.#wantsMore = !this.#wantsMore
    if (this.isSettled) this.#rejoin()
  }

  heal(): void {
    this.rejoinMs = soundRejoinMs
    this.assignMs = 0
  }

  #join(): void {
    const { traits, memberId } = this
    const { joinVersion, sessionTimeoutMs } = traits
    if (!traits.assignors.includes('cooperative-sticky')) this.owned = []
    const topic = topicOf(this.#world.partitionCount)
    const topics = this.#wantsMore ? [topic, 'missing'] : [topic]
    const owned = { topic, partitions: this.owned }
    // No two assignors are told the same bytes.
    const protocols = traits.assignors.map((name) => ({
      name,
      metadata: wishBytes({ version: versionOf[name], topics, owned }),
    }))
    const request: RequestOf<'JoinGroup'> = {
      groupId,
      memberId,
      groupInstanceId: traits.groupInstanceId,
      sessionTimeoutMs,
      rebalanceTimeoutMs: joinVersion === 0 ? -1 : traits.rebalanceTimeoutMs,
      protocolType: 'consumer',
      protocols,
      reason: null,
    }
    this.#ask('JoinGroup', joinVersion, request, traits.joinRequestTimeoutMs, (answer) => {
      if (answer === null) return this.#join()
      if (answer.errorCode === errorCode.MEMBER_ID_REQUIRED) {
        this.memberId = answer.memberId
        return this.#join()
      }
      if (answer.errorCode !== errorCode.NONE) return this.#rejoinAfter(answer.errorCode)
      const { memberId: formerId, generationId: formerGeneration } = this
      this.memberId = answer.memberId
      this.generationId = answer.generationId ?? -1
      if (formerId === this.memberId) this.#beatLate(formerGeneration)
      const isLeader = answer.leader === answer.memberId && answer.skipAssignment !== true
      if (this.#world.random.nextFraction() < 0.1) this.#hurry()
      this.#after(isLeader ? this.assignMs : 0, () => this.#sync(answer, isLeader))
    })
  }

  /** Heartbeats and commits although it has not synced yet. */
  #hurry(): void {
    const ignore = (): void => {}
    const heartbeat = { ...this.#identity(), generationId: this.generationId }
    this.#ask('Heartbeat', 4, heartbeat, requestTimeoutMs, ignore)
    const { commitVersion } = this.traits
    this.#ask('OffsetCommit', commitVersion, this.#commitOf([0]), requestTimeoutMs, ignore)
  }

  /** Some libraries beat from a thread of its own, which may not have heard of the generation yet. */
  #beatLate(generationId: number): void {
    if (generationId < 0 || this.#world.random.nextFraction() >= 0.1) return
    this.#ask('Heartbeat', 4, { ...this.#identity(), generationId }, requestTimeoutMs, () => {})
  }

  #sync(joined: AnswerOf<'JoinGroup'>, isLeader: boolean): void {
    const { rebalanceTimeoutMs, syncVersion } = this.traits
    const request: RequestOf<'SyncGroup'> = {
      ...this.#identity(),
      generationId: this.generationId,
      protocolType: syncVersion >= 5 ? 'consumer' : null,
      protocolName: syncVersion >= 5 ? (joined.protocolName ?? '') : null,
      assignments: isLeader ? this.#assign(joined) : [],
    }
    const timeoutMs = rebalanceTimeoutMs + requestTimeoutMs
    this.#ask('SyncGroup', syncVersion, request, timeoutMs, (answer) => {
      if (answer === null) return this.#join()
      if (answer.errorCode !== errorCode.NONE) return this.#rejoinAfter(answer.errorCode)
      this.#take(partitionsIn(answer.assignment))
    })
  }

  #assign({ members, protocolName }: AnswerOf<'JoinGroup'>) {
    const { partitionCount } = this.#world
    const topic = topicOf(partitionCount)
    const candidates = members.map(({ memberId, metadata }) => ({
      memberId,
      owned: ownedIn(metadata),
    }))
    const shares = shareOut(protocolName as Assignor, candidates, partitionCount)
    return [...shares].map(([memberId, partitions]) => ({
      memberId,
      assignment: shareBytes({ topic, partitions }),
    }))
  }

  #take(assigned: readonly number[]): void {
    const isLosing = this.owned.some((partition) => !assigned.includes(partition))
    this.owned = assigned
    // Whoever has given something up rejoins, so that it can be given to others.
    if (isLosing) return this.#join()
    this.isSettled = true
    const tenure = ++this.#tenure
    this.#afterIn(tenure, this.traits.heartbeatMs, () => this.#heartbeat(tenure))
    if (this.traits.commitMs > 0) this.#fetchOffsets(tenure)
  }

  #heartbeat(tenure: number): void {
    const request = { ...this.#identity(), generationId: this.generationId }
    this.#ask('Heartbeat', 4, request, requestTimeoutMs, (answer) => {
      if (tenure !== this.#tenure) return
      const code = answer?.errorCode ?? errorCode.NONE
      if (code === errorCode.NONE) {
        this.#afterIn(tenure, this.traits.heartbeatMs, () => this.#heartbeat(tenure))
      } else if (code === errorCode.REBALANCE_IN_PROGRESS) {
        this.#afterIn(tenure, this.rejoinMs, () => this.#rejoin())
      } else {
        this.#rejoinAfter(code)
      }
    })
  }

  #fetchOffsets(tenure: number): void {
    const { offsetFetchVersion: version } = this.traits
    const name = topicOf(this.#world.partitionCount)
    // Now and then as a tool asks: for everything.
    const isForAll = version >= 2 && this.#world.random.nextFraction() < 0.2
    const topics = isForAll ? null : [{ name, partitionIndexes: [...this.owned] }]
    const isMany = version >= 8
    const request: RequestOf<'OffsetFetch'> = {
      groupId: isMany ? '' : groupId,
      topics: isMany ? [] : topics,
      groups: isMany ? [{ groupId, memberId: null, memberEpoch: -1, topics }] : [],
      requireStable: false,
    }
    this.#ask('OffsetFetch', version, request, requestTimeoutMs, (answer) => {
      if (tenure !== this.#tenure) return
      if (answer === null) return this.#fetchOffsets(tenure)
      const told = (isMany ? answer.groups?.[0]?.topics : answer.topics) ?? []
      this.#positions.clear()
      for (const { partitionIndex, committedOffset } of told.flatMap((each) => each.partitions)) {
        this.#positions.set(partitionIndex, Math.max(committedOffset, 0))
      }
      this.#afterIn(tenure, this.traits.commitMs, () => this.#commit(tenure))
    })
  }

  #commit(tenure: number): void {
    const request = this.#commitOf(this.owned)
    this.#ask('OffsetCommit', this.traits.commitVersion, request, requestTimeoutMs, () => {
      if (tenure !== this.#tenure) return
      this.#afterIn(tenure, this.traits.commitMs, () => this.#commit(tenure))
    })
  }

  #commitOf(owned: readonly number[]): RequestOf<'OffsetCommit'> {
    const name = topicOf(this.#world.partitionCount)
    const partitions = owned.map((partition) => {
      const position = (this.#positions.get(partition) ?? 0) + 1
      this.#positions.set(partition, position)
      return {
        partitionIndex: partition,
        committedOffset: position,
        committedLeaderEpoch: -1,
        committedMetadata: null,
      }
    })
    return {
      ...this.#identity(),
      generationIdOrMemberEpoch: this.generationId,
      retentionTimeMs: -1,
      topics: partitions.length === 0 ? [] : [{ name, partitions }],
    }
  }

  #rejoin(): void {
    this.isSettled = false
    this.#tenure++
    this.#join()
  }

  #rejoinAfter(code: number): void {
    this.isSettled = false
    this.#tenure++
    this.#world.onRefusal(this, code)
    switch (code) {
      case errorCode.REBALANCE_IN_PROGRESS:
        return this.#join()
      case errorCode.UNKNOWN_MEMBER_ID:
      case errorCode.FENCED_INSTANCE_ID:
        this.#become('')
        break
      case errorCode.ILLEGAL_GENERATION:
        this.#become(this.memberId)
        break
      default:
    }
    this.#after(backoffMs, () => this.#join())
  }

  /** Is this member from now on, and owns nothing. */
  #become(memberId: string): void {
    this.memberId = memberId
    this.generationId = -1
    this.owned = []
  }

  #identity() {
    return { groupId, memberId: this.memberId, groupInstanceId: this.traits.groupInstanceId }
  }

  #call(version: number): Call {
    return { version, clientId: this.clientId, clientHost: '/127.0.0.1', closed }
  }

  #ask<N extends GroupApi>(
    api: N,
    version: number,
    request: RequestOf<N>,
    timeoutMs: number,
    onAnswer: (answer: AnswerOf<N> | null) => void,
  ): void {
    const life = this.#life
    this.#world.network.ask(api, this.#call(version), request, timeoutMs, (answer) =>
      this.#awake(life, () => onAnswer(answer)),
    )
  }

  #afterIn(tenure: number, delayMs: number, run: () => void): void {
    this.#after(delayMs, () => {
      if (tenure === this.#tenure) run()
    })
  }

  #after(delayMs: number, run: () => void): void {
    const life = this.#life
    if (delayMs === 0) return run()
    this.#world.clock.setTimer(delayMs, () => this.#awake(life, run))
  }

  /** Does `run` in this life only, and once a pause is over. */
  #awake(life: number, run: () => void): void {
    if (life !== this.#life) return
    const restMs = this.#pausedUntilMs - this.#world.nowMs
    if (restMs <= 0) return run()
    this.#world.clock.setTimer(restMs, () => this.#awake(life, run))
  }
}

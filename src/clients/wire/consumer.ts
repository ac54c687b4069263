/** A group member behind the seam: what the group assigns is fetched, what the sink is done with is committed. */
import { type Clock, sleep, type Timer } from '../../clock.ts'
import { DriverError } from '../../errors.ts'
import { errorCode, isRetriable } from '../../protocol/errors.ts'
import type { ConnectionOptions, Consumer, ConsumerOptions, ConsumerSink } from '../driver.ts'
import { partitionsIn } from './assignment.ts'
import type { Cluster } from './cluster.ts'
import { BrokerError, toDriverError } from './errors.ts'
import { fetchSettings, logStartOf, openForReading, tellCrash } from './fetch-settings.ts'
import { Fetcher } from './fetcher.ts'
import { type GroupHost, GroupMember } from './group-member.ts'
import { groupPort } from './group-port.ts'
import { GroupRequests } from './group-requests.ts'
import { booleanOf, numberOf, retrySettings, textOf } from './properties.ts'

/** Seldom heartbeats would make every rebalance slow: a member learns of it only by them. */
const heartbeatLimitMs = 1_000
const autoCommitIntervalMs = 1_000
const metadataMaxAgeMs = 300_000
const leastRebalanceTimeoutMs = 60_000
const leaveLimitMs = 5_000
const commitAttempts = 5
/** What a commit can be told that says something of the membership. */
const membershipCodes: readonly number[] = [
  errorCode.REBALANCE_IN_PROGRESS,
  errorCode.ILLEGAL_GENERATION,
  errorCode.UNKNOWN_MEMBER_ID,
  errorCode.FENCED_INSTANCE_ID,
]

export class WireConsumer implements Consumer, GroupHost {
  readonly #cluster: Cluster
  readonly #connection: ConnectionOptions
  readonly #options: ConsumerOptions
  readonly #sink: ConsumerSink
  readonly #clock: Clock
  readonly #requests: GroupRequests
  readonly #member: GroupMember
  readonly #fetcher: Fetcher
  readonly #closing = new AbortController()
  readonly #isCooperative: boolean
  /** What is assigned; a partition that went and came back has another token. */
  readonly #owned = new Map<number, object>()
  /** Taken away by the last assignment of a cooperative group. */
  #revoked: number[] = []
  /** Where the sink was when the last commit was accepted; the caller may have committed a part of the next batch. */
  readonly #committed = new Map<number, number>()
  #hasAssignment = false
  #round = 0
  /** Partitions of the topic as this member last shared them out; null when it did not. */
  #sharedPartitions: number | null = null
  readonly #timers = new Map<string, Timer>()
  readonly #joinWaiters: (() => void)[] = []

  constructor(
    cluster: Cluster,
    connection: ConnectionOptions,
    options: ConsumerOptions,
    sink: ConsumerSink,
    clock: Clock,
  ) {
    const { properties } = connection
    const { topic, groupId, assignor } = options
    this.#cluster = cluster
    this.#connection = connection
    this.#options = options
    this.#sink = sink
    this.#clock = clock
    this.#isCooperative = assignor === 'cooperative-sticky'
    const sessionTimeoutMs = numberOf(properties, 'session.timeout.ms', options.sessionTimeoutMs)
    const rebalanceTimeoutMs = numberOf(
      properties,
      'max.poll.interval.ms',
      Math.max(leastRebalanceTimeoutMs, sessionTimeoutMs),
    )
    const { requestTimeoutMs } = fetchSettings('', connection, options)
    this.#requests = new GroupRequests(cluster, {
      groupId,
      topic,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      groupInstanceId: textOf(properties, 'group.instance.id', '') || null,
      answerLimitMs: requestTimeoutMs,
    })
    const heartbeatIntervalMs = Math.min(heartbeatLimitMs, Math.ceil(sessionTimeoutMs / 10))
    const { retries, firstMs, longestMs } = retrySettings(connection)
    this.#member = new GroupMember(
      groupPort(this.#requests, {
        assignor,
        topic,
        rackId: textOf(properties, 'client.rack', '') || null,
        owned: () => [...this.#owned.keys()],
        onShared: (count) => {
          this.#sharedPartitions = count
        },
      }),
      this,
      {
        heartbeatIntervalMs: numberOf(properties, 'heartbeat.interval.ms', heartbeatIntervalMs),
        rebalanceTimeoutMs,
        retries,
        firstBackoffMs: firstMs,
        longestBackoffMs: longestMs,
      },
      clock,
    )
    this.#fetcher = new Fetcher(
      cluster,
      connection,
      {
        settings: fetchSettings(cluster.clientId, connection, options),
        checksCrc: booleanOf(properties, 'check.crcs', false),
        resetOffset: (partition) => logStartOf(cluster, topic, partition),
        onCrash: (error) => this.onCrash(error),
      },
      sink,
      clock,
    )
  }

  async start(): Promise<void> {
    const { properties } = this.#connection
    this.#member.start()
    if (this.#options.autoCommit) {
      const intervalMs = numberOf(properties, 'auto.commit.interval.ms', autoCommitIntervalMs)
      this.#every('commit', intervalMs, async () => {
        if (this.#member.isStable) await this.#autoCommit(this.#fetcher.positions())
      })
    }
    const maxAgeMs = numberOf(properties, 'metadata.max.age.ms', metadataMaxAgeMs)
    this.#every('metadata', maxAgeMs, () => this.#watchTopic())
  }

  async commit(positions: ReadonlyMap<number, number>): Promise<void> {
    const { groupId } = this.#options
    if (positions.size === 0) return
    if (this.#member.generationId === -1) {
      throw new DriverError(`not yet a member of group ${groupId}`)
    }
    const handled = this.#fetcher.positions()
    try {
      await this.#commit(positions)
      for (const [partition, at] of handled) {
        if (positions.has(partition)) this.#committed.set(partition, at)
      }
    } catch (error) {
      throw toDriverError(`commit for group ${groupId}`, error, this.#connection)
    }
  }

  async close(): Promise<void> {
    const { memberId } = this.#member
    this.#stop()
    const isStatic = this.#requests.settings.groupInstanceId !== null
    if (memberId !== '' && !isStatic) {
      const left = this.#requests.leave(memberId).catch(() => {})
      await Promise.race([left, sleep(this.#clock, leaveLimitMs, this.#closing.signal)])
    }
    this.#closing.abort()
    this.#cluster.close()
    this.#tellRevoked()
    this.#sink.onGroupEvent({ type: 'left', atNs: this.#clock.nowNs() })
  }

  // --- what the group says ---------------------------------------------------------------------------------------

  onRejoin(done: () => void): void {
    void this.#giveUp().then(done)
  }

  onLost(): void {
    void this.#fetcher.remove([...this.#owned.keys()])
    this.#forgetAll()
  }

  onAssigned(assignment: Buffer): void {
    if (!this.#isCooperative) this.#forgetAll()
    const partitions = partitionsIn(assignment, this.#options.topic)
    this.#revoked = [...this.#owned.keys()].filter((one) => !partitions.includes(one))
    for (const partition of this.#revoked) this.#owned.delete(partition)
    const added = partitions.filter((partition) => !this.#owned.has(partition))
    const token = {}
    for (const partition of added) this.#owned.set(partition, token)
    const { memberId, generationId: generation } = this.#member
    this.#hasAssignment = true
    this.#sink.onGroupEvent({
      type: 'assigned',
      memberId,
      generation,
      partitions,
      atNs: this.#clock.nowNs(),
    })
    void this.#begin(added, token)
    this.#endWaits()
    // What others shall have they get once this member has joined without it.
    if (this.#revoked.length > 0) this.#member.rejoin()
  }

  onCrash(error: unknown): void {
    if (this.#closing.signal.aborted) return
    this.#stop()
    tellCrash(this.#sink, error, this.#connection)
  }

  /** Before a join: all that is read, in a cooperative group what was taken away. Never rejects. */
  async #giveUp(): Promise<void> {
    const round = ++this.#round
    const given = this.#isCooperative ? this.#revoked : [...this.#owned.keys()]
    this.#revoked = []
    const last = await this.#fetcher.remove(given)
    if (this.#closing.signal.aborted || round !== this.#round) return
    if (this.#options.autoCommit) {
      await this.#autoCommit(new Map([...this.#fetcher.positions(), ...last]))
    }
    if (!this.#isCooperative && round === this.#round) this.#forgetAll()
  }

  #forgetAll(): void {
    this.#round += 1
    this.#owned.clear()
    this.#committed.clear()
    this.#tellRevoked()
  }

  #tellRevoked(): void {
    if (!this.#hasAssignment) return
    this.#hasAssignment = false
    this.#sink.onGroupEvent({ type: 'revoked', atNs: this.#clock.nowNs() })
  }

  /** Reads what was added, from where the group stands; tries again as long as it is this member's. */
  async #begin(partitions: readonly number[], token: object): Promise<void> {
    const { retries, firstMs, longestMs } = retrySettings(this.#connection)
    const { signal } = this.#closing
    for (let failures = 0; ; failures++) {
      const wanted = partitions.filter((partition) => this.#owned.get(partition) === token)
      if (wanted.length === 0 || signal.aborted) return
      try {
        const positions = await this.#requests.startPositions(wanted)
        for (const partition of wanted) {
          if (this.#owned.get(partition) !== token) positions.delete(partition)
        }
        return this.#fetcher.add(positions)
      } catch (error) {
        const isFinal = error instanceof BrokerError && !isRetriable(error.kafkaCode)
        if (isFinal || failures >= retries) return this.onCrash(error)
        await sleep(this.#clock, Math.min(firstMs * 2 ** failures, longestMs), signal)
        await this.#cluster.refresh().catch(() => {})
      }
    }
  }

  // --- commits ---------------------------------------------------------------------------------------------------

  /** A refusal is not told: a rebalance follows, or the last commit tells. */
  async #autoCommit(positions: ReadonlyMap<number, number>): Promise<void> {
    const moved = new Map(
      [...positions].filter(([partition, at]) => at !== this.#committed.get(partition)),
    )
    if (moved.size === 0 || this.#member.generationId === -1) return
    await this.#commit(moved).catch(() => {})
  }

  /** Waits while the member joins, as long as the caller likes. Rejects with a `BrokerError` or a `ConnectionError`. */
  async #commit(wanted: ReadonlyMap<number, number>): Promise<void> {
    const { firstMs } = retrySettings(this.#connection)
    let positions = wanted
    for (let attempt = 1; ; attempt++) {
      if (this.#member.isJoining) {
        await this.#joined()
        positions = new Map([...wanted].filter(([partition]) => this.#owned.has(partition)))
        if (positions.size === 0) throw new BrokerError(errorCode.REBALANCE_IN_PROGRESS)
      }
      const { identity } = this.#member
      try {
        const code = await this.#requests.commit(identity, positions)
        const isOfThisGeneration =
          !this.#member.isJoining && identity.generationId === this.#member.generationId
        if (membershipCodes.includes(code) && !isOfThisGeneration && attempt < commitAttempts) {
          continue
        }
        if (membershipCodes.includes(code)) this.#member.onCode(code, identity)
        if (code !== 0) throw new BrokerError(code)
        for (const [partition, at] of positions) this.#committed.set(partition, at)
        return
      } catch (error) {
        const isFinal = error instanceof BrokerError && !isRetriable(error.kafkaCode)
        if (isFinal || attempt === commitAttempts || this.#closing.signal.aborted) throw error
        await sleep(this.#clock, firstMs, this.#closing.signal)
      }
    }
  }

  /** Resolves at the next assignment, and when there is none to come. */
  async #joined(): Promise<void> {
    await new Promise<void>((resolve) => this.#joinWaiters.push(resolve))
  }

  #endWaits(): void {
    for (const resolve of this.#joinWaiters.splice(0)) resolve()
  }

  // --- the rest --------------------------------------------------------------------------------------------------

  /** A leader has to share out partitions that the topic did not have before. */
  async #watchTopic(): Promise<void> {
    const { topic } = this.#options
    await this.#cluster.refresh().catch(() => {})
    const count = this.#cluster.leadersOf(topic).size
    if (this.#sharedPartitions !== null && count > this.#sharedPartitions) this.#member.rejoin()
  }

  #every(name: string, intervalMs: number, work: () => Promise<void>): void {
    const again = (): void => {
      if (!this.#closing.signal.aborted) this.#every(name, intervalMs, work)
    }
    const timer = this.#clock.setTimer(intervalMs, () => void work().then(again))
    this.#timers.set(name, timer)
  }

  #stop(): void {
    this.#member.stop()
    this.#endWaits()
    this.#fetcher.close()
    for (const timer of this.#timers.values()) timer.cancel()
  }
}

/** Rejects with a `SurroundingsError` when no broker can be reached, with a `DriverError` for what is wrong with the topic. */
export const createConsumer = async (
  connection: ConnectionOptions,
  options: ConsumerOptions,
  sink: ConsumerSink,
  clock: Clock,
): Promise<Consumer> => {
  const named = { ...connection, clientId: options.clientId }
  const cluster = await openForReading(named, options, clock)
  return new WireConsumer(cluster, named, options, sink, clock)
}

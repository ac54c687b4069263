/**
 * A group member: the library joins, syncs, beats and commits; what it was assigned is fetched beside it, so that only
 * handled records are ever committed and nothing of an old assignment is handed out.
 */
import { type Clock, type Timer } from '../../clock.ts'
import { DriverError, UsageError } from '../../errors.ts'
import type { ConnectionOptions, Consumer, ConsumerOptions, ConsumerSink } from '../driver.ts'
import { protocols } from './assigners.ts'
import { baseOptions, closeWithin, neededApis, probe, type Surroundings } from './connection.ts'
import { crashOf, toDriverError } from './errors.ts'
import { Fetcher, type Round } from './fetcher.ts'
import type { ApiRange, JoinEvent, LibraryConsumer } from './library.ts'
import { numberOf } from './properties.ts'

/** Seldom heartbeats would make every rebalance slow: the library learns of it only by them. */
const heartbeatLimitMs = 1_000
const autoCommitIntervalMs = 1_000
/** A JoinGroup is answered only when all members have joined. */
const joinGraceMs = 5_000
const leaveLimitMs = 5_000
/** Nobody is there to take leave of. */
const lostLimitMs = 500

const groupOptions = ({ properties }: ConnectionOptions, options: ConsumerOptions) => {
  const protocol = protocols[options.assignor]
  if (protocol === undefined) {
    throw new UsageError(
      `assignor ${options.assignor}: platformatic has no such assignor; ${Object.keys(protocols).join(', ')} are allowed`,
    )
  }
  const { name, partitionAssigner } = protocol
  const sessionTimeout = numberOf(properties, 'session.timeout.ms', options.sessionTimeoutMs)
  const heartbeatMs = Math.min(heartbeatLimitMs, Math.ceil(sessionTimeout / 10))
  return {
    sessionTimeout,
    rebalanceTimeout: numberOf(
      properties,
      'max.poll.interval.ms',
      Math.max(60_000, sessionTimeout),
    ),
    heartbeatInterval: numberOf(properties, 'heartbeat.interval.ms', heartbeatMs),
    // The library's own version 1 lacks the owned partitions that other clients then expect.
    protocols: [{ name, version: 0 }],
    ...(partitionAssigner === undefined ? {} : { partitionAssigner }),
  }
}

class PlatformaticConsumer implements Consumer {
  readonly #client: LibraryConsumer
  readonly #fetcher: Fetcher
  readonly #group: ReturnType<typeof groupOptions>
  readonly #connection: ConnectionOptions
  readonly #options: ConsumerOptions
  readonly #sink: ConsumerSink
  readonly #clock: Clock
  #round: Round | null = null
  /** Committed for the present round, by partition. */
  #committed = new Map<number, number>()
  #autoCommitting: Promise<void> = Promise.resolve()
  #commitTimer: Timer | null = null
  #isClosing = false
  #isCrashed = false

  constructor(
    surroundings: Surroundings,
    connection: ConnectionOptions,
    options: ConsumerOptions,
    sink: ConsumerSink,
    told: readonly ApiRange[],
  ) {
    const { library, clock } = surroundings
    const named = { ...connection, clientId: options.clientId }
    const base = baseOptions(named)
    this.#connection = connection
    this.#options = options
    this.#sink = sink
    this.#clock = clock
    this.#group = groupOptions(connection, options)
    this.#client = new library.Consumer({
      ...base,
      ...this.#group,
      groupId: options.groupId,
      requestTimeout: Math.max(base.requestTimeout, this.#group.rebalanceTimeout + joinGraceMs),
    })
    this.#fetcher = new Fetcher(surroundings, named, options, sink, told, {
      resetsToEarliest: true,
      onCrash: (error) => this.#crash(error),
    })
    this.#watchEvents()
  }

  start(): Promise<void> {
    this.#client.topics.track(this.#options.topic)
    this.#join()
    return Promise.resolve()
  }

  /** After an own commit that is under way, which may be repeated and must not be the last. */
  async commit(positions: ReadonlyMap<number, number>): Promise<void> {
    await this.#autoCommitting
    await this.#commit(positions)
  }

  async #commit(positions: ReadonlyMap<number, number>): Promise<void> {
    const { topic, groupId } = this.#options
    if (positions.size === 0) return
    if (this.#client.memberId === null || this.#isCrashed) {
      throw new DriverError(`not a member of group ${groupId}`)
    }
    const offsets = Array.from(positions, ([partition, offset]) => ({
      topic,
      partition,
      offset: BigInt(offset),
      leaderEpoch: -1,
    }))
    try {
      await this.#client.commit({ offsets })
    } catch (error) {
      throw toDriverError(`commit for group ${groupId}`, error, this.#connection)
    }
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#endRound()
    await this.#fetcher.close()
    await closeWithin(this.#clock, this.#client, this.#isCrashed ? lostLimitMs : leaveLimitMs)
    this.#sink.onGroupEvent({ type: 'left', atNs: this.#clock.nowNs() })
  }

  #join(): void {
    this.#client.joinGroup({ ...this.#group }).catch((error: unknown) => this.#crash(error))
  }

  #watchEvents(): void {
    const client = this.#client
    client.on('consumer:group:join', (event: JoinEvent) => void this.#onJoin(event))
    client.on('consumer:group:rebalance', () => {
      // Goes out before the JoinGroup, which the library sends next on the same connection.
      if (this.#options.autoCommit) this.#autoCommitting = this.#autoCommit()
      this.#endRound()
    })
    // After a heartbeat that failed for another reason than a rebalance the library sends no more of them.
    client.on('consumer:heartbeat:error', () => {
      if (!this.#isClosing) this.#join()
    })
    client.on('error', (error: Error) => this.#crash(error))
  }

  async #onJoin({ memberId, generationId, assignments }: JoinEvent): Promise<void> {
    this.#endRound()
    if (this.#isClosing) return
    const { topic } = this.#options
    const partitions = (assignments ?? [])
      .filter((one) => one.topic === topic)
      .flatMap((one) => one.partitions)
    const round: Round = { positions: new Map(), isOver: false }
    this.#round = round
    this.#committed = new Map()
    this.#sink.onGroupEvent({
      type: 'assigned',
      memberId,
      generation: generationId,
      partitions,
      atNs: this.#clock.nowNs(),
    })
    try {
      const positions = await this.#startPositions(partitions)
      for (const [partition, offset] of positions) round.positions.set(partition, offset)
      this.#committed = new Map(positions)
    } catch (error) {
      if (!round.isOver) this.#crash(error)
      return
    }
    if (round.isOver) return
    if (this.#options.autoCommit) this.#scheduleCommit()
    await this.#fetcher.run(round)
  }

  /** The group's commits; the log start where there is none. */
  async #startPositions(partitions: number[]): Promise<Map<number, number>> {
    const { topic } = this.#options
    if (partitions.length === 0) return new Map()
    const told = await this.#client.listCommittedOffsets({ topics: [{ topic, partitions }] })
    const commits = new Map(
      partitions.map((one) => [one, Number(told.get(topic)?.[one] ?? -1)] as const),
    )
    const without = partitions.filter((one) => commits.get(one) === -1)
    return new Map([...commits, ...(await this.#fetcher.earliestOffsets(without))])
  }

  #scheduleCommit(): void {
    const intervalMs = numberOf(
      this.#connection.properties,
      'auto.commit.interval.ms',
      autoCommitIntervalMs,
    )
    this.#commitTimer = this.#clock.setTimer(intervalMs, () => {
      this.#autoCommitting = this.#autoCommit().then(() => {
        if (this.#commitTimer !== null) this.#scheduleCommit()
      })
    })
  }

  /** A refusal is not told: a rebalance follows, or the last commit tells. */
  async #autoCommit(): Promise<void> {
    const round = this.#round
    if (round === null) return
    const moved = [...round.positions].filter(
      ([partition, at]) => at !== this.#committed.get(partition),
    )
    if (moved.length === 0) return
    try {
      await this.#commit(new Map(moved))
      if (this.#round === round)
        for (const [partition, at] of moved) this.#committed.set(partition, at)
    } catch {
      // See above.
    }
  }

  #endRound(): void {
    this.#commitTimer?.cancel()
    this.#commitTimer = null
    if (this.#round === null) return
    this.#round.isOver = true
    this.#round = null
    this.#sink.onGroupEvent({ type: 'revoked', atNs: this.#clock.nowNs() })
  }

  #crash(error: unknown): void {
    if (this.#isClosing || this.#isCrashed) return
    this.#isCrashed = true
    this.#endRound()
    this.#sink.onCrash(crashOf(error, this.#connection))
  }
}

export const createConsumer = async (
  surroundings: Surroundings,
  connection: ConnectionOptions,
  options: ConsumerOptions,
  sink: ConsumerSink,
): Promise<Consumer> => {
  const told = await probe(surroundings, connection, {
    topics: [options.topic],
    needed: neededApis.consume,
  })
  return new PlatformaticConsumer(surroundings, connection, options, sink, told)
}

/** A group member: kafkajs' consumer behind the seam, with the group events and fetch times it does not tell itself. */
import type {
  Cluster,
  ConsumerConfig,
  ConsumerGroupJoinEvent,
  Consumer as KafkajsClientConsumer,
  PartitionAssigner,
} from 'kafkajs'
import type { Clock } from '../../clock.ts'
import { DriverError, UsageError } from '../../errors.ts'
import type { ConnectionOptions, Consumer, ConsumerOptions, ConsumerSink } from '../driver.ts'
import { redact } from '../security.ts'
import { assigners } from './assigners.ts'
import { cursorOf, emptyCursor } from './batch.ts'
import { createKafka, type KafkaHandle, openCluster, retryOptions } from './connection.ts'
import { describe, isConnectionLoss, toDriverError } from './errors.ts'
import { timeFetches } from './fetch-timer.ts'
import type { InnerBatch, InnerBroker } from './internals.ts'
import { booleanOf, numberOf, textOf } from './properties.ts'

/** Seldom heartbeats would make every rebalance slow: kafkajs learns of it only by them. */
const heartbeatLimitMs = 1_000
/** Batches of one fetch whose commits and heartbeats may overlap. */
const partitionsAtOnce = 4
const joinLimitMs = 5_000
const leaveLimitMs = 5_000

class KafkajsConsumer implements Consumer {
  readonly #connection: ConnectionOptions
  readonly #options: ConsumerOptions
  readonly #sink: ConsumerSink
  readonly #clock: Clock
  readonly #handle: KafkaHandle
  readonly #consumer: KafkajsClientConsumer
  #generation = -1
  #hasAssignment = false
  #isClosing = false
  /** Tells kafkajs the last offset that was read of a partition. */
  readonly #resolve = new Map<number, (offset: string) => void>()
  /** Settles when the first join is over: only then does kafkajs' stop stop anything. */
  #joined: Promise<void> = Promise.resolve()

  constructor(
    connection: ConnectionOptions,
    options: ConsumerOptions,
    sink: ConsumerSink,
    clock: Clock,
  ) {
    this.#connection = connection
    this.#options = options
    this.#sink = sink
    this.#clock = clock
    this.#handle = createKafka(
      { ...connection, clientId: options.clientId },
      clock,
      retryOptions(connection),
    )
    const clusters: Cluster[] = []
    this.#consumer = this.#handle.kafka.consumer(
      consumerConfig(connection, options, (cluster) => clusters.push(cluster)),
    )
    for (const cluster of clusters) {
      timeFetches(cluster, this.#consumer, sink, clock)
      this.#watchJoins(cluster)
    }
    this.#watchEvents()
  }

  async connect(): Promise<void> {
    try {
      await this.#consumer.connect()
      await this.#consumer.subscribe({ topic: this.#options.topic, fromBeginning: true })
    } catch (error) {
      await this.#handle.close(() => this.#consumer.disconnect())
      throw toDriverError(`subscribe to topic ${this.#options.topic}`, error, this.#connection)
    }
  }

  start(): Promise<void> {
    this.#joined = this.#consumer
      .run({
        autoCommit: this.#options.autoCommit,
        partitionsConsumedConcurrently: partitionsAtOnce,
        eachBatchAutoResolve: false,
        eachBatch: async (payload) => {
          const { batch } = payload
          this.#resolve.set(batch.partition, (offset) => payload.resolveOffset(offset))
          const cursor = cursorOf(batch as unknown as InnerBatch, this.#clock.nowNs())
          await this.#sink.onBatch(cursor)
          // What the sink held back until the end was not read: leaving must not commit it.
          if (!this.#isClosing) payload.resolveOffset(batch.lastOffset())
        },
      })
      .catch((error: unknown) => this.#crash(error))
    return Promise.resolve()
  }

  async commit(positions: ReadonlyMap<number, number>): Promise<void> {
    const { topic, groupId } = this.#options
    if (positions.size === 0) return
    // kafkajs resolves without committing when it is not a member.
    if (this.#generation === -1) throw new DriverError(`not yet a member of group ${groupId}`)
    // What kafkajs holds for read it commits again when it leaves, also where that lies behind this commit.
    for (const [partition, offset] of positions) this.#resolve.get(partition)?.(String(offset - 1))
    const offsets = Array.from(positions, ([partition, offset]) => ({
      topic,
      partition,
      offset: String(offset),
    }))
    try {
      await this.#consumer.commitOffsets(offsets)
    } catch (error) {
      throw toDriverError(`commit for group ${groupId}`, error, this.#connection)
    }
  }

  async close(): Promise<void> {
    this.#isClosing = true
    const leave = async () => {
      await this.#joined
      await this.#consumer.disconnect()
    }
    await this.#handle.close(leave, joinLimitMs + leaveLimitMs + this.#options.fetchMaxWaitMs)
    this.#revoke()
    this.#sink.onGroupEvent({ type: 'left', atNs: this.#clock.nowNs() })
  }

  /** The generation is in no event: it is taken from the answer to JoinGroup. */
  #watchJoins(cluster: Cluster): void {
    const watched = new WeakSet<InnerBroker>()
    const findGroupCoordinator = cluster.findGroupCoordinator.bind(cluster)
    cluster.findGroupCoordinator = async (group) => {
      const broker = (await findGroupCoordinator(group)) as InnerBroker
      if (watched.has(broker)) return broker
      watched.add(broker)
      const joinGroup = broker.joinGroup.bind(broker)
      broker.joinGroup = async (request) => {
        const answer = await joinGroup(request)
        this.#generation = answer.generationId
        return answer
      }
      return broker
    }
  }

  #watchEvents(): void {
    const consumer = this.#consumer
    const { GROUP_JOIN, REBALANCING, CRASH, START_BATCH_PROCESS } = consumer.events
    consumer.on(GROUP_JOIN, ({ payload }) => this.#assigned(payload))
    consumer.on(REBALANCING, () => this.#revoke())
    consumer.on(CRASH, ({ payload }) => this.#crash(payload.error))
    consumer.on(START_BATCH_PROCESS, async ({ payload }) => {
      // A batch of control records only is not handed out, but the position moves.
      if (payload.batchSize > 0) return
      const lastOffset = Number(payload.lastOffset)
      const fromOffset = Number(payload.firstOffset ?? lastOffset)
      const place = { partition: payload.partition, fromOffset, toOffset: lastOffset + 1 }
      await this.#sink.onBatch(emptyCursor(place, this.#clock.nowNs()))
    })
  }

  #assigned({ memberId, memberAssignment }: ConsumerGroupJoinEvent['payload']): void {
    // Not every way to a new join passes through the rebalancing event.
    this.#revoke()
    this.#hasAssignment = true
    this.#sink.onGroupEvent({
      type: 'assigned',
      memberId,
      generation: this.#generation,
      partitions: memberAssignment[this.#options.topic] ?? [],
      atNs: this.#clock.nowNs(),
    })
  }

  #revoke(): void {
    if (!this.#hasAssignment) return
    this.#hasAssignment = false
    this.#sink.onGroupEvent({ type: 'revoked', atNs: this.#clock.nowNs() })
  }

  #crash(error: unknown): void {
    if (this.#isClosing) return
    const message = redact(describe(error), this.#connection)
    this.#sink.onCrash({ message, isConnectionLost: isConnectionLoss(error) })
  }
}

const assignerOf = (
  { assignor }: ConsumerOptions,
  onCluster: (cluster: Cluster) => void,
): PartitionAssigner => {
  const assigner = assigners[assignor]
  if (assigner === undefined) {
    throw new UsageError(
      `assignor ${assignor}: kafkajs has no such assignor; ${Object.keys(assigners).join(', ')} are allowed`,
    )
  }
  return (surroundings) => {
    onCluster(surroundings.cluster)
    return assigner(surroundings)
  }
}

const consumerConfig = (
  { properties, ...connection }: ConnectionOptions,
  options: ConsumerOptions,
  onCluster: (cluster: Cluster) => void,
): ConsumerConfig => {
  const sessionTimeout = numberOf(properties, 'session.timeout.ms', options.sessionTimeoutMs)
  const heartbeatInterval = Math.min(heartbeatLimitMs, Math.ceil(sessionTimeout / 10))
  return {
    groupId: options.groupId,
    partitionAssigners: [assignerOf(options, onCluster)],
    readUncommitted: options.isolation === 'read-uncommitted',
    minBytes: options.fetchMinBytes,
    maxWaitTimeInMs: options.fetchMaxWaitMs,
    maxBytesPerPartition: options.maxPartitionFetchBytes,
    // kafkajs' default of 10 MiB, unless one partition alone may bring more.
    maxBytes: numberOf(
      properties,
      'fetch.max.bytes',
      Math.max(10 * 2 ** 20, options.maxPartitionFetchBytes),
    ),
    sessionTimeout,
    rebalanceTimeout: numberOf(
      properties,
      'max.poll.interval.ms',
      Math.max(60_000, sessionTimeout),
    ),
    heartbeatInterval: numberOf(properties, 'heartbeat.interval.ms', heartbeatInterval),
    metadataMaxAge: numberOf(properties, 'metadata.max.age.ms', 300_000),
    allowAutoTopicCreation: booleanOf(properties, 'allow.auto.create.topics', false),
    rackId: textOf(properties, 'client.rack', ''),
    // A restart would come after the crash was reported, as a new member nobody asked for.
    retry: {
      ...retryOptions({ properties, ...connection }),
      restartOnFailure: () => Promise.resolve(false),
    },
  }
}

export const createConsumer = async (
  connection: ConnectionOptions,
  options: ConsumerOptions,
  sink: ConsumerSink,
  clock: Clock,
): Promise<Consumer> => {
  const consumer = new KafkajsConsumer(connection, options, sink, clock)
  // Tells a wrong address or password at once and in time; kafkajs' consumer would try for long.
  const { isolation } = options
  const probe = await openCluster(connection, clock, { topics: [], isolation })
  await probe.close()
  await consumer.connect()
  return consumer
}

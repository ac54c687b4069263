/** Topics, offsets and groups through kafkajs: its admin client, and single requests where that one does too much. */
import kafkajs, { type Admin as KafkajsClientAdmin } from 'kafkajs'
import { type Clock, sleep, systemClock } from '../../clock.ts'
import { DriverError } from '../../errors.ts'
import type { Admin, ConnectionOptions, PartitionWatermarks } from '../driver.ts'
import {
  type ClusterHandle,
  createKafka,
  type KafkaHandle,
  openCluster,
  retryOptions,
} from './connection.ts'
import { kafkaCodeOf, toDriverError } from './errors.ts'
import type { InnerBroker } from './internals.ts'
import './quiet-queue.ts'

// Node finds only some of kafkajs' exports by name.
const { ConfigResourceTypes } = kafkajs
const unknownTopicCode = 3
const topicExistsCode = 36
/** UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE and NOT_LEADER_OR_FOLLOWER: said of a topic not heard of yet. */
const notYetCodes: readonly (number | null)[] = [unknownTopicCode, 5, 6]
const leaderPollMs = 50
const readUncommitted = 0
const earliest = -2
const latest = -1

class KafkajsAdmin implements Admin {
  readonly #connection: ConnectionOptions
  readonly #cluster: ClusterHandle
  readonly #kafka: KafkaHandle
  readonly #admin: KafkajsClientAdmin
  readonly #clock: Clock

  constructor(
    connection: ConnectionOptions,
    cluster: ClusterHandle,
    kafka: KafkaHandle,
    admin: KafkajsClientAdmin,
    clock: Clock,
  ) {
    this.#connection = connection
    this.#cluster = cluster
    this.#kafka = kafka
    this.#admin = admin
    this.#clock = clock
  }

  /** Kafka tells its version only up to 3.x, as a broker setting; else the highest Produce and Fetch versions. */
  brokerVersion(): Promise<string> {
    return this.#do('ask for the broker version', async () => {
      const broker = await this.#anyBroker()
      const versions = await broker.apiVersions()
      const name = String(this.#cluster.cluster.getNodeIds()[0])
      const { resources } = await this.#admin
        .describeConfigs({
          includeSynonyms: false,
          resources: [{ type: ConfigResourceTypes.BROKER, name }],
        })
        .catch(() => ({ resources: [] }))
      const protocol = resources[0]?.configEntries.find(
        (entry) => entry.configName === 'inter.broker.protocol.version',
      )
      if (protocol?.configValue) return `Kafka ${protocol.configValue}`
      return `version not told (Produce v${versions[0]?.maxVersion}, Fetch v${versions[1]?.maxVersion})`
    })
  }

  partitionCount(topic: string): Promise<number | null> {
    return this.#do(`look up topic ${topic}`, async () => {
      try {
        return (await this.#partitionsOf(topic)).length
      } catch (error) {
        if (kafkaCodeOf(error) === unknownTopicCode) return null
        throw error
      }
    })
  }

  createTopic(topic: string, partitions: number, replicationFactor: number): Promise<void> {
    return this.#do(`create topic ${topic}`, async () => {
      const isCreated = await this.#admin.createTopics({
        topics: [{ topic, numPartitions: partitions, replicationFactor }],
        waitForLeaders: false,
      })
      if (isCreated) return this.#untilLed(topic)
      throw new DriverError(`cannot create topic ${topic}: it exists`, {
        kafkaCode: topicExistsCode,
      })
    })
  }

  deleteTopic(topic: string): Promise<void> {
    return this.#do(`delete topic ${topic}`, () => this.#admin.deleteTopics({ topics: [topic] }))
  }

  /** Reads uncommitted, so that `high` is the high watermark; kafkajs' own method asks for the last stable offset. */
  watermarks(topic: string): Promise<PartitionWatermarks[]> {
    return this.#do(`read the watermarks of topic ${topic}`, async () => {
      const partitions = await this.#partitionsOf(topic)
      const leaders = new Set(partitions.map(({ leader }) => leader))
      const watermarks = await Promise.all(
        Array.from(leaders, async (nodeId) => {
          const ids = partitions.filter((p) => p.leader === nodeId).map((p) => p.partitionId)
          const [low, high] = await Promise.all([
            this.#offsets(nodeId, topic, ids, earliest),
            this.#offsets(nodeId, topic, ids, latest),
          ])
          return ids.map((id) => ({
            partition: id,
            low: low.get(id) ?? 0,
            high: high.get(id) ?? 0,
          }))
        }),
      )
      return watermarks.flat().toSorted((a, b) => a.partition - b.partition)
    })
  }

  committedOffsets(groupId: string, topic: string): Promise<Map<number, number>> {
    return this.#do(`read the offsets of group ${groupId}`, async () => {
      const [offsets] = await this.#admin.fetchOffsets({ groupId, topics: [topic] })
      return new Map(offsets?.partitions.map((p) => [p.partition, Number(p.offset)]))
    })
  }

  /** One OffsetCommit without a member; kafkajs' own method would join the group to do it. */
  setCommittedOffsets(
    groupId: string,
    topic: string,
    offsets: ReadonlyMap<number, number>,
  ): Promise<void> {
    return this.#do(`set the offsets of group ${groupId}`, async () => {
      if (offsets.size === 0) return
      const coordinator = await this.#cluster.cluster.findGroupCoordinator({ groupId })
      const partitions = Array.from(offsets, ([partition, offset]) => ({
        partition,
        offset: String(offset),
      }))
      await coordinator.offsetCommit({
        groupId,
        groupGenerationId: -1,
        memberId: '',
        topics: [{ topic, partitions }],
      })
    })
  }

  groupMembers(groupId: string): Promise<string[]> {
    return this.#do(`describe group ${groupId}`, async () => {
      const { groups } = await this.#admin.describeGroups([groupId])
      return groups.flatMap(({ members }) => members.map(({ memberId }) => memberId))
    })
  }

  deleteGroup(groupId: string): Promise<void> {
    return this.#do(`delete group ${groupId}`, async () => {
      await this.#admin.deleteGroups([groupId])
    })
  }

  listTopics(): Promise<string[]> {
    return this.#do('list topics', () => this.#admin.listTopics())
  }

  listGroups(): Promise<string[]> {
    return this.#do('list groups', async () => {
      const { groups } = await this.#admin.listGroups()
      return groups.map(({ groupId }) => groupId)
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.#cluster.close(), this.#kafka.close(() => this.#admin.disconnect())])
  }

  async #anyBroker(): Promise<InnerBroker> {
    const { cluster } = this.#cluster
    return (await cluster.findBroker({ nodeId: String(cluster.getNodeIds()[0]) })) as InnerBroker
  }

  async #partitionsOf(topic: string) {
    const broker = await this.#anyBroker()
    const { topicMetadata } = await broker.metadata([topic])
    return topicMetadata.flatMap(({ partitionMetadata }) => partitionMetadata)
  }

  /** kafkajs' own waiting takes UNKNOWN_TOPIC_OR_PARTITION for the end. */
  async #untilLed(topic: string): Promise<void> {
    const deadlineNs = this.#clock.nowNs() + this.#connection.requestTimeoutMs * 1e6
    for (;;) {
      try {
        const partitions = await this.#partitionsOf(topic)
        // A leader may itself be the last to know; one that is away is not waited for.
        await Promise.all(
          partitions.map(({ leader, partitionId }) =>
            this.#offsets(leader, topic, [partitionId], latest).catch((error: unknown) => {
              if (kafkaCodeOf(error) !== null) throw error
            }),
          ),
        )
        return
      } catch (error) {
        if (!notYetCodes.includes(kafkaCodeOf(error)) || this.#clock.nowNs() > deadlineNs)
          throw error
      }
      await sleep(this.#clock, leaderPollMs)
    }
  }

  async #offsets(
    nodeId: number,
    topic: string,
    partitions: readonly number[],
    timestamp: number,
  ): Promise<Map<number, number>> {
    const found = await this.#cluster.cluster.findBroker({ nodeId: String(nodeId) })
    const { responses } = await (found as InnerBroker).listOffsets({
      isolationLevel: readUncommitted,
      topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }],
    })
    const answers = responses.flatMap((response) => response.partitions)
    return new Map(answers.map(({ partition, offset }) => [partition, Number(offset)]))
  }

  async #do<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof DriverError) throw error
      throw toDriverError(doing, error, this.#connection)
    }
  }
}

/** Connects within `connectTimeoutMs`, else rejects with a `SurroundingsError` that names the address. */
export const openAdmin = async (
  connection: ConnectionOptions,
  clock: Clock = systemClock,
): Promise<Admin> => {
  const cluster = await openCluster(connection, clock, {
    topics: [],
    isolation: 'read-uncommitted',
  })
  const kafka = createKafka(connection, clock, retryOptions(connection))
  const admin = kafka.kafka.admin()
  try {
    await admin.connect()
    return new KafkajsAdmin(connection, cluster, kafka, admin, clock)
  } catch (error) {
    await cluster.close()
    await kafka.close(() => admin.disconnect())
    throw toDriverError('open the admin client', error, connection)
  }
}

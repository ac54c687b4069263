/**
 * The brokers of a cluster: which one leads a partition, which one coordinates a group, and one connection to each for
 * each purpose. It retries only until the first broker has answered; after that every failure is the caller's.
 */
import { type Clock, sleep } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { Api } from '../../protocol/api.ts'
import { errorCode } from '../../protocol/errors.ts'
import { findCoordinator } from '../../protocol/messages/find-coordinator.ts'
import { metadata } from '../../protocol/messages/metadata.ts'
import type { ReceiveBufferOptions } from '../../protocol/receive-buffer.ts'
import { type Decoded, type Given, zeroUuid } from '../../protocol/schema.ts'
import type { ConnectionOptions } from '../driver.ts'
import { Connection, type RequestOptions } from './connection.ts'
import { assertNoError, BrokerError, ConnectionError, toConnectError } from './errors.ts'
import { booleanOf, type ConnectionSettings, connectionSettings } from './properties.ts'

const connectBackoffMs = 100

/**
 * Answers come in order on a connection, so that what waits long (a fetch, a join) has one of its own: `control` for short
 * requests, `data` for Produce and Fetch, `group` for a group's coordinator.
 */
export type Purpose = 'control' | 'data' | 'group'

export interface PartitionLeader {
  readonly partition: number
  /** -1 when there is none now. */
  readonly leaderId: number
  /** -1 when the broker does not tell. */
  readonly leaderEpoch: number
}

export interface ClusterOptions {
  /** Metadata of these only; of all topics when empty. */
  readonly topics: readonly string[]
  /** What a data connection reads into; a consumer wants more than one fetch. */
  readonly receiveBuffer?: ReceiveBufferOptions
}

export class Cluster {
  controllerId = -1
  readonly #connection: ConnectionOptions
  readonly #settings: ConnectionSettings
  readonly #clock: Clock
  readonly #options: ClusterOptions
  /** `host:port` by node id. */
  readonly #addresses = new Map<number, string>()
  readonly #leaders = new Map<string, Map<number, PartitionLeader>>()
  readonly #topicIds = new Map<string, string>()
  /** Live ones, by `purpose node`. */
  readonly #connections = new Map<string, Connection>()
  readonly #opening = new Map<string, Promise<Connection>>()
  readonly #coordinators = new Map<string, number>()
  #bootstrap: Connection | null = null
  #refreshing: Promise<void> | null = null
  #turn = 0
  #isClosed = false

  private constructor(connection: ConnectionOptions, clock: Clock, options: ClusterOptions) {
    this.#connection = connection
    this.#settings = connectionSettings(connection)
    this.#clock = clock
    this.#options = options
  }

  /**
   * Connects to one of the bootstrap servers, tries again until `connectTimeoutMs` have passed, and loads the metadata.
   * Rejects with a `SurroundingsError` that names the addresses, at once when trying again cannot help, with a
   * `UsageError` for a TLS file that cannot be read, and with a `BrokerError` for what the broker says of a topic.
   */
  static async open(
    connection: ConnectionOptions,
    clock: Clock,
    options: ClusterOptions,
  ): Promise<Cluster> {
    const cluster = new Cluster(connection, clock, options)
    const deadlineNs = clock.nowNs() + connection.connectTimeoutMs * 1e6
    let problem: unknown = null
    for (;;) {
      try {
        await cluster.#refreshFrom(await cluster.#openBootstrap(deadlineNs))
        return cluster
      } catch (error) {
        // The last attempt has little time; what went wrong before says more than that it was too short.
        const isLate = error instanceof ConnectionError && error.problem === 'timeout'
        if (!isLate || problem === null) problem = error
        const isOver = clock.nowNs() + connectBackoffMs * 1e6 >= deadlineNs
        const isHopeless = error instanceof ConnectionError && error.isHopeless
        const canRetryCode =
          error instanceof BrokerError && error.kafkaCode === errorCode.LEADER_NOT_AVAILABLE
        if (isOver || isHopeless || (error instanceof BrokerError && !canRetryCode)) {
          cluster.close()
          if (error instanceof BrokerError) throw error
          throw toConnectError(isHopeless ? error : problem, connection)
        }
      }
      await sleep(clock, connectBackoffMs)
    }
  }

  /** What the client calls itself. */
  get clientId(): string {
    return this.#settings.clientId
  }

  get nodeIds(): number[] {
    return [...this.#addresses.keys()]
  }

  /** By partition; empty for a topic that is not in the metadata. */
  leadersOf(topic: string): ReadonlyMap<number, PartitionLeader> {
    return this.#leaders.get(topic) ?? new Map()
  }

  /** Null where the broker gives none (before Metadata version 10). */
  topicIdOf(topic: string): string | null {
    return this.#topicIds.get(topic) ?? null
  }

  /** Asks any broker for the metadata again. Callers at the same time share one request. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null
    })
    return this.#refreshing
  }

  /** The connection when there is one and it is open. */
  liveConnection(nodeId: number, purpose: Purpose): Connection | null {
    const live = this.#connections.get(`${purpose} ${nodeId}`)
    return live?.isOpen === true ? live : null
  }

  /** Connects when there is none. Rejects with a `ConnectionError`. Callers at the same time share one connection. */
  async connectionTo(nodeId: number, purpose: Purpose): Promise<Connection> {
    const live = this.liveConnection(nodeId, purpose)
    if (live !== null) return live
    const name = `${purpose} ${nodeId}`
    const opening =
      this.#opening.get(name) ??
      this.#openNamed(name, nodeId, purpose).finally(() => this.#opening.delete(name))
    this.#opening.set(name, opening)
    return await opening
  }

  /** Sends to any broker, each in its turn. Rejects with a `ConnectionError`. */
  async request<A extends Api>(
    one: A,
    body: Given<A['request']>,
    options: RequestOptions = {},
  ): Promise<Decoded<A['response']>> {
    const connection = await this.#anyConnection()
    return await connection.request(one, body, options)
  }

  /**
   * A connection to the group's coordinator; a join holds back what comes after it on `group`. Rejects with a `BrokerError` (COORDINATOR_NOT_AVAILABLE
   * and the like: ask again) or a `ConnectionError`.
   */
  async coordinatorOf(groupId: string, purpose: Purpose = 'group'): Promise<Connection> {
    let nodeId = this.#coordinators.get(groupId)
    if (nodeId === undefined) {
      nodeId = await this.#findCoordinator(groupId)
      this.#coordinators.set(groupId, nodeId)
    }
    return await this.connectionTo(nodeId, purpose)
  }

  /** After NOT_COORDINATOR or a lost connection: the next `coordinatorOf` asks again. */
  forgetCoordinator(groupId: string): void {
    this.#coordinators.delete(groupId)
  }

  /** Ends all connections; what is open on them is lost. */
  close(): void {
    this.#isClosed = true
    this.#bootstrap?.close()
    for (const connection of this.#connections.values()) connection.close()
  }

  async #findCoordinator(groupId: string): Promise<number> {
    const connection = await this.#anyConnection()
    const version = connection.versionOf(findCoordinator)
    const body = version < 4 ? { key: groupId } : { coordinatorKeys: [groupId] }
    const answer = await connection.request(findCoordinator, body)
    const found = version < 4 ? answer : answer.coordinators.find(({ key }) => key === groupId)
    if (found === undefined) throw new BrokerError(errorCode.COORDINATOR_NOT_AVAILABLE)
    assertNoError(found.errorCode, found.errorMessage)
    this.#addresses.set(found.nodeId, addressOf(found))
    return found.nodeId
  }

  async #openNamed(name: string, nodeId: number, purpose: Purpose): Promise<Connection> {
    const address = this.#addresses.get(nodeId)
    if (address === undefined) {
      throw new ConnectionError('unreachable', '', `broker ${nodeId} is not in the metadata`)
    }
    const receiveBuffer = purpose === 'data' ? this.#options.receiveBuffer : undefined
    const connection = await this.#open(address, this.#settings, receiveBuffer)
    this.#connections.set(name, connection)
    return connection
  }

  async #open(
    address: string,
    settings: ConnectionSettings,
    receiveBuffer?: ReceiveBufferOptions,
  ): Promise<Connection> {
    if (this.#isClosed) throw new ConnectionError('closed', address, 'the client is closed')
    const connection = await Connection.open(address, settings, this.#clock, receiveBuffer)
    if (!this.#isClosed) return connection
    connection.close()
    throw new ConnectionError('closed', address, 'the client is closed')
  }

  /** A live connection, else one to a known broker, else one to a bootstrap server. */
  async #anyConnection(): Promise<Connection> {
    const nodeIds = this.nodeIds
    for (let step = 0; step < nodeIds.length; step++) {
      const nodeId = nodeIds[this.#turn++ % nodeIds.length] as number
      try {
        return await this.connectionTo(nodeId, 'control')
      } catch {
        // Another one may be there.
      }
    }
    return await this.#openBootstrap(Number.POSITIVE_INFINITY)
  }

  /** Tries each bootstrap server once. Rejects with what the last one said. */
  async #openBootstrap(deadlineNs: number): Promise<Connection> {
    if (this.#bootstrap?.isOpen === true) return this.#bootstrap
    const servers = this.#connection.bootstrapServers
    let problem: unknown = new Error('no bootstrap server')
    for (const address of servers) {
      const leftMs = Math.max(1, (deadlineNs - this.#clock.nowNs()) / 1e6)
      const connectTimeoutMs = Math.round(Math.min(this.#settings.connectTimeoutMs, leftMs))
      try {
        this.#bootstrap = await this.#open(address, { ...this.#settings, connectTimeoutMs })
        return this.#bootstrap
      } catch (error) {
        problem = error
        if (error instanceof ConnectionError && error.isHopeless) break
      }
    }
    throw problem
  }

  async #refresh(): Promise<void> {
    await this.#refreshFrom(await this.#anyConnection())
  }

  async #refreshFrom(connection: Connection): Promise<void> {
    const { topics } = this.#options
    const all = connection.versionOf(metadata) === 0 ? [] : null
    const answer = await connection.request(metadata, {
      topics: topics.length === 0 ? all : topics.map((name) => ({ topicId: zeroUuid, name })),
      allowAutoTopicCreation: booleanOf(
        this.#connection.properties,
        'allow.auto.create.topics',
        false,
      ),
      includeTopicAuthorizedOperations: false,
    })
    this.#take(answer)
  }

  #take(answer: Decoded<typeof metadata.response>): void {
    this.controllerId = answer.controllerId
    this.#addresses.clear()
    for (const broker of answer.brokers) this.#addresses.set(broker.nodeId, addressOf(broker))
    this.#leaders.clear()
    this.#topicIds.clear()
    for (const { name, topicId, errorCode: code, partitions } of answer.topics) {
      if (this.#options.topics.length > 0) assertNoError(code)
      if (name === null || code !== 0) continue
      if (topicId !== zeroUuid) this.#topicIds.set(name, topicId)
      const leaders = partitions.map(({ partitionIndex, leaderId, leaderEpoch }) => {
        const leader = { partition: partitionIndex, leaderId, leaderEpoch }
        return [partitionIndex, leader] as const
      })
      this.#leaders.set(name, new Map(leaders))
    }
  }
}

const addressOf = ({ host, port }: { host: string; port: number }): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** Whether the failure says that the broker could not be reached, rather than what it answered. */
export const isConnectionLoss = (error: unknown): boolean => error instanceof ConnectionError

/** One line about any failure of a cluster or connection, with the address where it is known. */
export const describe = (error: unknown): string => {
  const message = messageOf(error)
  const address = error instanceof ConnectionError ? error.address : ''
  return address === '' || message.includes(address) ? message : `${message} (${address})`
}

/** What of @platformatic/kafka is used, typed here since the package is optional, and how it is loaded. */
import { pathToFileURL } from 'node:url'
import { findPackage, loadWith } from '../optional-package.ts'

interface BrokerAddress {
  host: string
  port: number
}

export interface Cluster {
  brokers: Map<number, BrokerAddress>
  topics: Map<string, { id: string; partitions: { leader: number }[]; partitionsCount: number }>
}

export interface ApiRange {
  name: string
  minVersion: number
  maxVersion: number
}

/** Of the connections of one client; iterates over `[address, connection]`. */
interface ConnectionPool extends Iterable<[string, { close(): Promise<void> }]> {
  getFirstAvailable(brokers: readonly BrokerAddress[]): Promise<object>
  close(): Promise<void>
}

export interface BaseOptions {
  clientId: string
  bootstrapBrokers: string[]
  /** Of one attempt to connect, ms. */
  connectTimeout: number
  /** Of one request on a connection, ms. */
  requestTimeout: number
  /** What Produce and others tell the broker, ms. */
  timeout: number
  retries: number
  retryDelay: (client: object, operation: string, attempt: number) => number
  metadataMaxAge: number
  maxInflights?: number
  autocreateTopics: boolean
  tls?: object
  tlsServerName?: boolean
  sasl?: { mechanism: string; username: string; password: string }
}

export interface BaseClient {
  readonly connections: ConnectionPool
  listApis(): Promise<ApiRange[]>
  metadata(options: { topics: string[]; forceUpdate?: boolean }): Promise<Cluster>
  clearMetadata(): void
  close(): Promise<void>
  on(event: string, listener: (payload: never) => void): void
}

export interface MessageToProduce {
  topic: string
  partition: number
  value: Buffer
  key?: Buffer
  headers?: Map<Buffer, Buffer>
}

export interface LibraryProducer extends BaseClient {
  send(options: {
    messages: MessageToProduce[]
    acks: number
    compression: string
    idempotent: boolean
    autocreateTopics: boolean
    repeatOnStaleMetadata: boolean
  }): Promise<{ offsets?: { partition: number; offset: bigint }[] }>
  /** A new producer id, sequences from 0. */
  initIdempotentProducer(options: object): Promise<unknown>
}

export interface RecordsBatch {
  firstOffset: bigint
  lastOffsetDelta: number
  attributes: number
  records: {
    offsetDelta: number
    value: Buffer | null
    headers: [Buffer | null, Buffer | null][]
  }[]
}

export interface FetchAnswer {
  responses: {
    topicId: string
    partitions: { partitionIndex: number; errorCode: number; records?: RecordsBatch[] }[]
  }[]
}

interface FetchTopic {
  topicId: string
  partitions: {
    partition: number
    currentLeaderEpoch: number
    fetchOffset: bigint
    lastFetchedEpoch: number
    partitionMaxBytes: number
  }[]
}

/** Offsets of a topic by partition; a hole where nothing was asked. */
type OffsetsByTopic = Map<string, (bigint | undefined)[]>

export interface LibraryConsumer extends BaseClient {
  readonly topics: { track(topic: string): boolean }
  readonly memberId: string | null
  fetch(options: {
    node: number
    topics: FetchTopic[]
    minBytes: number
    maxBytes: number
    maxWaitTime: number
    isolationLevel: number
  }): Promise<FetchAnswer>
  joinGroup(options: object): Promise<string>
  commit(options: {
    offsets: { topic: string; partition: number; offset: bigint; leaderEpoch: number }[]
  }): Promise<void>
  listOffsets(options: {
    topics: string[]
    partitions?: Record<string, number[]>
    timestamp: bigint
  }): Promise<OffsetsByTopic>
  listCommittedOffsets(options: {
    topics: { topic: string; partitions: number[] }[]
  }): Promise<OffsetsByTopic>
}

export interface JoinEvent {
  memberId: string
  generationId: number
  assignments: { topic: string; partitions: number[] }[] | null
}

/** One version of one API; `async` sends it on a connection. */
export interface LibraryApi {
  api: { async(connection: object, ...args: unknown[]): Promise<unknown> }
}

export interface Library {
  Base: new (options: BaseOptions) => BaseClient
  Producer: new (options: BaseOptions & { idempotent: boolean }) => LibraryProducer
  Consumer: new (options: BaseOptions & { groupId: string }) => LibraryConsumer
  compressionsAlgorithms: Record<string, { available: boolean }>
  protocolErrors: Record<string, { code: number; message: string }>
  protocolErrorsCodesById: Record<number, string>
  /** `fetchV17` and so on: every version of every API that the library speaks. */
  [api: string]: unknown
}

const platformaticPackage = {
  client: 'platformatic',
  name: '@platformatic/kafka',
  install: 'npm install @platformatic/kafka@1.35.0 (its authors ask for Node.js 22.19 or newer)',
}

/** Throws a `UsageError` with what to install when the package is missing or cannot be loaded. */
export const loadLibrary = async (): Promise<{ library: Library; version: string }> => {
  const { file, version } = findPackage(platformaticPackage)
  const load = async () => (await import(pathToFileURL(file).href)) as Library
  return { library: await loadWith(platformaticPackage, load), version }
}

/**
 * The seam between the bench and a Kafka client library: batches in, batches out, never one record at a time
 * (docs/adr/0001-the-seam-is-a-batch.md). A driver adapts its client and decides nothing.
 */

export type Acks = 0 | 1 | -1
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
export type Assignor = 'range' | 'round-robin' | 'cooperative-sticky'
export type Isolation = 'read-uncommitted' | 'read-committed'

export interface SecurityOptions {
  tls: { caFile: string | null; certFile: string | null; keyFile: string | null } | null
  sasl: {
    mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    username: string
    password: string
  } | null
}

export interface ConnectionOptions {
  bootstrapServers: readonly string[]
  clientId: string
  connectTimeoutMs: number
  requestTimeoutMs: number
  security: SecurityOptions
  /** Kafka's dotted client names (`-X name=value`), already checked by `Driver.checkProperties`. */
  properties: Readonly<Record<string, string>>
}

/** One client library. */
export interface Driver {
  readonly name: string
  readonly version: string
  readonly assignors: readonly Assignor[]
  readonly compressions: readonly Compression[]
  /** True when it cannot write bytes as a header value, so that a value too small for the bench header is refused. */
  readonly hasOnlyTextHeaders?: boolean
  /** Throws a `UsageError` that names the client and the property it does not know or whose value it refuses. */
  checkProperties(properties: Readonly<Record<string, string>>): void
  createProducer(
    connection: ConnectionOptions,
    options: ProducerOptions,
    sink: ProducerSink,
  ): Promise<Producer>
  createConsumer(
    connection: ConnectionOptions,
    options: ConsumerOptions,
    sink: ConsumerSink,
  ): Promise<Consumer>
  /** A reader of fixed partitions from fixed offsets: no group, no commits. */
  createReader(
    connection: ConnectionOptions,
    options: ReaderOptions,
    sink: ConsumerSink,
  ): Promise<Consumer>
  /** As `createReader`, by a codec that is not this client's: reads back what it wrote. Its own reader when left out. */
  createForeignReader?(
    connection: ConnectionOptions,
    options: ReaderOptions,
    sink: ConsumerSink,
  ): Promise<Consumer>
  /** One Metadata request per call of `request()`, for `--mode metadata`. */
  createMetadataClient(connection: ConnectionOptions): Promise<MetadataClient>
}

// --- producing -------------------------------------------------------------------------------------------------

export interface ProducerOptions {
  topic: string
  acks: Acks
  compression: Compression
  isIdempotent: boolean
  /** A record not acked after this is `unknown`: it may have landed. */
  messageTimeoutMs: number
}

/** Records of one partition with dense sequences, to be sent as one record batch. */
export interface RecordRun {
  readonly partition: number
  readonly count: number
  /** Sequence of record 0 of this run; record i has `firstSequence + i`. */
  readonly firstSequence: number
  /** Intended send time of each record, monotonic ns of the run's clock. Length `count`. */
  readonly intendedAtNs: Float64Array
  /** When the bench handed the run over, monotonic ns. */
  readonly sentAtNs: number
  readonly payload: PayloadPlan
  /** Keys by record; null when the run has none. */
  readonly keys: readonly Buffer[] | null
}

/** How to make the bytes of a record; drivers that need Buffers call `render`, others may use the template instead. */
export interface PayloadPlan {
  render(run: RecordRun, index: number): RenderedRecord
  /** Null or not there: every record has to be rendered. */
  readonly template?: ValueTemplate | null
}

/**
 * Values of one size that differ from record to record only in a window: a driver keeps such values and has them
 * patched. Any record may have any body.
 */
export interface ValueTemplate {
  readonly valueSizeBytes: number
  /** All that `patch` may change: [windowStart, windowEnd) of the value, a multiple of four bytes. */
  readonly windowStart: number
  readonly windowEnd: number
  /** Writes the value with the body of this number (from 0, without end), zeros in its window. */
  fill(target: Buffer, start: number, body: number): void
  /** Makes the value at `start`, filled with `body`, that of record `index` of `run`. */
  patch(target: DataView, start: number, body: number, run: RecordRun, index: number): void
  /** The same for all records of `run`: that of number i begins at `starts[i]` from `at` on and is filled with body i. */
  patchAll(values: ValuePlaces, at: number, run: RecordRun): void
}

/** Where the values of a batch lie, and what their windows do to a linear checksum over it. */
export interface ValuePlaces {
  target: DataView
  readonly starts: Int32Array
  /** A byte b at place k of a window contributes entry 256 * k + b to the checksum, by XOR. */
  readonly contributions: Int32Array
  /** Set by `patchAll`: what the window of each record contributes. */
  readonly sums: Int32Array
}

/** The record header that carries what bench tells of a record whose value is too small for it. */
export const benchHeaderName = 'bench'

export interface RenderedRecord {
  value: Buffer
  /** Header `bench` when the value is too small to carry the bench header; else null. */
  header: { name: string; value: Buffer } | null
}

export interface SendFailure {
  /** False: certainly not in the log. True: it may have landed (timeout, connection lost). */
  isUnknown: boolean
  /** True when the broker could not be reached: the engine decides whether the run is lost. */
  isConnectionLost: boolean
  /** The broker's error code, when it was the broker that refused. */
  kafkaCode: number | null
  message: string
}

export interface ProducerSink {
  /** All records of `run` are in the log from `baseOffset` on; with acks=0 they were only written, `baseOffset` is -1. */
  onAck(run: RecordRun, baseOffset: number, atNs: number): void
  onFailure(run: RecordRun, failure: SendFailure, atNs: number): void
  /** One Produce request was handed to the client's network layer. */
  onRequest(): void
}

export interface Producer {
  /**
   * Takes the runs that became ready in one turn of the event loop, at most one per partition; a driver packs them
   * into as few requests as its client can. Each run ends in exactly one `onAck` or `onFailure`. Never throws.
   */
  send(runs: readonly RecordRun[]): void
  /** Gives up what is in flight (each such run ends as unknown) and disconnects. */
  close(): Promise<void>
}

// --- consuming -------------------------------------------------------------------------------------------------

/** Gives bytes to receive into, where the bench is fastest at checking them; a client may have its own. */
type Allocate = (sizeBytes: number) => Buffer

export interface ConsumerOptions {
  topic: string
  groupId: string
  clientId: string
  assignor: Assignor
  autoCommit: boolean
  isolation: Isolation
  fetchMinBytes: number
  fetchMaxWaitMs: number
  maxPartitionFetchBytes: number
  sessionTimeoutMs: number
  allocate?: Allocate
}

export interface ReaderOptions {
  topic: string
  partitions: readonly { partition: number; fromOffset: number }[]
  isolation: Isolation
  fetchMinBytes: number
  fetchMaxWaitMs: number
  maxPartitionFetchBytes: number
  allocate?: Allocate
}

/**
 * Records of one partition as one fetch gave them, walked in place without allocation: call `next()` until it is
 * false; after each true the fields describe the current record. To be walked before `onBatch` returns: its bytes may be
 * used again after that, also when it returned a promise. Damaged bytes make `next()` throw.
 */
export interface BatchCursor {
  readonly partition: number
  /** First offset the fetch asked for or got, inclusive. */
  readonly fromOffset: number
  /** Position after this batch, exclusive: last offset + 1, also where control or compacted records were skipped. */
  readonly toOffset: number
  readonly receivedAtNs: number
  next(): boolean
  offset: number
  /** The value lies in `bytes` from `valueStart`, `valueLength` long; -1 is null. */
  bytes: Uint8Array
  valueStart: number
  valueLength: number
  /** The record header `bench` of the current record, or null. Read only when the value is too small to carry it. */
  benchHeader(): Uint8Array | null
  /**
   * How many records after the current one, at most `most`, follow it without a gap in offsets and lie in `bytes` as it
   * does: with the same key, no headers and a value as long, each `strideBytes` behind the one before. 0 where that cannot
   * be told at once.
   */
  countAlike(most: number): number
  /** What `countAlike` cannot exceed, known without looking at them. */
  readonly mostAlike: number
  readonly strideBytes: number
  /** Makes the last of `count` records that `countAlike` has counted the current one. */
  pass(count: number): void
}

export type GroupEvent =
  /** Join and sync are done. `partitions` may be empty. `generation` is -1 when the client does not tell. */
  | {
      type: 'assigned'
      memberId: string
      generation: number
      partitions: readonly number[]
      atNs: number
    }
  /** The member's partitions are gone until the next `assigned`. */
  | { type: 'revoked'; atNs: number }
  /** A generation learned after `assigned` (from a heartbeat or a commit). */
  | { type: 'generation'; memberId: string; generation: number; atNs: number }
  | { type: 'left'; atNs: number }

export interface ConsumerSink {
  /**
   * Called in order per partition. While the returned promise is pending the client fetches no more than it must, and
   * does not commit the batch; one that is still pending when `close` is called is never committed.
   */
  onBatch(batch: BatchCursor): void | Promise<void>
  onGroupEvent(event: GroupEvent): void
  /** One Fetch was answered after `serviceNs`; `hasRecords` is false for an empty long poll. */
  onFetch(serviceNs: number, hasRecords: boolean): void
  /** The client gave up. It will deliver nothing more. */
  onCrash(error: { message: string; isConnectionLost: boolean }): void
}

export interface Consumer {
  /** Resolves when joining has begun (a group) or fetching has (a reader), not when something was assigned. */
  start(): Promise<void>
  /** Commits this member's positions now: per partition, the next offset to read. Rejects when the broker refuses. */
  commit(positions: ReadonlyMap<number, number>): Promise<void>
  /** Stops fetching, leaves the group, disconnects. Does not commit: call `commit` first. Never rejects. */
  close(): Promise<void>
}

export interface MetadataClient {
  /** Resolves when one Metadata answer has arrived; rejects with a `DriverError`. */
  request(): Promise<void>
  close(): Promise<void>
}

// --- administration: always kafkajs, whatever the driver -------------------------------------------------------

export interface PartitionWatermarks {
  partition: number
  /** Log start offset, inclusive. */
  low: number
  /** End offset (high watermark), exclusive. */
  high: number
}

export interface Admin {
  brokerVersion(): Promise<string>
  /** Partition count, or null when the topic does not exist. */
  partitionCount(topic: string): Promise<number | null>
  /** Rejects with a `DriverError` (kafkaCode 36 when it exists). Resolves when every partition has a leader. */
  createTopic(topic: string, partitions: number, replicationFactor: number): Promise<void>
  deleteTopic(topic: string): Promise<void>
  watermarks(topic: string): Promise<PartitionWatermarks[]>
  /** Committed offset by partition; -1 when there is none. */
  committedOffsets(groupId: string, topic: string): Promise<Map<number, number>>
  /** Rejects when the group has members. `null` removes nothing: it is only used with real offsets. */
  setCommittedOffsets(
    groupId: string,
    topic: string,
    offsets: ReadonlyMap<number, number>,
  ): Promise<void>
  /** Ids of the live members; empty when the group is empty or unknown. */
  groupMembers(groupId: string): Promise<string[]>
  deleteGroup(groupId: string): Promise<void>
  listTopics(): Promise<string[]>
  listGroups(): Promise<string[]>
  close(): Promise<void>
}

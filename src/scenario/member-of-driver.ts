/** A member that is a consumer of one of bench's drivers. */
import type {
  Assignor,
  BatchCursor,
  Consumer,
  ConsumerSink,
  Driver,
  GroupEvent,
} from '../clients/driver.ts'
import { type Clock, sleep } from '../clock.ts'
import { DriverError, messageOf, UsageError } from '../errors.ts'
import type { MemberLink } from './member-link.ts'
import type { MemberOptions } from './member-protocol.ts'
import { recordRunsOf } from './member-records.ts'

const connectTimeoutMs = 10_000
const requestTimeoutMs = 30_000
/** Some records at a time: each piece passes the recording, and is told by a line. */
const fetchMinBytes = 16_384
const fetchMaxWaitMs = 100
const maxPartitionFetchBytes = 2 ** 20

const propertiesOf = (options: MemberOptions): Record<string, string> => ({
  'heartbeat.interval.ms': String(options.heartbeatIntervalMs),
  // No client takes a rebalance timeout below the session timeout.
  'max.poll.interval.ms': String(Math.max(options.rebalanceTimeoutMs, options.sessionTimeoutMs)),
  ...(options.groupInstanceId === null ? {} : { 'group.instance.id': options.groupInstanceId }),
})

const refuseAssignor = ({ name, assignors }: Driver, assignor: Assignor): void => {
  if (assignors.includes(assignor)) return
  throw new UsageError(
    `assignor ${assignor}: ${name} has no such assignor; ${assignors.join(', ')} are allowed`,
  )
}

class DriverMember {
  readonly #driver: Driver
  readonly #options: MemberOptions
  readonly #link: MemberLink
  readonly #clock: Clock
  /** Next offsets of the partitions held, as far as they were handled. */
  #positions = new Map<number, number>()
  /** Counts assignments, so that a batch of an old one is not taken for one of the new. */
  #round = 0
  #isStopping = false
  readonly #crashed: Promise<void>
  #resolveCrashed: () => void = () => {}
  readonly #closing: Promise<void>
  #resolveClosing: () => void = () => {}

  constructor(driver: Driver, options: MemberOptions, link: MemberLink, clock: Clock) {
    this.#driver = driver
    this.#options = options
    this.#link = link
    this.#clock = clock
    this.#crashed = new Promise((resolve) => {
      this.#resolveCrashed = resolve
    })
    this.#closing = new Promise((resolve) => {
      this.#resolveClosing = resolve
    })
  }

  /** Resolves to the exit code. Rejects when the driver cannot do what the options ask for. */
  async run(): Promise<0 | 1> {
    const { name, version } = this.#driver
    this.#link.tell({ type: 'hello', library: name, version })
    refuseAssignor(this.#driver, this.#options.assignor)
    const properties = propertiesOf(this.#options)
    this.#driver.checkProperties(properties)
    const consumer = await this.#createConsumer(properties)
    this.#link.tell({ type: 'joining', atMs: this.#clock.epochMs() })
    await consumer.start()
    const end = await Promise.race([
      this.#obey(consumer).then(() => 'stopped' as const),
      this.#crashed.then(() => 'crashed' as const),
    ])
    this.#isStopping = true
    const { commit } = this.#options
    if (end === 'stopped' && commit !== 'none' && commit !== 'manual') await this.#commit(consumer)
    const closed = consumer.close()
    this.#resolveClosing()
    await closed
    return end === 'stopped' ? 0 : 1
  }

  #createConsumer(properties: Record<string, string>): Promise<Consumer> {
    const { bootstrapServers, clientId, topic, groupId, assignor, isolation, commit } =
      this.#options
    let consumer: Consumer | null = null
    const sink: ConsumerSink = {
      onBatch: (batch) => this.#onBatch(batch, consumer),
      onGroupEvent: (event) => this.#onGroupEvent(event),
      onFetch: () => {},
      onCrash: ({ message }) => {
        this.#tellError(new Error(message), true)
        this.#resolveCrashed()
      },
    }
    const created = this.#driver.createConsumer(
      {
        bootstrapServers,
        clientId,
        connectTimeoutMs,
        requestTimeoutMs,
        security: { tls: null, sasl: null },
        properties,
      },
      {
        topic,
        groupId,
        clientId,
        assignor,
        autoCommit: commit === 'auto',
        isolation,
        fetchMinBytes,
        fetchMaxWaitMs,
        maxPartitionFetchBytes,
        sessionTimeoutMs: this.#options.sessionTimeoutMs,
      },
      sink,
    )
    return created.then((made) => {
      consumer = made
      return made
    })
  }

  /** Resolves at `stop`, and at the end of the input. */
  async #obey(consumer: Consumer): Promise<void> {
    for await (const command of this.#link.commands) {
      if (command.type === 'stop') return
      if (command.type === 'commit' && this.#options.commit !== 'none') await this.#commit(consumer)
    }
  }

  async #onBatch(batch: BatchCursor, consumer: Consumer | null): Promise<void> {
    // Not read: a batch that is handed back before the consumer closes would be committed.
    if (this.#isStopping) return this.#closing
    const round = this.#round
    const { partition, fromOffset, toOffset, receivedAtNs } = batch
    const runs = recordRunsOf(batch)
    const atMs = this.#epochMsOf(receivedAtNs)
    this.#link.tell({ type: 'batch', partition, fromOffset, toOffset, runs, atMs })
    if (this.#options.batchDelayMs > 0) await sleep(this.#clock, this.#options.batchDelayMs)
    if (round !== this.#round) return
    this.#positions.set(partition, toOffset)
    if (this.#options.commit === 'each-batch' && consumer !== null) await this.#commit(consumer)
  }

  #onGroupEvent(event: GroupEvent): void {
    const atMs = this.#epochMsOf(event.atNs)
    if (event.type === 'left') return this.#link.tell({ type: 'left', atMs })
    if (event.type === 'revoked') {
      this.#endRound()
      return this.#link.tell({ type: 'revoked', partitions: null, atMs })
    }
    const memberId = event.memberId === '' ? null : event.memberId
    const { generation } = event
    if (event.type === 'generation') {
      return this.#link.tell({ type: 'generation', memberId, generation, atMs })
    }
    this.#endRound()
    const partitions = [...event.partitions]
    this.#link.tell({ type: 'assigned', memberId, generation, partitions, atMs })
  }

  #endRound(): void {
    this.#round += 1
    this.#positions = new Map()
  }

  /** A refusal is told, not thrown: a rebalance may have come between. */
  async #commit(consumer: Consumer): Promise<void> {
    const offsets = [...this.#positions]
    try {
      await consumer.commit(new Map(offsets))
      this.#link.tell({ type: 'committed', offsets, atMs: this.#clock.epochMs() })
    } catch (error) {
      this.#tellError(error, false)
    }
  }

  #tellError(error: unknown, isFatal: boolean): void {
    const code = error instanceof DriverError ? error.kafkaCode : null
    const atMs = this.#clock.epochMs()
    this.#link.tell({ type: 'error', code, message: messageOf(error), isFatal, atMs })
  }

  #epochMsOf(atNs: number): number {
    return this.#clock.epochMs() - (this.#clock.nowNs() - atNs) / 1e6
  }
}

/** Resolves to the exit code. Rejects when the driver cannot do what the options ask for. */
export const runDriverMember = (
  driver: Driver,
  options: MemberOptions,
  link: MemberLink,
  clock: Clock,
): Promise<0 | 1> => new DriverMember(driver, options, link, clock).run()

import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../clock.ts'
import { Log } from './log.ts'
import { newPlacement, onFirstNode, type Placement } from './placement.ts'
import type { Settings } from './settings.ts'
import type { Journal } from './store/journal.ts'
import { StorageError, type Store } from './store/store.ts'
import { type TopicLimits, topicLimits } from './topic-limits.ts'
import { collisionForm, topicNameFault } from './topic-names.ts'

/** The topics of the broker: names, ids, configs, and log and placement of each partition. Kept in a journal, restored at opening. */

export interface Topic {
  readonly name: string
  /** As Kafka prints a UUID: base64url of 16 bytes, 22 characters. */
  readonly id: string
  readonly partitionCount: number
  /** Configs that were given for this topic, by Kafka's names, as text. */
  readonly configs: Readonly<Record<string, string>>
  readonly limits: TopicLimits
}

export interface PartitionPlace {
  readonly limits: TopicLimits
  readonly log: Log
  readonly placement: Placement
}

export interface TopicsOptions {
  readonly store: Store
  readonly settings: Settings
  readonly clock: Clock
  /** One line to the broker's log. */
  readonly log: (line: string) => void
}

/** A line of the journal. */
type Entry =
  | {
      type: 'created'
      id: string
      name: string
      partitionCount: number
      configs: Record<string, string>
    }
  | { type: 'deleted'; id: string }
  | { type: 'partitions'; id: string; partitionCount: number }
  | { type: 'configs'; id: string; configs: Record<string, string> }
  | { type: 'log-start'; id: string; partition: number; offset: number }
  | { type: 'placed'; id: string; placements: readonly (readonly [number, Placement])[] }

interface TopicState {
  topic: Topic
  /** By partition; opened at first use. */
  readonly logs: (Log | undefined)[]
  /** By partition; where DeleteRecords has cut. */
  readonly logStartOffsets: Map<number, number>
  /** By partition, of those that are not as `onFirstNode` says. */
  readonly placements: Map<number, Placement>
}

export class Topics {
  readonly #options: TopicsOptions
  readonly #journal: Journal
  readonly #byName = new Map<string, TopicState>()
  readonly #byId = new Map<string, TopicState>()
  readonly #nameByForm = new Map<string, string>()
  readonly #deletedCallbacks: ((topic: Topic) => void)[] = []
  #retentionTimer: Timer
  #faultReportedAtNs = -Infinity

  /** Throws a `StorageError` when the journal is damaged. */
  constructor(options: TopicsOptions) {
    this.#options = options
    this.#journal = options.store.journal('topics')
    for (const entry of this.#journal.entries() as readonly Entry[]) this.#apply(entry)
    this.#journal.rewrite([...this.#byId.values()].flatMap(entriesOf))
    this.#retentionTimer = this.#scheduleRetention()
  }

  /**
   * Why a topic of this name cannot be made (INVALID_TOPIC_EXCEPTION, 17), or null. That it exists is no reason.
   */
  nameFault(name: string): string | null {
    const fault = topicNameFault(name)
    if (fault !== null) return `Topic name is invalid: ${fault}`
    const other = this.#nameByForm.get(collisionForm(name))
    return other === undefined || other === name
      ? null
      : `Topic '${name}' collides with existing topics: ${other}`
  }

  /**
   * Makes a topic whose name is free and faultless, with `replicas` by partition. Throws a `StorageError` when that
   * cannot be kept.
   */
  create(
    name: string,
    partitionCount: number,
    configs: Record<string, string> = {},
    replicas: readonly (readonly number[])[] = [],
  ): Topic {
    const id = newTopicId()
    this.#record({ type: 'created', id, name, partitionCount, configs })
    this.#placeNew(id, 0, replicas)
    return this.#state(id).topic
  }

  get(name: string): Topic | null {
    return this.#byName.get(name)?.topic ?? null
  }

  getById(id: string): Topic | null {
    return this.#byId.get(id)?.topic ?? null
  }

  /** In the order of their making. */
  list(): readonly Topic[] {
    return Array.from(this.#byId.values(), (state) => state.topic)
  }

  /** The log of a partition, opened at its first use; null when there is no such partition. Throws a `StorageError`. */
  partition(name: string, index: number): Log | null {
    return this.placeOf(name, index)?.log ?? null
  }

  /** What an append needs of a partition, by one look-up; null when there is no such partition. Throws a `StorageError`. */
  placeOf(name: string, index: number): PartitionPlace | null {
    const state = this.#byName.get(name)
    if (state === undefined) return null
    const log = state.logs[index] ?? this.#open(state, index)
    if (log === null) return null
    const placement = state.placements.get(index) ?? onFirstNode
    return { limits: state.topic.limits, log, placement }
  }

  /** Deletes topic and data; parked fetches of it are woken. False when there is no such topic. */
  delete(name: string): boolean {
    const state = this.#byName.get(name)
    if (!state) return false
    this.#record({ type: 'deleted', id: state.topic.id })
    for (const log of state.logs) log?.close()
    for (const callback of this.#deletedCallbacks) callback(state.topic)
    return true
  }

  /** Raises the number of partitions of an existing topic to `partitionCount`, with `replicas` of the new ones. */
  addPartitions(
    name: string,
    partitionCount: number,
    replicas: readonly (readonly number[])[] = [],
  ): void {
    const { id, partitionCount: before } = this.#existing(name)
    this.#record({ type: 'partitions', id, partitionCount })
    this.#placeNew(id, before, replicas)
  }

  /** Where an existing partition lies. */
  placement(name: string, index: number): Placement {
    return this.#byName.get(name)?.placements.get(index) ?? onFirstNode
  }

  /** Places an existing partition anew and keeps that. Throws a `StorageError`. */
  place(name: string, index: number, placement: Placement): void {
    this.#record({ type: 'placed', id: this.#existing(name).id, placements: [[index, placement]] })
  }

  /** Replaces the configs given for an existing topic. */
  setConfigs(name: string, configs: Record<string, string>): void {
    this.#record({ type: 'configs', id: this.#existing(name).id, configs })
  }

  /** Moves the log start offset of an existing partition up (DeleteRecords) and keeps it. */
  deleteRecords(name: string, index: number, beforeOffset: number): void {
    const log = this.partition(name, index)
    if (!log || beforeOffset <= log.logStartOffset) return
    const { id } = this.#existing(name)
    this.#record({ type: 'log-start', id, partition: index, offset: beforeOffset })
    log.deleteBefore(beforeOffset)
  }

  /** Calls `callback` after each deletion of a topic, for example to drop its committed offsets. */
  onDeleted(callback: (topic: Topic) => void): void {
    this.#deletedCallbacks.push(callback)
  }

  /** Tells the broker's log of a storage error, at most once in a second. */
  reportFault(error: StorageError): void {
    const nowNs = this.#options.clock.nowNs()
    if (nowNs - this.#faultReportedAtNs < 1e9) return
    this.#faultReportedAtNs = nowNs
    this.#options.log(`storage error: ${error.message}`)
  }

  /** Stops retention and closes all logs; parked fetches are woken. Does not close the store. */
  close(): void {
    this.#retentionTimer.cancel()
    for (const state of this.#byId.values()) for (const log of state.logs) log?.close()
    this.#journal.close()
  }

  #existing(name: string): Topic {
    const topic = this.get(name)
    if (!topic) throw new Error(`there is no topic ${name}`)
    return topic
  }

  /** Only what differs from the one node of most brokers is kept. */
  #placeNew(id: string, from: number, replicas: readonly (readonly number[])[]): void {
    const placements = replicas
      .map((nodeIds, i) => [from + i, newPlacement(nodeIds)] as const)
      .filter(([, placement]) => placement.replicas.length > 1 || placement.leaderId !== 1)
    if (placements.length > 0) this.#record({ type: 'placed', id, placements })
  }

  #state(id: string): TopicState {
    const state = this.#byId.get(id)
    if (!state) throw new Error(`the journal of topics names an unknown topic id ${id}`)
    return state
  }

  #open(state: TopicState, index: number): Log | null {
    const { topic } = state
    if (!Number.isInteger(index) || index < 0 || index >= topic.partitionCount) return null
    const segmentBytes = (): number => state.topic.limits.segmentBytes
    const log = new Log(this.#options.store.openPartition(topic.id, index, segmentBytes), {
      name: `${topic.name}-${index}`,
      logStartOffset: state.logStartOffsets.get(index) ?? 0,
      log: this.#options.log,
    })
    state.logs[index] = log
    return log
  }

  /** Keeps an entry, then makes it true. */
  #record(entry: Entry): void {
    this.#journal.append(entry)
    this.#apply(entry)
  }

  #apply(entry: Entry): void {
    if (entry.type === 'created') {
      const { id, name, partitionCount, configs } = entry
      const limits = topicLimits(configs, this.#options.settings)
      const topic: Topic = { id, name, partitionCount, configs, limits }
      const created: TopicState = {
        topic,
        logs: [],
        logStartOffsets: new Map(),
        placements: new Map(),
      }
      this.#byName.set(name, created)
      this.#byId.set(id, created)
      this.#nameByForm.set(collisionForm(name), name)
      return
    }
    const state = this.#state(entry.id)
    switch (entry.type) {
      case 'deleted':
        this.#byName.delete(state.topic.name)
        this.#byId.delete(entry.id)
        this.#nameByForm.delete(collisionForm(state.topic.name))
        // Also at opening: the broker may have ended between the journal's entry and the deletion of the data.
        this.#options.store.deleteTopic(entry.id)
        break
      case 'partitions':
        state.topic = { ...state.topic, partitionCount: entry.partitionCount }
        break
      case 'configs': {
        const limits = topicLimits(entry.configs, this.#options.settings)
        state.topic = { ...state.topic, configs: entry.configs, limits }
        break
      }
      case 'log-start':
        state.logStartOffsets.set(entry.partition, entry.offset)
        break
      case 'placed':
        for (const [index, placement] of entry.placements) state.placements.set(index, placement)
        break
    }
  }

  #scheduleRetention(): Timer {
    const { clock, settings } = this.#options
    return clock.setTimer(settings['log.retention.check.interval.ms'], () => {
      this.#enforceRetention(clock.epochMs())
      this.#retentionTimer = this.#scheduleRetention()
    })
  }

  #enforceRetention(nowMs: number): void {
    for (const { topic } of this.#byId.values()) {
      const { retention } = topic.limits
      if (retention.maxBytes < 0 && retention.maxAgeMs < 0) continue
      // Also of partitions that nobody has used since the start.
      for (let index = 0; index < topic.partitionCount; index += 1) {
        this.#enforceRetentionOn(topic, index, nowMs)
      }
    }
  }

  #enforceRetentionOn({ name, limits }: Topic, index: number, nowMs: number): void {
    try {
      this.partition(name, index)?.enforce(limits.retention, nowMs)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.reportFault(error)
    }
  }
}

const zeroId = 'A'.repeat(22)

/** Kafka keeps ids that begin with '-' out, as they look like options in a shell. */
const newTopicId = (): string => {
  for (;;) {
    const id = randomBytes(16).toString('base64url')
    if (!id.startsWith('-') && id !== zeroId) return id
  }
}

/** The entries that make a topic what it is now. */
const entriesOf = ({ topic, logStartOffsets, placements }: TopicState): Entry[] => [
  {
    type: 'created',
    id: topic.id,
    name: topic.name,
    partitionCount: topic.partitionCount,
    configs: topic.configs,
  },
  ...Array.from(
    logStartOffsets,
    ([partition, offset]): Entry => ({ type: 'log-start', id: topic.id, partition, offset }),
  ),
  ...(placements.size === 0
    ? []
    : [{ type: 'placed', id: topic.id, placements: [...placements] } as const]),
]

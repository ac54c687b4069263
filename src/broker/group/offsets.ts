import { messageOf } from '../../errors.ts'
import type { Journal } from '../store/journal.ts'
import { StorageError } from '../store/store.ts'
import type { CommittedOffset, FetchedTopic, PartitionOffset, TopicPartitions } from './requests.ts'

/** The committed offsets of all groups, kept in a journal that is rewritten when most of it is outdated. */

type TopicOffsets = Map<number, CommittedOffset>
type GroupOffsets = Map<string, TopicOffsets>

/** What the journal holds. Offsets are tuples, since a busy group writes many of them. */
type Entry =
  | { commit: string; offsets: OffsetTuple[] }
  | { remove: string; topics: { topic: string; partitions: readonly number[] }[] }
  | { removeGroup: string }
  | { removeTopic: string }

/** Topic, partition, offset, leader epoch, metadata. */
type OffsetTuple = [string, number, number, number, string]

/** How many journalled offsets may be outdated for each live one, and how many in any case. */
const outdatedPerLive = 4
const outdatedAlways = 1_000

export class CommittedOffsets {
  readonly #journal: Journal
  readonly #log: (line: string) => void
  readonly #groups = new Map<string, GroupOffsets>()
  #liveCount = 0
  #journalledCount = 0

  /** Restores what `journal` holds; throws a `StorageError` when that cannot be understood. */
  constructor(journal: Journal, log: (line: string) => void) {
    this.#journal = journal
    this.#log = log
    journal.entries().forEach((entry, i) => {
      try {
        this.#apply(entry as Entry)
      } catch (cause) {
        throw new StorageError(`committed offsets: entry ${i + 1} is damaged`, { cause })
      }
    })
  }

  groupIds(): string[] {
    return [...this.#groups.keys()]
  }

  /** Throws a `StorageError`, and then nothing is committed. */
  commit(groupId: string, offsets: readonly PartitionOffset[]): void {
    if (offsets.length === 0) return
    const tuples = offsets.map(
      ({ topic, partition, offset, leaderEpoch, metadata }): OffsetTuple => [
        topic,
        partition,
        offset,
        leaderEpoch,
        metadata,
      ],
    )
    this.#append({ commit: groupId, offsets: tuples })
  }

  get(groupId: string, topic: string, partition: number): CommittedOffset | null {
    return this.#groups.get(groupId)?.get(topic)?.get(partition) ?? null
  }

  all(groupId: string): FetchedTopic[] {
    return [...(this.#groups.get(groupId) ?? [])].map(([topic, partitions]) => ({
      topic,
      partitions: [...partitions].map(([partition, committed]) => ({ partition, ...committed })),
    }))
  }

  /** Throws a `StorageError`, and then nothing is removed; so do the other removals. */
  remove(groupId: string, topics: readonly TopicPartitions[]): void {
    if (!this.#groups.has(groupId)) return
    const entries = topics.map(({ topic, partitions }) => ({ topic, partitions }))
    this.#append({ remove: groupId, topics: entries })
  }

  removeGroup(groupId: string): void {
    if (this.#groups.has(groupId)) this.#append({ removeGroup: groupId })
  }

  removeTopic(topic: string): void {
    const isCommitted = [...this.#groups.values()].some((topics) => topics.has(topic))
    if (isCommitted) this.#append({ removeTopic: topic })
  }

  #append(entry: Entry): void {
    this.#journal.append(entry)
    this.#apply(entry)
    if (
      this.#journalledCount - this.#liveCount >
      outdatedAlways + outdatedPerLive * this.#liveCount
    ) {
      this.#compact()
    }
  }

  #compact(): void {
    const entries = [...this.#groups].map(([groupId, topics]): Entry => {
      const offsets = [...topics].flatMap(([topic, partitions]) =>
        [...partitions].map(
          ([partition, { offset, leaderEpoch, metadata }]): OffsetTuple => [
            topic,
            partition,
            offset,
            leaderEpoch,
            metadata,
          ],
        ),
      )
      return { commit: groupId, offsets }
    })
    try {
      this.#journal.rewrite(entries)
    } catch (error) {
      // Nothing is lost: the long journal says the same, and is tried again after as many more commits.
      this.#log(`committed offsets: ${messageOf(error)}`)
    }
    this.#journalledCount = this.#liveCount
  }

  #apply(entry: Entry): void {
    if ('commit' in entry) {
      this.#journalledCount += entry.offsets.length
      for (const tuple of entry.offsets) this.#set(entry.commit, tuple)
      return
    }
    this.#journalledCount++
    if ('remove' in entry) {
      for (const { topic, partitions } of entry.topics) {
        for (const partition of partitions) this.#delete(entry.remove, topic, partition)
      }
    } else if ('removeGroup' in entry) {
      const topics = this.#groups.get(entry.removeGroup) ?? []
      for (const [, partitions] of topics) this.#liveCount -= partitions.size
      this.#groups.delete(entry.removeGroup)
    } else if ('removeTopic' in entry) {
      for (const [groupId, topics] of this.#groups) {
        this.#liveCount -= topics.get(entry.removeTopic)?.size ?? 0
        topics.delete(entry.removeTopic)
        if (topics.size === 0) this.#groups.delete(groupId)
      }
    } else {
      throw new TypeError(`unknown entry ${JSON.stringify(entry)}`)
    }
  }

  #set(groupId: string, [topic, partition, offset, leaderEpoch, metadata]: OffsetTuple): void {
    const topics: GroupOffsets = this.#groups.get(groupId) ?? new Map()
    const partitions: TopicOffsets = topics.get(topic) ?? new Map()
    if (!partitions.has(partition)) this.#liveCount++
    partitions.set(partition, { offset, leaderEpoch, metadata })
    topics.set(topic, partitions)
    this.#groups.set(groupId, topics)
  }

  #delete(groupId: string, topic: string, partition: number): void {
    const topics = this.#groups.get(groupId)
    const partitions = topics?.get(topic)
    if (!partitions?.delete(partition)) return
    this.#liveCount--
    if (partitions.size === 0) topics?.delete(topic)
    if (topics?.size === 0) this.#groups.delete(groupId)
  }
}

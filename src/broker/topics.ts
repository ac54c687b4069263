import type { Clock } from '../clock.ts'
import type { Log } from './log.ts'
import type { Settings } from './settings.ts'
import type { Store } from './store/store.ts'

/** The topics of the broker: names, ids, configs and the log of each partition. Kept in a journal, restored at opening. */

export interface Topic {
  readonly name: string
  /** As Kafka prints a UUID: base64url of 16 bytes, 22 characters. */
  readonly id: string
  readonly partitionCount: number
  /** Configs that were given for this topic, by Kafka's names, as text. */
  readonly configs: Readonly<Record<string, string>>
}

export interface TopicsOptions {
  readonly store: Store
  readonly settings: Settings
  readonly clock: Clock
  readonly log: (line: string) => void
}

export class Topics {
  constructor(_options: TopicsOptions) {}

  /** Why a topic of this name cannot be made (INVALID_TOPIC_EXCEPTION, 17), or null. An existing name is no reason. */
  nameFault(_name: string): string | null {
    throw new Error('not yet')
  }

  /** Makes a topic whose name is free and faultless. Throws a `StorageError` when that cannot be kept. */
  create(_name: string, _partitionCount: number, _configs: Record<string, string> = {}): Topic {
    throw new Error('not yet')
  }

  get(_name: string): Topic | null {
    throw new Error('not yet')
  }

  getById(_id: string): Topic | null {
    throw new Error('not yet')
  }

  /** In the order of their making. */
  list(): readonly Topic[] {
    throw new Error('not yet')
  }

  /** The log of a partition, opened at its first use; null when there is no such partition. Throws a `StorageError`. */
  partition(_name: string, _index: number): Log | null {
    throw new Error('not yet')
  }

  /** Deletes topic and data; parked fetches of it are woken. False when there is no such topic. */
  delete(_name: string): boolean {
    throw new Error('not yet')
  }

  /** Raises the number of partitions to `partitionCount`. */
  addPartitions(_name: string, _partitionCount: number): void {
    throw new Error('not yet')
  }

  /** Replaces the configs given for a topic. */
  setConfigs(_name: string, _configs: Record<string, string>): void {
    throw new Error('not yet')
  }

  /** Moves the log start offset of a partition up (DeleteRecords) and keeps it. */
  deleteRecords(_name: string, _index: number, _beforeOffset: number): void {
    throw new Error('not yet')
  }

  /** Called after a topic was deleted, for example to drop its committed offsets. */
  onDeleted(_callback: (topic: Topic) => void): void {
    throw new Error('not yet')
  }

  /** Stops retention and closes all logs; parked fetches are woken. Does not close the store. */
  close(): void {
    throw new Error('not yet')
  }
}

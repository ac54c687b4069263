/** Which topic a run uses, who creates it, and when it is deleted. */
import type { Admin } from '../clients/driver.ts'
import { DriverError, messageOf, SurroundingsError, UsageError } from '../errors.ts'
import type { RunOptions } from './options.ts'

const topicAlreadyExists = 36

export interface RunTopic {
  readonly name: string
  readonly partitionCount: number
  /** Made for this run alone under a name nobody else uses. */
  readonly isFresh: boolean
}

/** For `--mode metadata` without a topic. */
export const noTopic: RunTopic = { name: '', partitionCount: 0, isFresh: false }

/** True when the mode may create a topic that the user named and that is not there. */
const createsMissing = (options: RunOptions): boolean =>
  options.createTopic || options.mode === 'produce' || options.mode === 'round-trip'

/** Creates `name` and returns its partition count; null when another command was first. */
const create = async (admin: Admin, name: string, options: RunOptions): Promise<number | null> => {
  try {
    await admin.createTopic(name, options.partitions, options.replicationFactor)
    return options.partitions
  } catch (error) {
    if (error instanceof DriverError && error.kafkaCode === topicAlreadyExists) return null
    throw new SurroundingsError(`topic ${name}: not created: ${messageOf(error)}`, { cause: error })
  }
}

const existsAlready = (name: string): UsageError =>
  new UsageError(`--create-topic: topic ${name} exists already; a name that is free is allowed`)

/**
 * Finds or creates the topic of the run. Throws a `UsageError` when `--create-topic` meets an existing one and a
 * `SurroundingsError` when a topic is missing that this mode does not create.
 */
export const prepareTopic = async (
  admin: Admin,
  options: RunOptions,
  runId: string,
): Promise<RunTopic> => {
  const isFresh = options.topic === null
  const name = options.topic ?? `bench-${runId}`
  const existing = isFresh ? null : await admin.partitionCount(name)
  if (existing !== null) {
    if (options.createTopic) throw existsAlready(name)
    return { name, partitionCount: existing, isFresh }
  }
  if (!isFresh && !createsMissing(options)) {
    throw new SurroundingsError(
      `topic ${name}: it does not exist, and --mode ${options.mode} creates none`,
    )
  }
  const created = await create(admin, name, options)
  if (created !== null) return { name, partitionCount: created, isFresh }
  if (options.createTopic) throw existsAlready(name)
  return { name, partitionCount: (await admin.partitionCount(name)) ?? options.partitions, isFresh }
}

/** True when the topic goes after the run: a fresh one stays as evidence when a check failed. */
export const isTopicDeleted = (
  topic: RunTopic,
  options: RunOptions,
  haveChecksHeld: boolean,
): boolean => (topic.isFresh ? haveChecksHeld && !options.keepTopic : options.deleteTopicAfter)

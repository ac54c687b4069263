/**
 * What a scenario and its members tell each other: JSON objects, one per line, commands on a member's standard input and
 * events on its standard output. Any language will do for a member; docs/ADAPTERS.md says it in words.
 */
import { z } from 'zod'
import { UsageError } from '../errors.ts'

const count = z.int().min(0)
const offset = z.int().min(0)
const durationMs = z.int().min(0)
/** When it happened, in ms since 1970 by the clock of the machine; fractions are welcome. */
const atMs = z.number()
const partitions = z.array(z.int().min(0))

/** What a `scripted` member does otherwise than a client library: each switch is one thing seen in the field. */
export const scriptSchema = z.strictObject({
  /** Sends no SyncGroup in this generation and all later ones; heartbeats go on until the group forgets it. */
  neverSyncFromGeneration: z.int().min(1).nullable().default(null),
  /** Does the above only where it was elected leader. */
  neverSyncOnlyAsLeader: z.boolean().default(false),
  /** Where it held its SyncGroup back, it sends one without assignments so much later, as a follower would. */
  lateSyncMs: durationMs.nullable().default(null),
  /** Time from being told to rejoin until it does. */
  rejoinDelayMs: durationMs.default(0),
  /** Time from the answer to JoinGroup until its SyncGroup. */
  syncDelayMs: durationMs.default(0),
  /** Closes its connection before the answer of so many JoinGroup requests, then tries again. */
  loseJoinAnswers: count.default(0),
  /** After a lost answer it joins without the member id that it had. */
  retriesJoinWithoutId: z.boolean().default(false),
  /** Sends no Heartbeat. */
  neverHeartbeats: z.boolean().default(false),
  /** Highest version of JoinGroup, and of the other group requests of the same Kafka, that it speaks. */
  maxJoinVersion: count.nullable().default(null),
  /** Highest version of OffsetFetch: from 8 on it lists groups. */
  maxOffsetFetchVersion: count.nullable().default(null),
  /** Asks for all offsets of the group, with null for the topics, instead of those of its partitions. */
  fetchesAllOffsets: z.boolean().default(false),
})

const optionsSchema = z.strictObject({
  bootstrapServers: z.array(z.string().min(1)).min(1),
  topic: z.string().min(1),
  groupId: z.string().min(1),
  clientId: z.string().min(1),
  /** Static membership (KIP-345); a library that lacks it ends with a fatal error. */
  groupInstanceId: z.string().min(1).nullable().default(null),
  assignor: z.enum(['range', 'round-robin', 'cooperative-sticky']).default('range'),
  sessionTimeoutMs: durationMs.default(10_000),
  heartbeatIntervalMs: durationMs.default(1_000),
  /** How long a rebalance waits for this member to join again (`max.poll.interval.ms`). */
  rebalanceTimeoutMs: durationMs.default(60_000),
  isolation: z.enum(['read-uncommitted', 'read-committed']).default('read-uncommitted'),
  /**
   * `auto`: as the library does by itself, and once more when it stops. `each-batch`: after each batch. `manual`: only
   * when commanded. `none`: never, also not when commanded.
   */
  commit: z.enum(['auto', 'each-batch', 'manual', 'none']).default('auto'),
  /** At most so many records in one `batch`, where the library can say so. */
  maxPollRecords: z.int().min(1).default(10_000),
  /** Time that the member takes for each batch before it counts as handled. */
  batchDelayMs: durationMs.default(0),
  /** Only for `scripted` members. */
  script: scriptSchema.nullable().default(null),
})

/** What a member is started with. A group without a committed offset is read from its earliest record. */
export type MemberOptions = z.output<typeof optionsSchema>
/** The same with the fields that have a default left out. */
export type MemberOptionsInput = z.input<typeof optionsSchema>
export type MemberScript = z.output<typeof scriptSchema>

/** Nothing otherwise than a client library. */
export const plainScript: MemberScript = scriptSchema.parse({})

/** `start` is always the first; `commit`: the positions of all partitions held, as of what was told by `batch`. */
export type MemberCommand =
  | { type: 'start'; options: MemberOptions }
  | { type: 'commit' }
  /** Commit if `commit` says so, leave the group, tell `left`, exit with 0. The end of the input means the same. */
  | { type: 'stop' }

/**
 * Records delivered one after another with consecutive offsets and, where they carry a bench header, consecutive
 * sequences: [first offset, count, run, producer, first sequence]. Run is the 48-bit run number of the header (see
 * src/bench/record-header.ts), -1 for records without one, -2 for those whose checksum did not match; producer and
 * sequence are 0 then.
 */
const recordRun = z.tuple([offset, z.int().min(1), z.int().min(-2), count, count])
export type MemberRecordRun = z.output<typeof recordRun>

const eventSchema = z.discriminatedUnion('type', [
  /** First line of every member: what it is made of. */
  z.object({ type: z.literal('hello'), library: z.string(), version: z.string() }),
  /** It begins to join the group for the first time. */
  z.object({ type: z.literal('joining'), atMs }),
  /**
   * Join and sync are done. `partitions` is all that the member owns from now on, also with a cooperative assignor; may
   * be empty. `memberId` is null and `generation` -1 where the library does not tell.
   */
  z.object({
    type: z.literal('assigned'),
    memberId: z.string().nullable(),
    generation: z.int().min(-1),
    partitions,
    atMs,
  }),
  /** A generation or member id learned after `assigned`. */
  z.object({
    type: z.literal('generation'),
    memberId: z.string().nullable(),
    generation: z.int().min(-1),
    atMs,
  }),
  /** It reads these partitions no more; null: all it held. */
  z.object({ type: z.literal('revoked'), partitions: partitions.nullable(), atMs }),
  /**
   * Records of one partition, in the order of delivery. `fromOffset` is the position before, inclusive, `toOffset` the
   * one after, exclusive; both may reach beyond the records (control and compacted records). `runs` holds each record.
   */
  z.object({
    type: z.literal('batch'),
    partition: z.int().min(0),
    fromOffset: offset,
    toOffset: offset,
    runs: z.array(recordRun),
    atMs,
  }),
  /** The broker accepted these positions: [partition, next offset to read]. A library's own commits may stay untold. */
  z.object({ type: z.literal('committed'), offsets: z.array(z.tuple([count, offset])), atMs }),
  /** It has left the group in good order; a static member stays in it until its session ends, as libraries do it. */
  z.object({ type: z.literal('left'), atMs }),
  /** After a fatal one the member exits with 1. `code` is Kafka's error code, where there is one. */
  z.object({
    type: z.literal('error'),
    code: z.int().nullable(),
    message: z.string(),
    isFatal: z.boolean(),
    atMs,
  }),
])

export type MemberEvent = z.output<typeof eventSchema>
export type MemberEventOf<Type extends MemberEvent['type']> = Extract<MemberEvent, { type: Type }>

const problemOf = (error: z.ZodError): string =>
  error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ')

/** Fills in the defaults. Throws a `UsageError` that names the field. */
export const parseMemberOptions = (value: unknown): MemberOptions => {
  const { data, error } = optionsSchema.safeParse(value)
  if (error !== undefined) throw new UsageError(`member options: ${problemOf(error)}`)
  return data
}

/** One line of a member's output; fields that are not known are dropped. Throws a `UsageError` that names the field. */
export const parseMemberEvent = (line: string): MemberEvent => {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new UsageError(`member event: not JSON: ${line.slice(0, 200)}`)
  }
  const { data, error } = eventSchema.safeParse(value)
  if (error !== undefined) throw new UsageError(`member event: ${problemOf(error)}`)
  return data
}
